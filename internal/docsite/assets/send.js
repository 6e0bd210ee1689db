// Sends the request of an operation's page from the browser, and shows the answer.
"use strict";

const request = document.querySelector("form.request");
const place = document.querySelector(".answer");
const body = bodyOf(request);
const charsMax = 200_000; // what is shown of an answer
const lastIDs = "capi-docs-ids";

request.hidden = false;
fillKept();
const samples = samplesOfThePage();
request.addEventListener("input", () => samples.follow());
samples.follow();

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

// samplesOfThePage returns the samples, which follow the address and the body of the form. A body that is not a JSON object changes none.
function samplesOfThePage() {
  const parts = []; // what is replaced: a text node, its literal now, and how a new one is written
  const codes = [...document.querySelectorAll(".panel .tabs pre code")];
  const address = codes[0]?.textContent.match(/https?:\/\/[^\s"']+/)?.[0];
  const from = address?.length - request.dataset.example.length;
  const example = body?.read();
  const add = (code, literal, write) => {
    const nodes = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
      if (node.data.includes(literal)) return parts.push({ node, literal, write });
    }
  };
  for (const [i, write] of [shell, script, python, golang].entries()) {
    if (!codes[i] || !address) continue;
    add(codes[i], address, (call) => (write === shell && call.path.includes("?") ? quoted(address.slice(0, from) + call.path) : address.slice(0, from) + call.path));
    if (example) add(codes[i], write === golang ? "`" + JSON.stringify(example) + "`" : write(example), (call) => write(call.body));
  }
  return {
    follow() {
      const call = { path: pathOf(), body: undefined };
      if (body) {
        try { call.body = body.read(); } catch { return; }
      }
      for (const part of parts) {
        const literal = part.write(call);
        part.node.data = part.node.data.replace(part.literal, () => literal);
        part.literal = literal;
      }
    },
  };
}

function quoted(text) { return "'" + text.replaceAll("'", "'\\''") + "'"; }

function shell(value) { return quoted(JSON.stringify(value)); }

function script(value) { return JSON.stringify(value, null, 2).replaceAll("\n", "\n  "); }

// golang returns a string literal: what JSON escapes in a string, Go does in the same way.
function golang(value) {
  const text = JSON.stringify(value);
  return text.includes("`") ? JSON.stringify(text) : "`" + text + "`";
}

function python(value, indent = "    ") {
  if (Array.isArray(value)) return "[" + value.map((element) => python(element, indent)).join(", ") + "]";
  if (isObject(value)) {
    const lines = Object.keys(value).sort().map((name) => indent + "    " + JSON.stringify(name) + ": " + python(value[name], indent + "    ") + ",\n");
    return "{\n" + lines.join("") + indent + "}";
  }
  const names = new Map([[true, "True"], [false, "False"], [null, "None"]]);
  return names.get(value) ?? JSON.stringify(value);
}

// pathOf returns the path and the query of the form. A path parameter that is still empty has the id of the example.
function pathOf() {
  let path = request.dataset.path;
  const query = new URLSearchParams();
  for (const input of request.querySelectorAll("[data-in]")) {
    const value = input.value.trim();
    if (input.dataset.in === "path") path = path.replace("{" + input.name + "}", encodeURIComponent(value || input.placeholder));
    else if (value && input.dataset.in === "query") query.set(input.name, value);
  }
  const all = query.toString();
  return path + (all ? "?" + all : "");
}

const adder = document.getElementById("in-field");
adder?.addEventListener("change", () => {
  const option = adder.selectedOptions[0], path = option.textContent.split(".");
  if (!option.value) return;
  adder.value = "";
  if (refused("added")) return;
  const all = body.read();
  let at = all;
  for (const name of path.slice(0, -1)) at = at[name] ??= {};
  if (!isObject(at)) {
    say(path[0] + " is not an object in the body. Nothing was added.");
    return;
  }
  at[path.at(-1)] ??= JSON.parse(option.value);
  body.set(all);
  samples.follow();
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

// read returns the request of the form; undefined if its body cannot be sent.
function read(token) {
  const headers = { Authorization: "Bearer " + token };
  for (const input of request.querySelectorAll("[data-in=header]")) {
    if (input.value.trim()) headers[input.name] = input.value.trim();
  }
  if (keyField) headers[keyField.name] ??= key ??= randomKey();
  const options = { method: request.dataset.method, headers, credentials: "omit", cache: "no-store" };
  if (body) {
    if (refused("sent")) return undefined;
    headers["Content-Type"] = "application/json";
    options.body = body.text();
  }
  return { address: pathOf(), options };
}

function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// refused reports whether something in the body is wrong, says what was not done, and leads to the place.
function refused(done) {
  const fault = body.fault();
  if (!fault) return false;
  say(fault.message + " Nothing was " + done + ".");
  const closed = fault.element.closest("details");
  if (closed) closed.open = true;
  fault.element.focus();
  return true;
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
