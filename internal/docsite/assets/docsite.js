// Progressive enhancement: copy buttons, one sample language on all pages, the reader's token in the samples, search while typing.
"use strict";

const chosen = "capi-docs-language";

function remembered() {
  try { return localStorage.getItem(chosen); } catch { return null; }
}

function choose(language) {
  for (const input of document.querySelectorAll(".tabs > input")) {
    if (input.value === language) input.checked = true;
  }
}

choose(remembered());

document.addEventListener("change", (event) => {
  if (!event.target.matches(".tabs > input")) return;
  const top = event.target.getBoundingClientRect().top;
  choose(event.target.value);
  window.scrollBy(0, event.target.getBoundingClientRect().top - top); // keep the viewed position
  try { localStorage.setItem(chosen, event.target.value); } catch { /* no storage: the choice is not remembered */ }
});

if (navigator.clipboard) {
  for (const block of document.querySelectorAll("main pre")) {
    const frame = document.createElement("div");
    frame.className = "copied";
    block.before(frame);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.innerText);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    frame.append(block, button);
  }
}

// The token is kept for the tab, and replaces the placeholder in every sample. Only send.js sends it, to this server.
const placeholder = "cornect_your_token_here";
const kept = "capi-token";
const places = [];

for (const code of document.querySelectorAll("main pre code")) {
  const nodes = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    const at = node.data.indexOf(placeholder);
    if (at < 0) continue;
    const place = document.createElement("span");
    place.className = "own";
    place.textContent = placeholder;
    node.splitText(at).deleteData(0, placeholder.length);
    node.after(place);
    places.push(place);
    nodes.currentNode = place.firstChild;
  }
}

let current = "";
window.capiToken = () => {
  try { return sessionStorage.getItem(kept) ?? ""; } catch { return current; }
};
current = window.capiToken();

function keep(token) {
  current = token;
  try {
    if (token) sessionStorage.setItem(kept, token);
    else sessionStorage.removeItem(kept);
  } catch { /* no storage: the token lasts as long as the page */ }
  for (const place of places) place.textContent = token || placeholder;
}
if (current) keep(current);

const tokenForm = document.querySelector("form.token");
if (tokenForm) {
  const field = tokenForm.querySelector("input"), clear = tokenForm.querySelector(".clear"), note = tokenForm.querySelector("p");
  const hint = note.innerHTML;
  tokenForm.hidden = false;
  field.value = current;
  clear.hidden = !current;
  const refuse = (message) => {
    field.setAttribute("aria-invalid", String(Boolean(message)));
    if (message) note.textContent = message;
  };
  tokenForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = field.value.trim();
    if (!/^cornect_[0-9A-Za-z]+$/.test(token)) {
      refuse(token ? "A token begins with cornect_ and has only letters and digits after it. Copy it again." : "Paste a token first.");
      return;
    }
    refuse("");
    keep(token);
    clear.hidden = false;
    note.textContent = "Every sample of this tab now has your token.";
  });
  clear.addEventListener("click", () => {
    refuse("");
    keep("");
    field.value = "";
    clear.hidden = true;
    note.innerHTML = hint;
    field.focus();
  });
}

// The search loads its script and its index when somebody begins to search.
const search = document.querySelector("form.search");
let searching;

function prepareSearch() {
  searching ??= import(search.dataset.script).then((module) => module.attach(search)).catch(() => {
    searching = undefined; // the form still leads to the search page
  });
}
search.elements.q.addEventListener("focus", prepareSearch);
if (document.activeElement === search.elements.q) prepareSearch();

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  search.elements.q.focus();
  search.elements.q.select();
});

const here = document.querySelector(".contents a[aria-current]");
if (here) {
  const contents = here.closest(".contents");
  contents.scrollTop = Math.max(0, here.offsetTop - contents.offsetTop - contents.clientHeight / 2);
}
