// Forms that speak to the API as every other client does.
"use strict";
(() => {
  // Durations are reckoned from the server's clock: this one may be hours off.
  const [loading] = performance.getEntriesByType("navigation");
  const answered = performance.timeOrigin + (loading?.responseStart ?? 0);
  const told = document.querySelector('meta[name="server-time"]')?.content;
  const ahead = told ? Date.parse(told) - answered : 0;

  // JSON, with the header that no other site can send.
  const READ = {
    number: (text) => Number(text),
    json: (text) => JSON.parse(text),
    list: (text) => text.split(",").map((one) => one.trim()).filter(Boolean),
    time: (text) => new Date(text).toISOString(),
    hours: (text) => new Date(Date.now() + ahead + Number(text) * 3600000).toISOString(),
    bool: (text) => text === "true",
  };

  function put(into, path, value) {
    const names = path.split(".");
    const last = names.pop();
    let place = into;
    for (const name of names) place = place[name] ??= {};
    place[last] = value;
  }

  // A line of a form has no line breaks: a text that came with some keeps them while nobody edits it.
  function said(field) {
    const { kept } = field.dataset;
    const isAsItCame = kept && field.value === field.defaultValue.replace(/[\r\n]/g, "");
    return isAsItCame ? JSON.parse(kept) : field.value;
  }

  // Members of a list and of an object of names, whose fields stand one after another.
  const GATHER = {
    each: (all = [], field) => (field.checked ? [...all, field.value] : all),
    pair: (all = Object.create(null), field) => {
      const name = said(field);
      const value = said(field.closest("[data-pair]").querySelector("[data-type=none]"));
      if (!name && !value) return all;
      if (name in all) throw new Error(`Two are called ${name}; give each a name of its own.`);
      all[name] = value;
      return all;
    },
  };

  const rowsBeside = (row) => [...row.parentElement.querySelectorAll(`[data-row="${row.dataset.row}"]`)];

  // The object that a field is a member of: the whole, or its row's in a list.
  function home(body, field) {
    const row = field.closest("[data-row]");
    return row ? ((body[row.dataset.row] ??= [])[rowsBeside(row).indexOf(row)] ??= {}) : body;
  }

  function content(form) {
    const body = form.dataset.base ? JSON.parse(form.dataset.base) : {};
    for (const field of form.elements) {
      const { type, also, empty, member } = field.dataset;
      if (!field.name || field.disabled || type === "none") continue;
      const into = home(body, field);
      if (member) put(into, member, field.checked); // one of several rows
      else if (field.type === "radio") Object.assign(into, field.checked && JSON.parse(also ?? "{}"));
      else if (GATHER[type]) into[field.name] = GATHER[type](into[field.name], field);
      else if (field.type === "checkbox") put(into, field.name, field.checked);
      else if (field.value !== "") put(into, field.name, READ[type] ? READ[type](field.value) : said(field));
      else if (empty === "null") put(into, field.name, null);
    }
    return body;
  }

  // --- what is wrong, at its field ------------------------------------------------------------

  function pathOf(place) {
    const row = place.closest("[data-row]");
    return row ? `${row.dataset.row}.${rowsBeside(row).indexOf(row)}.${place.dataset.said}` : place.dataset.said;
  }

  // By its pointer; of what that holds, by its code; by what holds it; the first that it holds.
  function placeOf(form, { pointer, code }) {
    const path = pointer.slice(1).replaceAll("/", ".");
    const places = [...form.querySelectorAll("[data-said]")].filter((one) => one.parentElement.offsetParent);
    const within = places.filter((one) => !path || pathOf(one).startsWith(`${path}.`));
    return places.find((one) => pathOf(one) === path)
      ?? within.find((one) => one.dataset.codes?.split(" ").includes(code))
      ?? places.find((one) => path.startsWith(`${pathOf(one)}.`))
      ?? (path ? within[0] : undefined);
  }

  function mark(form, errors = []) {
    for (const one of form.querySelectorAll("[data-said], [role=alert]")) one.hidden = true;
    for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
    for (const error of errors) {
      const place = placeOf(form, error);
      if (!place) continue;
      place.textContent = error.message;
      place.hidden = false;
      for (const one of form.querySelectorAll(`[aria-describedby="${CSS.escape(place.id)}"]`)) {
        one.setAttribute("aria-invalid", "true");
      }
    }
    form.querySelector("[aria-invalid]")?.focus();
  }

  function complain(form, text) {
    const place = form.querySelector("[role=alert]") ?? form.appendChild(document.createElement("p"));
    place.className = "problem";
    place.setAttribute("role", "alert");
    place.hidden = false;
    place.textContent = text;
  }

  // Whoever hears of it gives the button back, once what it would send is there.
  function lead(where, button) {
    if (where === "reload") location.reload();
    else if (where === "tell") document.dispatchEvent(new CustomEvent("assay:done", { detail: button }));
    else location.assign(where);
  }

  async function submit(form) {
    const method = form.dataset.method ?? "POST";
    const headers = { "X-Assay-CSRF": "1" };
    let body;
    if (method !== "DELETE") {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(content(form));
    }
    const answer = await fetch(form.dataset.api, { method, headers, body, credentials: "same-origin" });
    if (answer.ok) return form.dataset.then?.includes("{id}") ? (await answer.json()).id : "";
    const problem = await answer.json().catch(() => ({ detail: `The answer was ${answer.status}.` }));
    mark(form, problem.errors);
    throw new Error(problem.detail);
  }

  // Before this line such a form would be sent as the browser does it, which no route takes.
  for (const button of document.querySelectorAll("[data-scripted]")) button.disabled = false;

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-api]")) return;
    event.preventDefault();
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
    const button = event.submitter ?? form.querySelector("button");
    button.disabled = true;
    mark(form);
    try {
      const done = await submit(form);
      lead((form.dataset.then ?? "reload").replace("{id}", done), button);
    } catch (error) {
      complain(form, error.message);
      button.disabled = false;
    }
  });

  // What a number rests on is shown while it has the focus; Escape hides it, as it does elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement?.matches(".value")) document.activeElement.blur();
  });

  // What a form would do, before it is sent; a page answers, so what is wrong stands in a page too.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preview]");
    if (!button) return;
    event.preventDefault();
    const { form } = button;
    mark(form);
    if (!form.reportValidity()) return;
    try {
      const given = encodeURIComponent(JSON.stringify(content(form)));
      htmx.ajax("GET", `${button.dataset.preview}?${button.dataset.as}=${given}`, { target: "#trial", swap: "innerHTML" });
    } catch (error) {
      complain(form, error.message);
    }
  });
  document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
    const form = document.querySelector("[data-preview]")?.form;
    if (!form) return;
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const said = [...page.querySelectorAll("[data-pointer]")];
    mark(form, said.map((one) => ({ ...one.dataset, message: one.textContent })));
  });
})();
