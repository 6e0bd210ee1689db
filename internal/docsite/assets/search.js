// Instant search over the documentation: the entries and the scores of the server's search page, so that both give the same order.
// It is loaded when somebody begins to search.

const fillers = new Set("a an and are can do does for how i in is it my of on or the to what when where which why with".split(" "));
const shown = 8;

function fold(s) {
  return s.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[‘’‚‛]/g, "'").replace(/[“”„]/g, '"').replace(/[‐-―−]/g, "-").toLowerCase();
}

// words returns the folded words; a code such as QUOTE_EXPIRED is one word.
export function words(s) {
  return fold(s).split(/[\x00-/:-^`{-\x7f]+/).filter(Boolean);
}

// prepare adds the folded words to the entries.
export function prepare(entries) {
  for (const e of entries) {
    e.title = words(e.t);
    e.heading = e.h ? words(e.h) : e.title;
    e.text = words(e.x ?? "");
    e.phrases = words(e.p ?? "");
    e.spoken = (e.p ?? "").split(",").map((phrase) => words(phrase).join(" ")).filter(Boolean);
  }
  return entries;
}

function found(list, word) {
  let n = 0;
  for (const w of list) {
    if (w === word) return 2;
    if (w.startsWith(word)) n = 1;
  }
  return n;
}

function whole(question, texts, same, begins) {
  let bonus = 0;
  for (const t of texts) {
    if (t === question) return same;
    if (t.startsWith(question)) bonus = begins;
  }
  return bonus;
}

function score(e, asked) {
  let total = 0, own = false;
  for (const word of asked) {
    const name = Math.max(found(e.heading, word), found(e.phrases, word));
    const title = found(e.title, word), body = found(e.text, word);
    if (name + title + body === 0) return 0;
    own ||= name + body > 0;
    total += 30 * name + 10 * title + 4 * body;
  }
  if (!own) return 0;
  const question = asked.join(" ");
  total += whole(question, e.spoken, 400, 150);
  total += whole(question, [e.heading.join(" ")], 300, 100);
  return total + (e.k === "page" || e.k === "operation" ? 40 : 0);
}

// asked returns the words of a question without fillers, unless there is nothing else.
function asked(question) {
  const all = words(question.slice(0, 200));
  const some = all.filter((w) => !fillers.has(w));
  return some.length ? some : all;
}

// find returns the matching entries, best first.
export function find(entries, question) {
  const list = asked(question);
  if (!list.length) return [];
  return entries.map((e) => [e, score(e, list)]).filter(([, s]) => s > 0).sort((a, b) => b[1] - a[1]).map(([e]) => e).slice(0, 30);
}

// attach shows the matches below the search field while somebody types.
export async function attach(form) {
  const input = form.elements.q;
  const answer = await fetch(form.dataset.index);
  if (!answer.ok) throw new Error("HTTP " + answer.status);
  const entries = prepare(await answer.json());
  const list = document.createElement("ul");
  list.id = "matches";
  list.className = "matches";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Matches");
  list.hidden = true;
  const said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");
  form.append(list, said);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  let at = 0;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (n) => {
    at = (n + list.children.length) % list.children.length;
    for (const [i, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(i === at));
    input.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const show = () => {
    const question = input.value.trim();
    if (!question) return close();
    const hits = find(entries, question);
    list.replaceChildren(...hits.slice(0, shown).map((e, i) => option(e.a, i, e.h ?? e.t, e.h ? e.t : "", e.x ?? "")));
    const all = hits.length ? "All matches for “" + question + "”" : "No page contains “" + question + "”";
    list.append(option(form.action + "?q=" + encodeURIComponent(question), list.children.length, all, "", ""));
    said.textContent = hits.length === 1 ? "1 match" : hits.length + " matches";
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
  };

  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { close(); return; }
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(list.children[at].dataset.address);
    }
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // keep the focus in the field
  list.addEventListener("click", (event) => {
    const chosen = event.target.closest("[role=option]");
    if (chosen) open(chosen.dataset.address);
  });
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });

  function open(address) {
    close();
    location.assign(address);
  }
  close();
  if (document.activeElement === input) show();
}

function option(address, i, heading, title, text) {
  const item = document.createElement("li");
  item.id = "match-" + i;
  item.setAttribute("role", "option");
  item.dataset.address = address;
  const name = document.createElement("strong");
  name.textContent = heading;
  item.append(name);
  for (const [tag, content] of [["span", title], ["small", text.length > 110 ? text.slice(0, 110) + " …" : text]]) {
    if (!content) continue;
    const part = document.createElement(tag);
    part.textContent = content;
    item.append(" ", part);
  }
  return item;
}
