/*
 * What script adds to the pages. Everything works without it: here are conveniences that no form depends on. Texts come with
 * the page, in data attributes.
 */
"use strict";

// A password is shown for half a minute at most, and never while it is sent.
const SHOWN = 30000;

for (const field of document.querySelectorAll("input[data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-small reveal";
  button.setAttribute("aria-controls", field.id);
  const status = document.createElement("p");
  status.className = "unseen";
  status.setAttribute("role", "status");
  let timer;

  const show = (shown) => {
    clearTimeout(timer);
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? field.dataset.hide : field.dataset.show;
    status.textContent = shown ? field.dataset.shown : "";
    if (shown) {
      timer = setTimeout(() => show(false), SHOWN);
    }
  };

  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
  show(false);
  field.after(button, status);
}
