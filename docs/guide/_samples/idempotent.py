import json
import urllib.request
import uuid

request = urllib.request.Request(
    "https://capi.example.com/api/v1/exports",
    method="POST",
    headers={
        "Authorization": "Bearer cornect_your_token_here",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    },
    data=json.dumps({
        "name": "US fintech 50+",
        "search_filters": {"query": "fintech", "countries": ["US"], "employee_count_min": 50},
    }).encode(),
)
with urllib.request.urlopen(request) as first, urllib.request.urlopen(request) as again:
    assert first.read() == again.read()
    print(again.headers["Idempotency-Replayed"])
