import json
import urllib.request

API = "https://capi.example.com/api/v1"
HEADERS = {"Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json"}


def send(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, method=method, headers=HEADERS, data=data)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


# Each Monday at 8:00 in Berlin: US fintech that is new from now on, as Parquet, for at most 200 credits.
order = send("POST", "/orders", {
    "name": "New US fintech",
    "search_filters": {"query": "fintech", "countries": ["US"]},
    "schedule": {"cron": "0 8 * * MON", "time_zone": "Europe/Berlin"},
    "deliver": "added", "baseline": True,
    "max_credits": 200, "above_cap": "fill",
    "export_format": "parquet",
})

# Do not wait for Monday.
run = send("POST", f"/orders/{order['id']}/run")
print(run["status"], run["total_records"], "companies for", run["credits_charged"], "credits; next run", order["next_run_at"])
