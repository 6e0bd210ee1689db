// Progressive enhancement: copy buttons, one sample language on all pages, "/" focuses the search.
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

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("q").focus();
});

const here = document.querySelector(".contents a[aria-current]");
if (here) {
  const contents = here.closest(".contents");
  contents.scrollTop = Math.max(0, here.offsetTop - contents.offsetTop - contents.clientHeight / 2);
}
