import json
import urllib.request

API = "https://capi.example.com/api/v1"
HEADERS = {"Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json"}


def post(path, body):
    request = urllib.request.Request(API + path, method="POST", headers=HEADERS, data=json.dumps(body).encode())
    with urllib.request.urlopen(request) as response:
        return json.load(response)


customers = {"list_id": post("/lists", {"name": "Customers"})["id"]}
post(f"/lists/{customers['list_id']}/companies", {"domains": ["acmepayments.example"]})

# Companies in the US that are not customers yet.
found = post("/companies/search", {"countries": ["US"], "not_in": [customers], "facets": []})
print(found["total"], "companies,", found["credits"]["new_count"], "of them new")

# How the customers and what the workspace owns overlap, with the price of each part.
for region in post("/sets/compare", {"sets": [customers, {"owned": True}]})["regions"]:
    print("in", region["in"], region["count"], "companies for", region["new_count"], "credits")

# The same companies as a set: priced, then bought for that price.
companies = {"all_of": [{"search": {"countries": ["US"]}}, {"not": customers}]}
quote = post("/exports/quote", {"source_type": "set", "set": companies})
created = post("/exports", {"name": "Not customers yet", "quote_id": quote["quote_id"]})
print("quoted", quote["cost"], "charged", created["credits_charged"])
