import json
import urllib.request

API = "https://capi.example.com/api/v1"
HEADERS = {"Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json"}


def post(path, body):
    request = urllib.request.Request(API + path, method="POST", headers=HEADERS, data=json.dumps(body).encode())
    with urllib.request.urlopen(request) as response:
        return json.load(response)


quote = post("/exports/quote", {"search_filters": {"countries": ["US"]}, "limit": 10})
print(quote["requested_count"], "companies would cost", quote["cost"], "of", quote["balance"], "credits")

if quote["affordable"]:
    created = post("/exports", {"name": "Ten US companies", "quote_id": quote["quote_id"]})
    print("charged", created["credits_charged"])
