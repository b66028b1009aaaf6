// Forms that change while they are filled in: choices with fields of their own, rows that come and go.
"use strict";
(() => {
  // What belongs to a choice that was not made is neither seen nor sent nor judged.
  function fit(form) {
    for (const part of form.querySelectorAll("[data-for]")) {
      const fits = part.dataset.for.split(" ").some((id) => document.getElementById(id).checked);
      for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = !fits;
    }
  }

  // A browser that comes back to a page puts choices back without a word.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-api]").forEach(fit));
  document.addEventListener("change", ({ target }) => { if (target.type === "radio" && target.form) fit(target.form); });

  // Another row like the last one, with nothing in it; what describes a field goes on describing it.
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-add]");
    if (!button) return;
    const last = [...button.form.querySelectorAll(button.dataset.add)].at(-1);
    const one = last.cloneNode(true);
    for (const said of one.querySelectorAll("[id]")) {
      const field = one.querySelector(`[aria-describedby="${said.id}"]`);
      said.id += "-";
      said.hidden = true;
      field?.setAttribute("aria-describedby", said.id);
    }
    for (const field of one.querySelectorAll("input")) {
      delete field.dataset.kept;
      if (field.matches("[type=checkbox], [type=radio]")) field.checked = false;
      else field.value = "";
    }
    last.after(one);
    one.querySelector("input, select").focus();
  });
  document.addEventListener("click", ({ target }) => {
    const row = target.closest("[data-drop]")?.closest("[data-row]");
    const all = row?.parentElement.querySelectorAll(`[data-row="${row.dataset.row}"]`);
    if (all?.length > 1) row.remove();
  });
})();
