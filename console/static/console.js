// Makes pages live. Without it, every page works by links and forms.
"use strict";

// The slider and choices that say so send their form when they change.
document.addEventListener("change", (event) => {
  const field = event.target.closest("[data-submit-on-change]");
  if (field) field.form.requestSubmit();
});

// The position shows while the slider moves.
document.addEventListener("input", (event) => {
  const slider = event.target.closest("#as-of-position");
  const shown = slider && slider.form.querySelector("[data-position]");
  if (shown) shown.textContent = slider.value;
});

// Copy buttons show only where they can do something.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

document.documentElement.classList.add("scripts");
