import json
import urllib.request


def companies(filters):
    cursor = None
    while True:
        request = urllib.request.Request(
            "https://capi.example.com/api/v1/companies/search",
            method="POST",
            headers={"Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json"},
            data=json.dumps({**filters, "limit": 100, "facets": [], "cursor": cursor}).encode(),
        )
        with urllib.request.urlopen(request) as response:
            page = json.load(response)
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


for company in companies({"countries": ["US"]}):
    print(company["name"])
