import { randomUUID } from "node:crypto";

const passing = new Set([408, 409, 429, 500, 502, 503, 504]);

async function send(path, body, key = randomUUID()) {
  for (let attempt = 1; ; attempt++) {
    let response, answer;
    try {
      response = await fetch("https://capi.example.com/api/v1" + path, {
        method: "POST",
        headers: {
          "Authorization": "Bearer cornect_your_token_here",
          "Content-Type": "application/json",
          "Idempotency-Key": key,
        },
        body: JSON.stringify(body),
      });
      answer = await response.json();
    } catch (error) { // no answer, or half of one
      if (attempt === 5) throw error;
    }
    if (answer && response.ok) return answer;
    const code = answer?.detail?.code;
    if (answer && (attempt === 5 || !passing.has(response.status) || code === "QUOTE_OUTDATED")) {
      throw Object.assign(new Error(answer.detail.message), { code, details: answer.detail.details });
    }
    const seconds = Number(response?.headers.get("Retry-After")) || 2 ** attempt * (0.5 + Math.random());
    await new Promise((wake) => setTimeout(wake, seconds * 1000));
  }
}

const created = await send("/exports", {
  name: "US fintech, week 10",
  search_filters: { query: "fintech", countries: ["US"] },
});
console.log(`charged ${created.credits_charged}`);
