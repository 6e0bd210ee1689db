const api = "https://capi.example.com/api/v1";
const headers = { "Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json" };

async function post(path, body) {
  const response = await fetch(api + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const customers = { list_id: (await post("/lists", { name: "Customers" })).id };
await post(`/lists/${customers.list_id}/companies`, { domains: ["acmepayments.example"] });

// Companies in the US that are not customers yet.
const found = await post("/companies/search", { countries: ["US"], not_in: [customers], facets: [] });
console.log(`${found.total} companies, ${found.credits.new_count} of them new`);

// How the customers and what the workspace owns overlap, with the price of each part.
for (const region of (await post("/sets/compare", { sets: [customers, { owned: true }] })).regions) {
  console.log(`in ${region.in}: ${region.count} companies for ${region.new_count} credits`);
}

// The same companies as a set: priced, then bought for that price.
const set = { all_of: [{ search: { countries: ["US"] } }, { not: customers }] };
const quote = await post("/exports/quote", { source_type: "set", set });
const created = await post("/exports", { name: "Not customers yet", quote_id: quote.quote_id });
console.log(`quoted ${quote.cost}, charged ${created.credits_charged}`);
