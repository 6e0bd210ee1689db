const api = "https://capi.example.com/api/v1";
const headers = { "Authorization": "Bearer cornect_your_token_here", "Content-Type": "application/json" };

async function send(method, path, body) {
  const response = await fetch(api + path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

// Leave opted-out companies out of everything that is searched and bought from now on.
const list = await send("POST", "/lists", { name: "Opted out" });
await send("POST", `/lists/${list.id}/companies`, { domains: ["opted-out.example"] });
await send("PATCH", `/lists/${list.id}`, { excluded: true });

// What came into the catalog since an export, and what was added or changed since then.
const countries = ["US"];
const last = (await send("POST", "/exports", { name: "US", search_filters: { countries } })).export_job.id;
const added = await send("POST", "/companies/search", { countries, added_since: last, facets: [] });
const changed = await send("POST", "/companies/search", { countries, changed_since: last, facets: [] });
console.log(`${added.total} added, ${changed.total} added or changed, ${added.excluded_count} left out`);
