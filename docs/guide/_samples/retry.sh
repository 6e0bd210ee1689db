# curl itself retries what can be retried: 408, 429, 500, 502, 503, 504, and waits as Retry-After says.
curl -s --retry 4 --retry-connrefused -X POST https://capi.example.com/api/v1/exports \
  -H "Authorization: Bearer cornect_your_token_here" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: weekly-us-fintech-2026-W10" \
  -d '{"name":"US fintech, week 10","search_filters":{"query":"fintech","countries":["US"]}}'
