// Filters and opens verdicts that are in the page already; it makes no markup, so that no text can become any.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const words = document.getElementById("words");
  const shown = document.getElementById("shown");
  const items = Array.from(document.querySelectorAll(".verdicts > li"), (item) => ({
    item,
    kind: item.dataset.kind,
    state: item.dataset.state,
    text: Array.from(item.querySelectorAll(".test, .check"), (part) => part.textContent.toLowerCase()).join("\n"),
  }));

  const chosen = (name) =>
    new Set(Array.from(form.querySelectorAll(`input[name="${name}"]:checked`), (box) => box.value));

  const filter = () => {
    const kinds = chosen("kind");
    const states = chosen("state");
    const wanted = words.value.trim().toLowerCase();
    let count = 0;
    for (const { item, kind, state, text } of items) {
      const fits = kinds.has(kind) && states.has(state) && text.includes(wanted);
      if (item.hidden === fits) item.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${items.length} verdicts shown`;
  };

  const open = (which) => {
    for (const { item } of items) {
      const details = item.querySelector("details");
      if (details && which(item)) details.open = true;
    }
  };

  const target = () => {
    const item = document.getElementById(location.hash.slice(1));
    const details = item && item.querySelector("details");
    if (details && item.matches(".verdicts > li")) details.open = true;
  };

  let waiting = 0;
  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  });
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("open").addEventListener("click", () => open((item) => !item.hidden));
  document.getElementById("close").addEventListener("click", () => {
    for (const details of document.querySelectorAll(".verdicts details[open]")) details.open = false;
  });
  addEventListener("hashchange", target);
  form.hidden = false;
  filter();
  target();
})();
