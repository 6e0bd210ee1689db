// Keeps the fields of a request's body and its JSON in step.
"use strict";

// How the text of a field is read, and how a value is written as text. What is read from the text of a value must be that value.
const kinds = {
  text: { read: (text) => text, write: String },
  choice: { read: (text) => text, write: String },
  boolean: { read: (text) => text === "true", write: String },
  number: {
    read(text) {
      const value = Number(text);
      if (!Number.isFinite(value)) throw new Error("This is not a number.");
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Error("This number is too large for the form: write it in the JSON.");
      return value;
    },
    write: String,
  },
  // One value a line, or separated by commas on a single line. The line end after a value with a comma makes it a line.
  list: {
    read(text) {
      const values = text.split(text.includes("\n") ? "\n" : ",").map((value) => value.trim()).filter(Boolean);
      return values.length > 0 ? values : undefined;
    },
    write: (values) => (values.some((value) => value.includes(",")) ? values.join("\n") + "\n" : values.join(", ")),
  },
  json: {
    read(text) {
      try {
        return JSON.parse(text);
      } catch (error) {
        throw new Error("This is not JSON: " + error.message + ".", { cause: error });
      }
    },
    write: (value) => JSON.stringify(value, null, 2),
  },
};

function isObject(value) { return Object.prototype.toString.call(value) === "[object Object]"; }

// bodyOf returns the body of the form; undefined if its operation has none.
function bodyOf(form) {
  const json = form.querySelector("#in-body"), note = form.querySelector("#body-note"), fields = form.querySelector("fieldset.body");
  if (!json) return undefined;
  const controls = [...fields.querySelectorAll("[data-kind]")].map((element) => (
    { element, name: element.id.slice("body-".length), kind: kinds[element.dataset.kind], hint: element.placeholder, wrong: "" }));

  // read returns the object; it throws what is wrong with the JSON.
  function read() {
    const value = JSON.parse(json.value);
    if (!isObject(value)) throw new Error("it must begin with {");
    return value;
  }

  function write(value) {
    json.value = JSON.stringify(value, null, 2);
    json.rows = Math.min(json.value.split("\n").length, 20);
  }

  // follow shows the object in the fields. While the JSON is not an object, they stay as they are and cannot be changed.
  function follow() {
    let all;
    try { all = read(); } catch { /* the note says so */ }
    fields.disabled = !all;
    note.textContent = all ? "" : "Not a JSON object. The fields above stay as they are until it is one.";
    if (!all) {
      json.setAttribute("aria-invalid", "true");
      return;
    }
    json.removeAttribute("aria-invalid");
    for (const control of controls) show(control, Object.hasOwn(all, control.name) ? all[control.name] : undefined);
  }

  function show(control, value) {
    const { element, kind, hint } = control;
    mark(control, "");
    let shown = value === undefined;
    element.value = "";
    if (!shown) {
      try {
        element.value = kind.write(value);
        shown = element.value !== "" && JSON.stringify(kind.read(element.value)) === JSON.stringify(value);
      } catch { /* a value of another type */ }
    }
    if (!shown) {
      element.value = "";
      if (element.options) element.selectedIndex = -1;
    }
    if (!element.options) element.placeholder = shown ? hint : "set in the JSON below";
    grow(element);
  }

  // take sets the field in the JSON, or removes it if it is empty.
  function take(control) {
    const { element, kind, name, hint } = control;
    let value;
    try {
      if (element.value.trim()) value = kind.read(element.value);
    } catch (error) {
      mark(control, error.message);
      return;
    }
    mark(control, "");
    if (!element.options) element.placeholder = hint;
    grow(element);
    const all = read();
    if (value === undefined) delete all[name];
    else all[name] = value;
    write(all);
  }

  function grow(element) {
    if (element.rows) element.rows = Math.min(element.value.split("\n").length, 8);
  }

  function mark(control, wrong) {
    const { element, name } = control, id = "wrong-" + name;
    control.wrong = wrong;
    let line = document.getElementById(id);
    if (!line && !wrong) return;
    if (!line) {
      line = document.createElement("p");
      line.id = id;
      line.className = "wrong";
      line.setAttribute("role", "status");
      element.after(line);
      element.setAttribute("aria-describedby", id + " " + element.getAttribute("aria-describedby"));
    }
    line.textContent = wrong && wrong + " The body below does not have it.";
    if (wrong) element.setAttribute("aria-invalid", "true");
    else element.removeAttribute("aria-invalid");
  }

  form.addEventListener("input", (event) => {
    const control = controls.find(({ element }) => element === event.target);
    if (control) take(control);
    else if (event.target === json) follow();
  });
  follow();
  return {
    text: () => json.value,
    read,
    set(value) {
      write(value);
      follow();
    },
    // fault returns what cannot be sent, and the element to correct; undefined if there is nothing.
    fault() {
      try { read(); } catch (error) { return { element: json, message: "The body is not a JSON object: " + error.message + "." }; }
      const control = controls.find(({ wrong }) => wrong);
      return control && { element: control.element, message: control.name + ": " + control.wrong };
    },
  };
}
