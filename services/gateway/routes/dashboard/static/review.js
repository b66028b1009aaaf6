// Takes the next operation of a queue for whoever reviews; texts are put in as text.
"use strict";
(() => {
  const place = document.querySelector("[data-queue]");
  const part = (name) => place.querySelector(`[data-of="${name}"]`);
  const said = place.querySelector("[data-said]");

  function tell(text) {
    said.textContent = text;
    said.hidden = !text;
  }

  function shown(item) {
    const form = place.querySelector("form");
    form.hidden = item.operation_id === null;
    if (form.hidden) return tell("Nothing is left for you in this queue.");
    for (const name of ["operation_id", "model_id", "reason", "input", "output"]) {
      part(name).textContent = item[name] ?? "–";
    }
    form.reset();
    form.dataset.api = `${place.dataset.queue}/items/${encodeURIComponent(item.operation_id)}/review`;
    return tell("");
  }

  async function take() {
    const headers = { "X-Assay-CSRF": "1" };
    try {
      const answer = await fetch(`${place.dataset.queue}/next`, { method: "POST", headers, credentials: "same-origin" });
      const found = await answer.json();
      if (answer.ok) shown(found);
      else tell(found.detail);
    } catch {
      tell("The next operation could not be asked for. Take it once more.");
    }
  }

  place.querySelector("[data-take]").addEventListener("click", take);
  // Until the next one is there the form still holds the last one, which is sent once.
  document.addEventListener("assay:done", async (event) => {
    await take();
    event.detail.disabled = false;
  });
})();
