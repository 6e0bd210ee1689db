API=https://capi.example.com/api/v1
TOKEN=cornect_your_token_here

send() {
  curl -s -X "$1" "$API$2" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d "$3"
}

# Each Monday at 8:00 in Berlin: US fintech that is new from now on, as Parquet, for at most 200 credits.
ORDER=$(send POST /orders '{
  "name": "New US fintech",
  "search_filters": {"query": "fintech", "countries": ["US"]},
  "schedule": {"cron": "0 8 * * MON", "time_zone": "Europe/Berlin"},
  "deliver": "added", "baseline": true,
  "max_credits": 200, "above_cap": "fill",
  "export_format": "parquet"
}' | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)

# Do not wait for Monday.
curl -s -X POST "$API/orders/$ORDER/run" -H "Authorization: Bearer $TOKEN"
