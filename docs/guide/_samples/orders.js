const api = "https://capi.example.com/api/v1";
const headers = { "Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json" };

async function send(method, path, body) {
  const response = await fetch(api + path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

// Each Monday at 8:00 in Berlin: US fintech that is new from now on, as Parquet, for at most 200 credits.
const order = await send("POST", "/orders", {
  name: "New US fintech",
  search_filters: { query: "fintech", countries: ["US"] },
  schedule: { cron: "0 8 * * MON", time_zone: "Europe/Berlin" },
  deliver: "added", baseline: true,
  max_credits: 200, above_cap: "fill",
  export_format: "parquet",
});

// Do not wait for Monday.
const run = await send("POST", `/orders/${order.id}/run`);
console.log(`${run.status}: ${run.total_records} companies for ${run.credits_charged} credits; next run ${order.next_run_at}`);
