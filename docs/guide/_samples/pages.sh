API=https://capi.example.com/api/v1
TOKEN=cornect_your_token_here

CURSOR=null
while [ -n "$CURSOR" ]; do
  PAGE=$(curl -s $API/companies/search \
    -H "Authorization: Bearer $TOKEN" \
    -H "Content-Type: application/json" \
    -d "{\"countries\":[\"US\"],\"limit\":100,\"facets\":[],\"cursor\":$CURSOR}")
  echo "$PAGE"
  CURSOR=$(echo "$PAGE" | grep -o '"next_cursor":"[^"]*"' | cut -d : -f 2)
done
