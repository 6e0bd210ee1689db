const api = "https://capi.example.com/api/v1";
const headers = { "Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json" };

async function post(path, body) {
  const response = await fetch(api + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const quote = await post("/exports/quote", { search_filters: { countries: ["US"] }, limit: 10 });
console.log(`${quote.requested_count} companies would cost ${quote.cost} of ${quote.balance} credits`);

if (quote.affordable) {
  const created = await post("/exports", { name: "Ten US companies", quote_id: quote.quote_id });
  console.log(`charged ${created.credits_charged}`);
}
