// Asks the browser for passkeys, and sends their answers with the form. A browser hands passkeys to scripts only.
"use strict";
(() => {
  const api = window.PublicKeyCredential;

  // Asks the server for a challenge, and the browser for the answer.
  async function ask(url, form) {
    const answer = await fetch(url, {
      method: "POST", headers: { "X-Fragment": "1" }, body: new URLSearchParams(new FormData(form)), credentials: "same-origin",
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(new DOMParser().parseFromString(text, "text/html").body.textContent.trim());
    const { publicKey } = JSON.parse(text);
    const got = publicKey.user
      ? await navigator.credentials.create({ publicKey: api.parseCreationOptionsFromJSON(publicKey) })
      : await navigator.credentials.get({ publicKey: api.parseRequestOptionsFromJSON(publicKey) });
    return JSON.stringify(got.toJSON());
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const { passkey: origin, prove, create } = form.dataset;
    const { proof, credential, code } = form.elements;
    const fault = form.querySelector("[data-passkey-fault]");
    const say = (text) => { fault.textContent = text; fault.hidden = !text; };
    const forget = () => { proof.value = credential.value = ""; };
    let busy = false;

    form.addEventListener("submit", async (e) => {
      const byCode = code?.value.trim();
      if (proof.value && !create || credential.value || byCode && !create) return;
      e.preventDefault();
      if (busy) return;
      if (location.origin !== origin) { say(`Passkeys work at ${origin} only. Open this page there.`); return; }
      if (!api?.parseRequestOptionsFromJSON) { say("This browser is too old for passkeys. Update it, or use another one."); return; }
      busy = true;
      say("");
      try {
        if (prove && !byCode) proof.value = await ask(prove, form);
        if (create) credential.value = await ask(create, form);
        form.requestSubmit(e.submitter);
      } catch (e) {
        forget();
        say({
          NotAllowedError: "The browser got no passkey: you cancelled, it took too long, or there is none for this site. Try again.",
          InvalidStateError: "This device already has a passkey for your account.",
          TypeError: "The server cannot be reached. Try again.",
        }[e.name] ?? e.message);
      }
      busy = false;
    });
    addEventListener("pageshow", (e) => { if (e.persisted) forget(); });
  }
})();
