import { writeFile } from "node:fs/promises";

const api = "https://capi.example.com/api/v1";
const token = "cornect_your_token_here";

async function call(method, path, body) {
  const response = await fetch(api + path, {
    method,
    headers: { "Authorization": `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.detail.code}: ${answer.detail.message}`);
  return answer;
}

const created = await call("POST", "/exports", {
  name: "US fintech",
  search_filters: { query: "fintech", countries: ["US"] },
});
console.log(`${created.requested_count} companies for ${created.credits_charged} credits`);

let job = created.export_job;
while (job.status === "pending" || job.status === "processing") {
  await new Promise((wake) => setTimeout(wake, 1000));
  job = await call("GET", `/exports/${job.id}`);
}
if (job.status !== "completed") throw new Error(`the export is ${job.status}`);

const { download_url } = await call("POST", `/exports/${job.id}/download`);
const file = await fetch(download_url);
await writeFile("us-fintech.csv", Buffer.from(await file.arrayBuffer()));
