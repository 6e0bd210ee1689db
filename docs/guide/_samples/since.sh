API=https://capi.example.com/api/v1
TOKEN=cornect_your_token_here

send() {
  curl -s -X "$1" "$API$2" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d "$3"
}
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# Leave opted-out companies out of everything that is searched and bought from now on.
LIST=$(send POST /lists '{"name":"Opted out"}' | field id)
send POST /lists/$LIST/companies '{"domains":["opted-out.example"]}'
send PATCH /lists/$LIST '{"excluded":true}'

# What came into the catalog since an export, and what was added or changed since then.
EXPORT=$(send POST /exports '{"name":"US","search_filters":{"countries":["US"]}}' | field id)
send POST /companies/search "{\"countries\":[\"US\"],\"added_since\":\"$EXPORT\",\"facets\":[]}"
send POST /companies/search "{\"countries\":[\"US\"],\"changed_since\":\"$EXPORT\",\"facets\":[]}"
