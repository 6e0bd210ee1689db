import { randomUUID } from "node:crypto";

const request = {
  method: "POST",
  headers: {
    "Authorization": "Bearer cornect_your_token_here",
    "Content-Type": "application/json",
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({
    name: "US fintech 50+",
    search_filters: { query: "fintech", countries: ["US"], employee_count_min: 50 },
  }),
};
const first = await fetch("https://capi.example.com/api/v1/exports", request);
const again = await fetch("https://capi.example.com/api/v1/exports", request);
if (await first.text() !== await again.text()) throw new Error("two answers to one key");
console.log(again.headers.get("Idempotency-Replayed"));
