// Sends files in parts, with progress. After a reload or without a connection it goes on where it ended. Without this script the
// browser sends the files as one form. On the page of a plan it keeps a person from importing without what they have just chosen.
"use strict";
(() => {
  document.addEventListener("change", (e) => {
    if (!e.target.closest("form[data-plan]")) return;
    document.querySelector("[data-plan-changed]").hidden = false;
    for (const b of document.querySelectorAll("form[data-plan-import] button")) b.disabled = true;
  });

  const form = document.querySelector("form[data-upload]");
  if (!form || !window.fetch) return;
  const partBytes = 1000 << 10; // proxies often limit a request to 1 MiB
  const input = form.querySelector("input[type=file]");
  const status = form.querySelector("[data-upload-status]");
  const most = Number(form.getAttribute("data-upload-max"));
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  let sending = false;

  const say = (text, bad) => {
    status.hidden = false;
    const p = document.createElement("p");
    p.className = bad ? "note bad" : "note";
    p.textContent = text;
    status.replaceChildren(p);
    return p;
  };
  const size = (n) => n < 1e6 ? Math.ceil(n / 1000) + " kB" : (n / 1e6).toFixed(1) + " MB";

  // One part. It returns how many bytes of the file the server has.
  async function send(file, offset) {
    const q = new URLSearchParams({ name: file.name, size: file.size, modified: file.lastModified, offset });
    const answer = await fetch(form.action + "?" + q, {
      method: "POST", headers: { "X-Fragment": "1", "Content-Type": "application/octet-stream" },
      body: file.slice(offset, offset + partBytes), credentials: "same-origin",
    });
    if (answer.ok) return (await answer.json()).received;
    if (answer.status === 409) return -1; // an earlier request still writes
    if (answer.status >= 500 && answer.status !== 503) throw new TypeError("the server is away"); // try again
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(page.body.textContent.trim());
  }

  async function sendFile(file, before, total) {
    let offset = 0;
    for (let failures = 0; ;) {
      const bar = document.createElement("progress");
      bar.max = total;
      bar.value = before + offset;
      bar.setAttribute("aria-label", "Sent");
      const text = file.name + ": " + size(offset) + " of " + size(file.size);
      if (!failures) say(text).after(bar);
      try {
        const received = await send(file, offset);
        failures = 0;
        if (received < 0) { await wait(1000); continue; }
        offset = received;
        if (offset >= file.size) return;
      } catch (e) {
        if (!(e instanceof TypeError)) throw e;
        failures++;
        say("The connection is lost. Trying again; " + text + " have arrived.", true);
        await wait(Math.min(10000, 1000 * failures));
      }
    }
  }

  form.addEventListener("submit", async (e) => {
    const files = [...input.files];
    e.preventDefault();
    if (!files.length || sending) return;
    const total = files.reduce((sum, f) => sum + f.size, 0);
    if (total > most) {
      say("The files are larger than the limit of " + form.getAttribute("data-upload-limit") + ". Compress them, or upload them in several steps.", true);
      return;
    }
    sending = true;
    const button = form.querySelector("button");
    button.disabled = input.disabled = true; // a file that is chosen now would not be sent
    try {
      let before = 0;
      for (const file of files) {
        await sendFile(file, before, total);
        before += file.size;
      }
      sending = false;
      const plan = document.createElement("form");
      plan.method = "post";
      plan.action = form.getAttribute("data-upload-plan");
      document.body.append(plan);
      plan.submit();
    } catch (e) {
      say(e.message, true);
      sending = false;
      button.disabled = input.disabled = false;
    }
  });
  addEventListener("beforeunload", (e) => { if (sending) e.preventDefault(); });
  addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); }); // the files may have arrived since

  // Beside the field a browser would open the files in place of the page.
  for (const type of ["dragover", "drop"]) {
    addEventListener(type, (e) => {
      if (e.target === input && !sending) return;
      e.preventDefault();
      if (type === "drop" && !sending && e.dataTransfer.files.length) input.files = e.dataTransfer.files;
    });
  }
})();
