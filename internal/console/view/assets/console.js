// What the pages do beyond plain forms and links. Everything works without this script; it only makes it faster.
"use strict";
(() => {
  document.documentElement.classList.add("js");

  // ---- fragments: elements with an id and data-region are replaced by the same elements of an answer ----

  const keyOf = (el) => {
    if (!el || el === document.body) return null;
    if (el.id) return "#" + CSS.escape(el.id);
    if (el.name) return `[name="${CSS.escape(el.name)}"][value="${CSS.escape(el.value)}"]`;
    return null;
  };

  // What the server sent last for each region. A region that is sent again unchanged is left alone, with what a person did in it.
  const sent = new WeakMap();
  for (const region of document.querySelectorAll("[data-region]")) sent.set(region, region.innerHTML);

  function put(html) {
    const parts = new DOMParser().parseFromString(html, "text/html").querySelectorAll("[data-region]");
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (!old || sent.get(old) === part.innerHTML) continue;
      sent.set(old, part.innerHTML);
      const focused = old.contains(document.activeElement);
      const focus = focused && keyOf(document.activeElement);
      const open = [...old.querySelectorAll("details[id][open]")].map((d) => d.id);
      old.replaceChildren(...part.childNodes);
      for (const id of open) { const d = document.getElementById(id); if (d) d.open = true; }
      if (!focused) continue;
      const target = (focus && old.querySelector(focus)) || old.querySelector("a[href], button, input:not([type=hidden])") || document.getElementById("query");
      target?.focus({ preventScroll: true });
    }
    return parts.length > 0;
  }

  async function get(url, signal, kind = "1") {
    const answer = await fetch(url, { headers: { "X-Fragment": kind }, signal, credentials: "same-origin" });
    return { html: await answer.text(), status: answer.status, header: (name) => answer.headers.get(name) };
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
  // The server shows times in this zone.
  const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone ?? "");
  document.cookie = `capi_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax` + (location.protocol === "https:" ? "; Secure" : "");

  document.querySelectorAll("[data-events]").forEach(progress);
  const gone = document.querySelector("[data-address]"); // a page whose form must not be sent again
  if (gone) history.replaceState(null, "", gone.getAttribute("data-address"));
  window.capi = { put, get }; // for live.js

  // ---- the palette ----

  const palette = document.querySelector("[data-palette]");
  const jump = async (e) => {
    e.preventDefault();
    try { (await import(palette.dataset.palette)).open(palette.pathname); } catch { location.assign(palette.href); }
  };
  palette?.addEventListener("click", (e) => { if (!e.ctrlKey && !e.metaKey && !e.shiftKey) jump(e); });
  document.addEventListener("keydown", (e) => {
    if (palette && (e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === "k") jump(e);
  });
})();
