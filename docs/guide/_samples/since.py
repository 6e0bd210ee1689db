import json
import urllib.request

API = "https://capi.example.com/api/v1"
HEADERS = {"Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json"}


def send(method, path, body):
    request = urllib.request.Request(API + path, method=method, headers=HEADERS, data=json.dumps(body).encode())
    with urllib.request.urlopen(request) as response:
        return json.load(response)


# Leave opted-out companies out of everything that is searched and bought from now on.
opted_out = send("POST", "/lists", {"name": "Opted out"})["id"]
send("POST", f"/lists/{opted_out}/companies", {"domains": ["opted-out.example"]})
send("PATCH", f"/lists/{opted_out}", {"excluded": True})

# What came into the catalog since an export, and what was added or changed since then.
us = {"countries": ["US"]}
last = send("POST", "/exports", {"name": "US", "search_filters": us})["export_job"]["id"]
added = send("POST", "/companies/search", {**us, "added_since": last, "facets": []})
changed = send("POST", "/companies/search", {**us, "changed_since": last, "facets": []})
print(added["total"], "added,", changed["total"], "added or changed,", added["excluded_count"], "left out")
