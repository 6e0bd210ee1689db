import json
import random
import time
import urllib.error
import urllib.request
import uuid

PASSING = {408, 409, 429, 500, 502, 503, 504}


def send(path, body, key=None):
    request = urllib.request.Request(
        "https://capi.example.com/api/v1" + path,
        method="POST",
        headers={
            "Authorization": "Bearer cornect_your_token_here",
            "Content-Type": "application/json",
            "Idempotency-Key": key or str(uuid.uuid4()),
        },
        data=json.dumps(body).encode(),
    )
    for attempt in range(1, 6):
        wait = None
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            detail = json.load(error)["detail"]
            if attempt == 5 or error.code not in PASSING or detail["code"] == "QUOTE_OUTDATED":
                raise RuntimeError(f"{detail['code']}: {detail['message']}") from error
            wait = error.headers.get("Retry-After")
        except OSError:  # no answer
            if attempt == 5:
                raise
        time.sleep(float(wait) if wait else 2**attempt * random.uniform(0.5, 1.5))


created = send("/exports", {
    "name": "US fintech, week 10",
    "search_filters": {"query": "fintech", "countries": ["US"]},
})
print("charged", created["credits_charged"])
