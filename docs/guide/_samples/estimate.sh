API=https://capi.example.com/api/v1
TOKEN=cornect_your_token_here

QUOTE=$(curl -s -X POST $API/exports/quote \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"search_filters":{"countries":["US"]},"limit":10}')
echo "$QUOTE"

ID=$(echo "$QUOTE" | grep -o '"quote_id":"[^"]*"' | cut -d '"' -f 4)
curl -s -X POST $API/exports \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d "{\"name\":\"Ten US companies\",\"quote_id\":\"$ID\"}"
