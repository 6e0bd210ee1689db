// The palette: what console.js loads when someone presses Ctrl-K. It shows the page of the palette in a dialog.
let dialog;
let input;
let list;
let at = -1;
let running;

const options = () => [...list.querySelectorAll("a")];

function mark(n) {
  const all = options();
  at = all.length ? (n + all.length) % all.length : -1;
  all.forEach((a, i) => a.setAttribute("aria-selected", String(i === at)));
  if (at >= 0) {
    input.setAttribute("aria-activedescendant", all[at].id);
    all[at].scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

async function find(page) {
  running?.abort();
  running = new AbortController();
  let html;
  try {
    const answer = await fetch(page + "?" + new URLSearchParams({ q: input.value }), {
      headers: { "X-Fragment": "1" }, signal: running.signal, credentials: "same-origin",
    });
    html = await answer.text();
  } catch (e) {
    if (e.name === "AbortError") return;
    html = "";
  }
  const found = new DOMParser().parseFromString(html, "text/html").body;
  list.replaceChildren(...(html ? found.childNodes : ["No connection. Type again to retry."]));
  options().forEach((a, i) => {
    a.id = "palette-" + i;
    a.tabIndex = -1;
    a.setAttribute("role", "option");
    a.parentElement.setAttribute("role", "none");
  });
  list.querySelectorAll("ul").forEach((ul) => { ul.setAttribute("role", "group"); ul.setAttribute("aria-label", ul.previousElementSibling.textContent); });
  list.querySelectorAll("h2").forEach((h) => h.setAttribute("role", "presentation"));
  mark(0);
}

function build(page) {
  dialog = document.createElement("dialog");
  dialog.className = "box palette";
  dialog.setAttribute("aria-label", "Go to");
  input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Page, company, workspace or action";
  list = document.createElement("div");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Found");
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-label": input.placeholder, "aria-controls": list.id, "aria-expanded": "true", "aria-autocomplete": "list", autocomplete: "off",
  })) input.setAttribute(name, value);
  dialog.append(input, list);
  let timer;
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => find(page), 80); });
  input.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown") mark(at + 1);
    else if (e.key === "ArrowUp") mark(at - 1);
    else if (e.key === "Enter") options()[at]?.click();
    else return;
    e.preventDefault();
  });
  dialog.addEventListener("click", (e) => { if (e.target === dialog || e.target.closest("a")) dialog.close(); });
  document.body.append(dialog);
}

export function open(page) {
  if (!dialog) build(page);
  if (dialog.open) { dialog.close(); return; }
  input.value = "";
  dialog.showModal();
  input.focus();
  find(page);
}
