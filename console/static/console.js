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

// A time machine that plays steps by itself, until somebody presses something.
const step = document.querySelector("[data-follow]");
if (step) {
  const timer = setTimeout(() => location.assign(step.href), Number(step.dataset.follow));
  for (const kind of ["pointerdown", "click", "keydown"]) document.addEventListener(kind, () => clearTimeout(timer));
}

// A file can be dropped on its form, and a long upload shows how far it is.
for (const form of document.querySelectorAll("form[data-drop]")) {
  const field = form.querySelector("input[type=file]");
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const shown = form.querySelector("progress");
    const sending = new XMLHttpRequest();
    shown.hidden = false;
    sending.upload.onprogress = (told) => { shown.value = told.loaded / told.total; };
    sending.onload = () => {
      if (sending.responseURL !== form.action) { location.assign(sending.responseURL); return; }
      const page = new DOMParser().parseFromString(sending.responseText, "text/html");
      const told = page.getElementById("refusal"); // the form stays as it was typed, its file too
      if (!told) { form.submit(); return; }
      document.getElementById("refusal").replaceWith(told);
      told.scrollIntoView();
      shown.hidden = true;
    };
    sending.onerror = () => form.submit();
    sending.open("POST", form.action);
    sending.send(new FormData(form));
  });
}
document.documentElement.classList.add("scripts");
