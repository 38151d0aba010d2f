// Filters and opens verdicts that are in the page already; it makes no markup, so that no text can become any.
"use strict";
(() => {
  const MOST = 200; // verdicts that one click opens
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

  const open = () => {
    const closed = Array.from(document.querySelectorAll(".verdicts > li:not([hidden]) > details:not([open])"));
    for (const details of closed.slice(0, MOST)) details.open = true;
  };

  // In a page of many verdicts what stands below each is a template until it is opened.
  const unfold = (event) => {
    const folded = event.target.open && event.target.querySelector(":scope > template");
    if (folded) folded.replaceWith(folded.content);
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
  document.getElementById("open").addEventListener("click", open);
  document.getElementById("close").addEventListener("click", () => {
    for (const details of document.querySelectorAll(".verdicts details[open]")) details.open = false;
  });
  document.addEventListener("toggle", unfold, true);
  addEventListener("hashchange", target);
  form.hidden = false;
  filter();
  target();
})();
