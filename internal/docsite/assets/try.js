// The interactive reference: Swagger UI from this server, loaded on demand, with the token of the reader.
"use strict";

const form = document.getElementById("try");
const place = document.getElementById("swagger");
const kept = "capi-token";

form.hidden = false;
try { form.token.value = sessionStorage.getItem(kept) ?? ""; } catch { /* no storage: the token is typed again */ }

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try { sessionStorage.setItem(kept, form.token.value.trim()); } catch { /* no storage: the token is typed again */ }
  try {
    await open();
  } catch (error) {
    place.textContent = "The interactive reference could not be loaded: " + error.message;
  }
});

let opened;

function open() {
  opened ??= load();
  return opened.then((ui) => ui.preauthorizeApiKey("token", form.token.value.trim()), (error) => {
    opened = undefined;
    throw error;
  });
}

async function load() {
  place.textContent = "Loading interactive reference…";
  const [answer] = await Promise.all([fetch(form.dataset.document), style(form.dataset.sheet), script(form.dataset.bundle)]);
  if (!answer.ok) throw new Error("HTTP " + answer.status);
  const spec = only(await answer.json(), form.dataset.operation);
  place.textContent = "";
  return new Promise((done) => {
    const ui = SwaggerUIBundle({
      spec, domNode: place, validatorUrl: null, tryItOutEnabled: true, deepLinking: false,
      docExpansion: form.dataset.operation ? "full" : "list", defaultModelsExpandDepth: -1,
      onComplete: () => done(ui),
    });
  });
}

// only is the document with one operation; without a name it stays whole.
function only(spec, operation) {
  if (!operation) return spec;
  delete spec.tags; // those of the operations that go
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const method of Object.keys(methods)) {
      if (methods[method].operationId !== operation) delete methods[method];
    }
    if (Object.keys(methods).length === 0) delete spec.paths[path];
  }
  return spec;
}

function style(address) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  return added(link);
}

function script(address) {
  const element = document.createElement("script");
  element.src = address;
  return added(element);
}

function added(element) {
  return new Promise((done, failed) => {
    element.addEventListener("load", done);
    element.addEventListener("error", () => failed(new Error("a file of it is missing")));
    document.head.append(element);
  });
}
