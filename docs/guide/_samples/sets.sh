API=https://capi.example.com/api/v1
TOKEN=cornect_your_token_here

post() {
  curl -s -X POST "$API$1" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d "$2"
}
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

LIST=$(post /lists '{"name":"Customers"}' | field id)
post /lists/$LIST/companies '{"domains":["acmepayments.example"]}'

# Companies in the US that are not customers yet.
post /companies/search "{\"countries\":[\"US\"],\"not_in\":[{\"list_id\":\"$LIST\"}],\"facets\":[]}"

# How the customers and what the workspace owns overlap, with the price of each part.
post /sets/compare "{\"sets\":[{\"list_id\":\"$LIST\"},{\"owned\":true}]}"

# The same companies as a set: priced, then bought for that price.
QUOTE=$(post /exports/quote "{\"source_type\":\"set\",\"set\":{\"all_of\":[{\"search\":{\"countries\":[\"US\"]}},{\"not\":{\"list_id\":\"$LIST\"}}]}}")
echo "$QUOTE"
post /exports "{\"name\":\"Not customers yet\",\"quote_id\":\"$(echo "$QUOTE" | field quote_id)\"}"
