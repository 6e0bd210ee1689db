async function* companies(filters) {
  let cursor = null;
  do {
    const response = await fetch("https://capi.example.com/api/v1/companies/search", {
      method: "POST",
      headers: { "Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json" },
      body: JSON.stringify({ ...filters, limit: 100, facets: [], cursor }),
    });
    if (!response.ok) throw new Error(await response.text());
    const page = await response.json();
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor);
}

for await (const company of companies({ countries: ["US"] })) {
  console.log(company.name);
}
