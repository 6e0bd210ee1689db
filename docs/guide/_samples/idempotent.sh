for attempt in 1 2; do
  curl -s -X POST https://capi.example.com/api/v1/exports \
    -H "Authorization: Bearer cornect_your_token_here" \
    -H "Content-Type: application/json" \
    -H "Idempotency-Key: 8e03978e-40d5-43dd-bc93-6894a57f9324" \
    -d '{"name":"US fintech 50+","search_filters":{"query":"fintech","countries":["US"],"employee_count_min":50}}'
done
