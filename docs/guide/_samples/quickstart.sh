API=https://capi.example.com/api/v1
TOKEN=cornect_your_token_here

# One of many ways to take a field out of an answer; jq -r .name is another.
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4 | sed 's/\\u0026/\&/g'; }

EXPORT=$(curl -s -X POST $API/exports \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"name":"US fintech","search_filters":{"query":"fintech","countries":["US"]}}' | field id)

STATUS=pending
while [ "$STATUS" = pending ] || [ "$STATUS" = processing ]; do
  sleep 1
  STATUS=$(curl -s $API/exports/$EXPORT -H "Authorization: Bearer $TOKEN" | field status)
done
echo "The export is $STATUS."

LINK=$(curl -s -X POST $API/exports/$EXPORT/download -H "Authorization: Bearer $TOKEN" | field download_url)
curl -s -o us-fintech.csv "$LINK"
