// What the pages do beyond plain forms and links. Everything works without this script; it only makes it faster.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // ---- fragments: elements with an id and data-region are replaced by the same elements of an answer ----

  const keyOf = (el) => {
    if (!el || el === document.body) return null;
    if (el.id) return "#" + CSS.escape(el.id);
    if (el.name) return `[name="${CSS.escape(el.name)}"][value="${CSS.escape(el.value)}"]`;
    return null;
  };

  function put(html) {
    const parts = new DOMParser().parseFromString(html, "text/html").querySelectorAll("[data-region]");
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (!old) continue;
      const focus = old.contains(document.activeElement) ? keyOf(document.activeElement) : null;
      old.replaceChildren(...part.childNodes);
      if (focus) old.querySelector(focus)?.focus({ preventScroll: true });
    }
    return parts.length > 0;
  }

  async function get(url, signal) {
    const answer = await fetch(url, { headers: { "X-Fragment": "1" }, signal, credentials: "same-origin" });
    return { html: await answer.text(), address: answer.headers.get("X-Address") };
  }

  // ---- forms that answer while they are filled in ----

  const paramsOf = (form, all) => {
    const params = new URLSearchParams();
    for (const el of form.elements) {
      if (!el.name || el.disabled || el.value === "" || el.type === "submit" || el.tagName === "FIELDSET") continue;
      if ((el.type === "checkbox" || el.type === "radio") && !el.checked) continue;
      if (el.hasAttribute("data-later") && !all) continue;
      params.append(el.name, el.value);
    }
    return params;
  };

  function live(form) {
    let running = null;
    let timer = 0;

    async function load(url, { push = false, cleared = [] } = {}) {
      clearTimeout(timer);
      running?.abort();
      const mine = (running = new AbortController());
      root.classList.add("busy");
      try {
        const got = await get(url, mine.signal);
        if (!put(got.html)) { location.assign(url); return; }
        url = got.address || url;
        for (const el of cleared) el.value = "";
        history[push ? "pushState" : "replaceState"](null, "", url);
      } catch (e) {
        if (e.name !== "AbortError") location.assign(url);
        return;
      } finally {
        if (running === mine) { running = null; root.classList.remove("busy"); }
      }
    }

    const address = (params) => {
      const q = params.toString();
      return form.action.split("?")[0] + (q ? "?" + q : "");
    };
    const soon = (ms) => { clearTimeout(timer); timer = setTimeout(() => load(address(paramsOf(form, false))), ms); };

    document.addEventListener("input", (e) => {
      if (e.target.form !== form) return;
      if (e.target.hasAttribute("data-later") || e.target.type === "checkbox" || e.target.type === "radio") return;
      soon(250);
    });
    document.addEventListener("change", (e) => {
      if (e.target.form === form && !e.target.hasAttribute("data-later")) soon(e.target.type === "checkbox" ? 60 : 0);
    });
    form.addEventListener("submit", (e) => {
      if (e.submitter?.hasAttribute("formaction") || form.method !== "get") return;
      e.preventDefault();
      const params = paramsOf(form, true);
      if (e.submitter?.name) params.append(e.submitter.name, e.submitter.value);
      load(address(params), { cleared: form.querySelectorAll("[data-later]") });
    });

    // Links that remove a filter, and the Back button.
    const follow = (url, push) => {
      const params = new URL(url, location.href).searchParams;
      for (const el of form.elements) {
        if (!el.name || el.hasAttribute("data-later") || !/^(text|search|number|select-one)$/.test(el.type)) continue;
        el.value = params.get(el.name) ?? "";
      }
      load(url, { push });
    };
    document.addEventListener("click", (e) => {
      const link = e.target.closest("a[data-live]");
      if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
      e.preventDefault();
      follow(link.href, true);
    });
    addEventListener("popstate", () => follow(location.href, false));
  }

  // ---- completing what is typed into a filter (WAI-ARIA combobox) ----

  function combobox(input) {
    const box = document.getElementById(input.getAttribute("aria-controls"));
    let options = [];
    let at = -1;
    let timer = 0;
    let running = null;

    const close = () => {
      clearTimeout(timer);
      running?.abort();
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
      running?.abort();
      running = new AbortController();
      const params = paramsOf(input.form, false);
      params.set("facet", input.getAttribute("data-complete"));
      params.set("prefix", input.value);
      try {
        const answer = await fetch(input.form.getAttribute("data-complete-at") + "?" + params, {
          headers: { "X-Fragment": "1" }, signal: running.signal, credentials: "same-origin",
        });
        if (answer.ok && document.activeElement === input) show(await answer.json());
      } catch { /* typed on, or offline: the field works without */ }
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      if (input.value.trim() === "") { close(); return; }
      timer = setTimeout(ask, 120);
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

  // ---- the progress of an export: a stream, or polling if the browser has no EventSource ----

  function progress(box) {
    const url = box.getAttribute("data-events");
    const over = () => !box.querySelector("[data-running]");
    let polling = 0;
    const poll = () => {
      polling ||= setInterval(async () => {
        try { put((await get(location.href)).html); } catch { return; }
        if (over()) clearInterval(polling);
      }, 2000);
    };
    if (over()) return;
    if (!window.EventSource) { poll(); return; }
    let failures = 0;
    const events = new EventSource(url);
    events.addEventListener("page", (e) => {
      failures = 0;
      put(e.data);
      if (over()) events.close();
    });
    events.addEventListener("end", () => events.close());
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED || ++failures > 3) { events.close(); poll(); }
    });
    addEventListener("pagehide", () => events.close());
  }

  // ---- small things ----

  document.addEventListener("click", async (e) => {
    const button = e.target.closest("button[data-copy]");
    if (button) {
      const from = document.getElementById(button.getAttribute("data-copy").replace(/^#/, ""));
      const said = document.getElementById("said");
      try {
        await navigator.clipboard.writeText(from.textContent);
        if (said) said.textContent = "Copied.";
        const label = button.textContent;
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = label; if (said) said.textContent = ""; }, 2000);
      } catch {
        getSelection().selectAllChildren(from);
      }
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(e.target)) menu.open = false;
  });
  document.addEventListener("keydown", (e) => {
    const menu = e.key === "Escape" && document.activeElement?.closest("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("submit", (e) => {
    if (!e.target.hasAttribute("data-once") || e.defaultPrevented) return;
    // Only after the form was read: a disabled button would not be sent.
    setTimeout(() => { for (const b of e.target.querySelectorAll("button")) b.disabled = true; }, 0);
  });
  addEventListener("pageshow", (e) => {
    if (e.persisted) for (const b of document.querySelectorAll("form[data-once] button")) b.disabled = false;
  });
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  document.addEventListener("mouseover", (e) => {
    const time = e.target.closest?.("time[datetime]:not([title])");
    if (time) time.title = local.format(new Date(time.dateTime));
  });

  document.querySelectorAll("form[data-live]").forEach(live);
  document.querySelectorAll("input[data-complete]").forEach(combobox);
  document.querySelectorAll("[data-events]").forEach(progress);
  const gone = document.querySelector("[data-address]"); // a page whose form must not be sent again
  if (gone) history.replaceState(null, "", gone.getAttribute("data-address"));
})();
