// Pages that answer while a form is filled in: the search, its facet values, and a new export. Without this script they are plain
// forms and links.
"use strict";
(() => {
  const { put, get } = window.capi;
  const root = document.documentElement;
  const byID = (id) => document.getElementById(id);
  const form = document.querySelector("form[data-live]");
  const here = () => location.pathname + location.search;

  const paramsOf = (all) => {
    const params = new URLSearchParams();
    for (const el of form.elements) {
      if (!el.name || el.disabled || el.value === "" || el.type === "submit" || el.tagName === "FIELDSET") continue;
      if ((el.type === "checkbox" || el.type === "radio") && !el.checked) continue;
      if (el.hasAttribute("data-later") && !all) continue;
      params.append(el.name, el.value);
    }
    return params;
  };
  const address = (params) => {
    const q = params.toString();
    return (form.getAttribute("data-live") || form.action).split("?")[0] + (q ? "?" + q : "");
  };

  // ---- loading: the old results stay, dimmed, until the new ones are there ----

  let running = null;
  let timer = 0;
  let typing = false; // the newest history entry is of what is being typed
  let shown = here();
  let failed = null; // what to load again

  // how is "word" (a word of the query is being typed), "typing" (in another field), "typed" (the end of it), "filter" or "back".
  // Typing makes one history entry, every other filter its own.
  async function load(url, how, cleared = []) {
    clearTimeout(timer);
    running?.abort();
    const mine = (running = new AbortController());
    root.classList.add("busy");
    let got;
    try {
      got = await get(url, mine.signal, how === "word" ? "typing" : "1");
    } catch (e) {
      if (e.name !== "AbortError") lost("No connection.", url, how, cleared);
      return;
    } finally {
      if (running === mine) { running = null; root.classList.remove("busy"); }
    }
    if (mine.signal.aborted) return;
    if (got.status === 401) { location.assign(url); return; }
    const types = how === "word" || how === "typing";
    if (types && got.header("X-Matches") === "0") {
      // Half a word often matches nothing. The old results stay until the person pauses.
      root.classList.add("busy");
      timer = setTimeout(() => load(url, "typed"), 900);
      return;
    }
    if (!put(got.html)) {
      const said = new DOMParser().parseFromString(got.html, "text/html").body.textContent.trim();
      lost(said || `The server answered with an error (${got.status}).`, url, how, cleared);
      return;
    }
    lost("");
    for (const el of cleared) el.value = "";
    remember(got.header("X-Address") || url, how);
    if (results) changed();
  }

  function remember(url, how) {
    const to = new URL(url, location.href);
    const same = to.pathname + to.search === here();
    const replace = same || how === "back" || (typing && how !== "filter");
    history[replace ? "replaceState" : "pushState"](null, "", to);
    typing = (how === "word" || how === "typing") && (typing || !same);
    shown = here();
  }

  function lost(text, ...again) {
    const box = byID("lost");
    failed = text ? again : null;
    if (!box) return;
    box.hidden = !text;
    box.querySelector("span").textContent = text;
    root.classList.toggle("stale", Boolean(text));
  }
  const retry = () => failed && load(...failed);
  byID("lost")?.querySelector("button").addEventListener("click", retry);
  addEventListener("online", retry);

  const query = form?.id === "search" ? byID("query") : null;
  // The last word is the beginning of one only while it is typed, unless the address says so.
  const whole = (params, field) => {
    if (query && (field === query || !new URLSearchParams(location.search).has("prefix"))) params.delete("prefix");
    return params;
  };
  const soon = (ms, how, field) => {
    clearTimeout(timer);
    timer = setTimeout(() => load(address(whole(paramsOf(false), field)), how), ms);
  };
  const isText = (el) => /^(text|search|number|email|url)$/.test(el.type);

  document.addEventListener("input", (e) => {
    const el = e.target;
    if (el.form === form && isText(el) && !el.hasAttribute("data-later")) soon(80, el === query ? "word" : "typing", el);
  });
  document.addEventListener("change", (e) => {
    const el = e.target;
    if (el.form !== form || el.hasAttribute("data-later")) return;
    // Later than the click that took the focus away: its target must still be there.
    if (isText(el)) soon(250, "typed", el);
    else soon(el.type === "checkbox" ? 60 : 0, "filter");
  });
  form?.addEventListener("submit", (e) => {
    if (e.submitter?.hasAttribute("formaction") || form.method !== "get") return;
    e.preventDefault();
    const later = [...form.querySelectorAll("[data-later]")];
    const added = later.some((el) => el.value !== "") || Boolean(e.submitter?.name);
    const params = whole(paramsOf(true), added ? null : document.activeElement);
    if (e.submitter?.name) params.append(e.submitter.name, e.submitter.value);
    load(address(params), added ? "filter" : "typed", later);
  });

  // Links that change a part of the search, and the Back and Forward buttons.
  function follow(url, how) {
    const params = new URL(url, location.href).searchParams;
    for (const el of form.elements) {
      if (!el.name || el.hasAttribute("data-later") || !isText(el) || el.closest("[data-region]")) continue;
      el.value = params.get(el.name) ?? "";
    }
    return load(url, how);
  }
  if (form) {
    document.addEventListener("click", async (e) => {
      const link = e.target.closest("a[data-live]");
      if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || e.button) return;
      e.preventDefault();
      const top = link.hasAttribute("data-top");
      await follow(link.href, "filter");
      if (top) byID("results")?.scrollIntoView({ block: "nearest" });
    });
    addEventListener("popstate", () => {
      if (here() === shown) return; // only the fragment changed
      typing = false;
      follow(location.href, "back");
    });
  }

  // ---- completing what is typed into a filter (WAI-ARIA combobox) ----

  function combobox(input) {
    const box = byID(input.getAttribute("aria-controls"));
    let options = [];
    let at = -1;
    let wait = 0;
    let asking = null;

    const close = () => {
      clearTimeout(wait);
      asking?.abort();
      box.hidden = true;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const choose = (i) => {
      input.value = options[i].value;
      close();
      input.form.requestSubmit();
    };
    const mark = (i) => {
      at = i;
      [...box.children].forEach((el, n) => el.setAttribute("aria-selected", n === i ? "true" : "false"));
      if (i >= 0) {
        input.setAttribute("aria-activedescendant", box.children[i].id);
        box.children[i].scrollIntoView({ block: "nearest" });
      } else input.removeAttribute("aria-activedescendant");
    };
    const show = (found) => {
      options = found;
      box.replaceChildren(...found.map((o, i) => {
        const li = document.createElement("li");
        const value = document.createElement("span");
        const count = document.createElement("span");
        li.id = box.id + "-" + i;
        li.setAttribute("role", "option");
        value.textContent = o.label || o.value;
        value.dir = "auto";
        count.textContent = o.count;
        count.className = "quiet";
        li.append(value, count);
        li.addEventListener("mousedown", (e) => { e.preventDefault(); choose(i); });
        return li;
      }));
      box.hidden = found.length === 0;
      input.setAttribute("aria-expanded", String(found.length > 0));
      mark(-1);
    };
    const ask = async () => {
      asking?.abort();
      asking = new AbortController();
      const params = paramsOf(false);
      params.set("facet", input.getAttribute("data-complete"));
      params.set("begins", input.value);
      try {
        const answer = await fetch(form.getAttribute("data-complete-at") + "?" + params, {
          headers: { "X-Fragment": "1" }, signal: asking.signal, credentials: "same-origin",
        });
        if (answer.ok && document.activeElement === input) show(await answer.json());
      } catch { /* typed on, or offline: the field works without */ }
    };

    input.addEventListener("input", () => {
      clearTimeout(wait);
      if (input.value.trim() === "") { close(); return; }
      wait = setTimeout(ask, 120);
    });
    input.addEventListener("keydown", (e) => {
      if (box.hidden) return;
      if (e.key === "ArrowDown") mark((at + 1) % options.length);
      else if (e.key === "ArrowUp") mark(at <= 0 ? options.length - 1 : at - 1);
      else if (e.key === "Escape") close();
      else if (e.key === "Enter" && at >= 0) choose(at);
      else return;
      e.preventDefault();
    });
    input.addEventListener("blur", close);
  }
  document.querySelectorAll("input[data-complete]").forEach(combobox);

  // ---- the rows: selection, the one that is open, and the keys ----

  const results = byID("results");
  if (!results) return;
  const boxes = () => [...results.querySelectorAll("input[type=checkbox][name=company]")];
  let last = -1; // the row that was ticked last, for a range with Shift
  const picked = new Set(); // the ticked companies of every page of this search
  let searched = "";

  function selected() {
    const bar = byID("picked");
    if (!bar) return;
    const all = bar.elements.all.checked;
    for (const b of boxes()) b.checked ? picked.add(b.value) : picked.delete(b.value);
    const n = boxes().filter((b) => b.checked).length;
    const page = byID("page-rows");
    page.checked = n > 0 && n === boxes().length;
    page.indeterminate = n > 0 && !page.checked;
    bar.classList.toggle("on", all || picked.size > 0);
    const elsewhere = picked.size > n ? `, ${picked.size - n} on other pages` : "";
    byID("picked-count").textContent = all ? "All selected" : picked.size ? picked.size + " selected" + elsewhere : "";
    for (const b of boxes()) b.disabled = all;
  }

  // Rows stay selected on other pages and in another order, until the filters change.
  function keepPicked() {
    const params = new URLSearchParams(location.search);
    for (const name of ["cursor", "company", "sort_by", "sort_order", "saved"]) params.delete(name);
    if (searched !== params.toString()) picked.clear();
    searched = params.toString();
    const bar = byID("picked");
    if (!bar) return;
    for (const el of bar.querySelectorAll("input[type=hidden][name=company]")) el.remove();
    for (const b of boxes()) b.checked ||= picked.has(b.value);
    const here = new Set(boxes().map((b) => b.value));
    for (const value of picked) {
      if (here.has(value)) continue;
      const el = document.createElement("input");
      Object.assign(el, { type: "hidden", name: "company", value });
      bar.append(el);
    }
  }
  results.addEventListener("change", (e) => {
    if (e.target.id === "page-rows") for (const b of boxes()) b.checked = e.target.checked;
    selected();
  });
  results.addEventListener("click", (e) => {
    if (e.target.id === "picked-clear") {
      picked.clear();
      for (const b of [...boxes(), byID("picked").elements.all]) b.checked = false;
      keepPicked();
      selected();
    }
    if (e.target.name !== "company") return;
    const at = boxes().indexOf(e.target);
    if (e.shiftKey && last >= 0) {
      for (const b of boxes().slice(Math.min(at, last), Math.max(at, last) + 1)) b.checked = e.target.checked;
      selected();
    }
    last = at;
  });

  // A company opens beside the list. Its link leads to its own page, as it does in a new tab.
  results.addEventListener("click", async (e) => {
    const link = e.target.closest("a.name");
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || e.button) return;
    e.preventDefault();
    const url = new URL(location.href);
    url.hash = "";
    url.searchParams.set("company", link.pathname.split("/").pop());
    if (byID("kept").querySelector("[name=prefix]")) url.searchParams.set("prefix", "true"); // as the list is now
    await load(url.href, "filter");
    byID("company").querySelector("h2")?.focus({ preventScroll: true });
  });

  const rows = () => [...results.querySelectorAll("tbody tr")];
  const nameIn = (row) => row?.querySelector("a.name");
  function changed() {
    last = -1;
    const open = new URLSearchParams(location.search).get("company");
    for (const row of rows()) row.classList.toggle("open", nameIn(row).pathname.endsWith("/" + open));
    keepPicked();
    selected();
  }
  changed();

  const dialog = byID("keys");
  function step(by) {
    const link = byID(by > 0 ? "company-next" : "company-previous");
    if (byID("company")?.firstElementChild) { link?.click(); return; }
    const at = rows().indexOf(document.activeElement?.closest("#results tr"));
    nameIn(rows()[at < 0 ? 0 : Math.min(rows().length - 1, Math.max(0, at + by))])?.focus();
  }
  const keys = {
    "/": () => { byID("query").focus(); byID("query").select(); },
    e: () => document.querySelector("#price a.primary")?.click(),
    j: () => step(1),
    k: () => step(-1),
    x: () => document.activeElement?.closest("#results tr")?.querySelector("input").click(),
    "?": () => dialog.showModal(),
    Escape: () => byID("company-close")?.click(),
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || dialog.open) return;
    const el = e.target;
    const writes = el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) && el.type !== "checkbox";
    if (writes || el.closest("details.menu[open]") || !Object.hasOwn(keys, e.key)) return;
    e.preventDefault();
    keys[e.key]();
  });
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  document.querySelector("[data-keys]")?.addEventListener("click", () => dialog.showModal());
})();
