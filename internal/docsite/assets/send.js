// Sends the request of an operation's page from the browser, and shows the answer.
"use strict";

const request = document.querySelector("form.request");
const place = document.querySelector(".answer");
const body = document.getElementById("in-body");
const charsMax = 200_000; // what is shown of an answer
const lastIDs = "capi-docs-ids";

request.hidden = false;
fillKept();

// fillKept fills in the ids of earlier answers.
function fillKept() {
  const ids = keptIDs();
  for (const input of request.querySelectorAll("[data-in=path]")) input.value ||= ids[input.name] ?? "";
}

function keptIDs() {
  try { return JSON.parse(sessionStorage.getItem(lastIDs) ?? "{}"); } catch { return {}; }
}

function keepID(answer) {
  const [name, path] = request.dataset.keeps.split("=");
  const id = path?.split(".").reduce((value, key) => value?.[key], answer);
  if (typeof id !== "string") return;
  try { sessionStorage.setItem(lastIDs, JSON.stringify({ ...keptIDs(), [name]: id })); } catch { /* typed by hand then */ }
}

// A request that got no answer is sent again with the same key, so that it takes effect once.
let key;
const keyField = request.elements["Idempotency-Key"];
request.addEventListener("input", () => { key = undefined; });

const adder = document.getElementById("in-field");
adder?.addEventListener("change", () => {
  const option = adder.selectedOptions[0], path = option.textContent.split(".");
  if (!option.value) return;
  let all;
  try {
    all = JSON.parse(body.value);
    if (Object.prototype.toString.call(all) !== "[object Object]") throw new Error("it must begin with {");
  } catch (error) {
    refuseBody(error);
    return;
  }
  let at = all;
  for (const name of path.slice(0, -1)) at = at[name] ??= {};
  at[path.at(-1)] ??= JSON.parse(option.value);
  body.value = JSON.stringify(all, null, 2);
  body.rows = Math.min(body.value.split("\n").length, 20);
  adder.value = "";
  say("Added " + path.join(".") + " to the body.");
});

request.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = document.getElementById("token");
  if (!window.capiToken() && field.value) field.form.requestSubmit();
  const token = window.capiToken();
  if (!token) {
    say("Paste your API token above first.");
    field.focus();
    return;
  }
  const call = read(token);
  if (!call) return;
  const button = request.querySelector("button");
  button.disabled = true;
  say("Sending …");
  const began = performance.now();
  try {
    const answer = await fetch(call.address, call.options);
    const text = await answer.text();
    key = undefined;
    show(answer, text, Math.round(performance.now() - began));
  } catch (error) {
    say("The request got no answer: " + error.message + ". Check your connection, and send it again.");
  }
  button.disabled = false;
});

// read returns the request of the form; undefined if the body is not JSON.
function read(token) {
  let path = request.dataset.path;
  const query = new URLSearchParams();
  const headers = { Authorization: "Bearer " + token };
  for (const input of request.querySelectorAll("[data-in]")) {
    const value = input.value.trim();
    if (input.dataset.in === "path") path = path.replace("{" + input.name + "}", encodeURIComponent(value));
    else if (value && input.dataset.in === "query") query.set(input.name, value);
    else if (value) headers[input.name] = value;
  }
  if (keyField) headers[keyField.name] ??= key ??= randomKey();
  const options = { method: request.dataset.method, headers, credentials: "omit", cache: "no-store" };
  if (body) {
    try {
      JSON.parse(body.value);
    } catch (error) {
      refuseBody(error);
      return undefined;
    }
    body.removeAttribute("aria-invalid");
    headers["Content-Type"] = "application/json";
    options.body = body.value;
  }
  const all = query.toString();
  return { address: path + (all ? "?" + all : ""), options };
}

function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function refuseBody(error) {
  body.setAttribute("aria-invalid", "true");
  say("The body is not a JSON object: " + error.message + ". Nothing was sent.");
  body.focus();
}

function say(text) {
  const line = document.createElement("p");
  line.textContent = text;
  place.replaceChildren(line);
}

const shownHeaders = [
  "Content-Type", "X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "Idempotency-Replayed",
  "Server-Timing",
];

function show(answer, text, milliseconds) {
  const status = document.createElement("p");
  const badge = document.createElement("strong");
  badge.className = answer.ok ? "good" : "bad";
  badge.textContent = (answer.status + " " + answer.statusText).trim();
  status.append(badge, " in " + milliseconds + " ms");
  const list = document.createElement("dl");
  for (const name of shownHeaders) {
    const value = answer.headers.get(name);
    if (value === null) continue;
    const term = document.createElement("dt"), detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    list.append(term, detail);
  }
  place.replaceChildren(status, list);
  if (!text) return;
  let pretty = text;
  try {
    const parsed = JSON.parse(text);
    pretty = JSON.stringify(parsed, null, 2);
    if (answer.ok) keepID(parsed);
    else place.append(explain(parsed.detail?.code));
  } catch { /* CSV is shown as it is */ }
  const pre = document.createElement("pre"), code = document.createElement("code");
  pre.tabIndex = 0;
  pre.setAttribute("aria-label", "Body of the answer");
  code.append(...linked(pretty.slice(0, charsMax)));
  pre.append(code);
  place.append(pre);
  if (pretty.length > charsMax) {
    const more = document.createElement("p");
    more.textContent = "Only the first " + charsMax.toLocaleString("en") + " of " + pretty.length.toLocaleString("en") + " characters are shown.";
    place.append(more);
  }
}

// explain returns a link to the description of an error.
function explain(code) {
  const line = document.createElement("p");
  if (!code) return line;
  const link = document.createElement("a");
  link.href = request.dataset.errors + code;
  link.textContent = "What " + code + " means";
  line.append(link);
  return line;
}

// linked returns the text as nodes, with links for addresses of this server, such as a download.
function linked(text) {
  return text.split(/("https?:\/\/[^"\s]+")/).map((part) => {
    const address = part.slice(1, -1);
    if (!part.startsWith('"http') || !URL.canParse(address) || new URL(address).origin !== location.origin) return part;
    const link = document.createElement("a");
    link.href = address;
    link.textContent = part;
    return link;
  });
}
