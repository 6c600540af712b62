// Asks the browser for a passkey: to sign in, to make one, to confirm an order. Without it these buttons stay hidden.
"use strict";

const able = () => window.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined;
const said = (form, text) => { const line = form.querySelector("[role=alert]"); line.textContent = text; line.hidden = !text; };

async function answer(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
  return JSON.stringify((await navigator.credentials.get({ publicKey })).toJSON());
}

async function made(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options));
  return JSON.stringify((await navigator.credentials.create({ publicKey })).toJSON());
}

const asks = {
  async "sign-in"(form) {
    const asked = await (await fetch("/sign-in/question", { method: "POST" })).json();
    const body = JSON.stringify({ handle: asked.handle, response: await answer(asked.options) });
    const told = await (await fetch("/sign-in/passkey", { method: "POST", body })).json();
    if (told.to) location.assign(told.to); else said(form, told.refusal);
  },
  async confirm(form) {
    form.elements.response.value = await answer(form.dataset.options);
    form.submit();
  },
  async add(form) {
    form.elements.passkey.value = await made(form.dataset.options);
    form.submit();
  },
  async make(form) {
    form.elements.passkey.value = await made(form.dataset.options);
    form.querySelector("[data-made]").hidden = false;
    form.querySelector("[data-passkey]").hidden = true;
  },
};

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!able()) continue;
  button.hidden = false;
  document.querySelectorAll("[data-no-passkey]").forEach((element) => { element.hidden = true; });
  button.addEventListener("click", async () => {
    said(button.form, "");
    button.disabled = true;
    try { await asks[button.dataset.passkey](button.form); }
    catch (fault) { said(button.form, button.form.dataset.failed); }
    button.disabled = false;
  });
}
