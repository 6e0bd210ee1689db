import json
import time
import urllib.request

API = "https://capi.example.com/api/v1"
TOKEN = "cornect_your_token_here"


def call(method, path, body=None):
    request = urllib.request.Request(API + path, method=method, headers={"Authorization": f"Bearer {TOKEN}"})
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request) as response:
        return json.load(response)


created = call("POST", "/exports", {
    "name": "US fintech",
    "search_filters": {"query": "fintech", "countries": ["US"]},
})
print(created["requested_count"], "companies for", created["credits_charged"], "credits")

job = created["export_job"]
while job["status"] in ("pending", "processing"):
    time.sleep(1)
    job = call("GET", f"/exports/{job['id']}")
if job["status"] != "completed":
    raise SystemExit(f"the export is {job['status']}")

link = call("POST", f"/exports/{job['id']}/download")
urllib.request.urlretrieve(link["download_url"], "us-fintech.csv")
