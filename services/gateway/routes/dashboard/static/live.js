// Pages that follow what changes, by the stream or by looking, and say how they do.
"use strict";
(() => {
  const REFRESH_MS = 3000; // a page that is swapped more often cannot be read
  const POLL_MS = 15000; // where no stream is to be had
  const SILENT_MS = 60000; // a stream's heartbeats are comments, of which no EventSource tells
  const KINDS = ["metrics", "alert", "verdict"];

  const begun = document.querySelector("[data-live-state]")?.textContent ?? "";
  const changed = new Set();
  const troubles = new Map(); // by the part that failed, until that part succeeds
  let state = begun;
  let source = null;
  let ready = false;
  let heard = 0;
  let timer = null;
  let polling = null;
  let paused = false;

  const followers = () => [...document.querySelectorAll("[data-live]")];
  // Whether it is asked for anew, as opposed to a part that is loaded for the first time.
  const isAgain = (part) =>
    part.matches('[hx-trigger*="every"]') && (part.dataset.loaded || part.matches('[hx-trigger^="every"]'));

  // --- what is said ---------------------------------------------------------------------------

  function tell() {
    const place = document.querySelector("[data-live-state]");
    const text = [...troubles.values()].at(-1) ?? state;
    if (place && text && place.textContent !== text) place.textContent = text;
  }

  function say(text) {
    state = text;
    tell();
  }

  // --- what changes ---------------------------------------------------------------------------

  function refresh() {
    timer = null;
    if (document.hidden) return; // all is looked at when it is seen again
    for (const one of followers()) {
      if (one.dataset.live.split(" ").some((kind) => changed.has(kind))) htmx.trigger(one, "live");
    }
    changed.clear();
  }

  function note(...kinds) {
    for (const kind of kinds) changed.add(kind);
    timer ??= setTimeout(refresh, REFRESH_MS);
  }

  function poll() {
    say("Looked at every 15 s: no live stream is to be had right now");
    polling ??= setInterval(() => { note(...KINDS); listen(); }, POLL_MS);
  }

  function rest() {
    clearInterval(polling);
    polling = null;
  }

  function hush() {
    source?.close();
    source = null;
    ready = false;
  }

  function listen() {
    if (source || document.hidden || !followers().length) return;
    const model = document.querySelector("[data-live-model]")?.dataset.liveModel;
    const stream = new EventSource(`/ai/stream${model ? `?model_id=${encodeURIComponent(model)}` : ""}`);
    const hear = (name, then) => stream.addEventListener(name, (event) => {
      heard = Date.now();
      then(event);
    });
    source = stream;
    heard = Date.now();
    stream.addEventListener("open", () => { ready = false; });
    // What changed since the page was made came before this, among all that holds.
    hear("ready", () => { ready = true; rest(); say("Live"); note(...KINDS); });
    for (const kind of KINDS) hear(kind, () => { if (ready) note(kind); });
    hear("gone", () => { if (ready) note(...KINDS); });
    hear("away", (event) => {
      const stores = JSON.parse(event.data).stores;
      say(stores.length ? `Waiting for ${stores.join(", ")}` : "Live");
    });
    stream.addEventListener("error", () => {
      ready = false;
      if (stream.readyState === EventSource.CLOSED) { hush(); poll(); }
      else if (!polling) say("Connecting again");
    });
  }

  // A connection that a sleeping computer or a router lost looks like one on which nothing happens.
  setInterval(() => {
    if (!source) return;
    const silent = Date.now() - heard;
    if (silent >= POLL_MS && !ready && !polling) say("Connecting again");
    if (silent >= SILENT_MS) { hush(); listen(); }
  }, POLL_MS);

  function leave() {
    hush();
    rest();
  }

  function comeBack() {
    note(...KINDS);
    listen();
  }

  // A browser keeps six connections to a host: tabs that nobody sees must not hold them.
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : comeBack()));
  // Else a page that is left keeps its stream until the server notices.
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted) comeBack(); });
  addEventListener("DOMContentLoaded", listen);

  // What nobody sees is loaded once, and not asked for again.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isAgain(event.detail.elt) && (document.hidden || paused)) event.preventDefault();
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-pause]");
    if (!button) return;
    paused = !paused;
    button.textContent = paused ? "Go on" : "Pause";
    say(paused ? "Paused" : begun);
  });

  // --- what fails -----------------------------------------------------------------------------

  const named = (part) => part.id || part.getAttribute("hx-get");

  function detail(text) {
    return new DOMParser().parseFromString(text, "text/html").querySelector("[data-detail]")?.textContent;
  }

  // What was never there says so in its place; a button that loads more is its own place.
  function offer(part, target, text) {
    if (target.matches("button")) { target.textContent = `${text} Try again`; return; }
    const said = document.createElement("p");
    said.className = "problem";
    said.textContent = text;
    target.replaceChildren(said);
    if (!part.matches('[hx-trigger*="again"]')) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Try again";
    button.addEventListener("click", () => htmx.trigger(part, "again"));
    target.append(button);
  }

  function failed({ elt, target }, short, long) {
    if (!elt.matches("[data-live]") && !isAgain(elt)) return offer(elt, target, long);
    elt.classList.add("stale"); // what stands there is old, and better than nothing
    troubles.set(named(elt), `${short}; trying again`);
    tell();
    return elt.matches("[data-live]") && setTimeout(() => note(...KINDS), POLL_MS);
  }

  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    const text = `The answer was ${xhr.status}`;
    if (xhr.status === 401) location.reload(); // who is logged out sees so
    else failed(event.detail, text, detail(xhr.responseText) ?? `${text}.`);
  });
  document.addEventListener("htmx:sendError", (event) => {
    failed(event.detail, "No answer", "There was no answer.");
  });
  // Its `elt` is whoever stands there after the swap; parts that refresh themselves are targets.
  document.addEventListener("htmx:afterRequest", ({ detail: { target, successful } }) => {
    if (!successful) return;
    target.dataset.loaded = "yes";
    target.classList.remove("stale");
    if (troubles.delete(named(target))) tell();
  });

  // --- a table that was moved sideways stays where it is --------------------------------------

  const places = new Map();
  const tables = (part) => [...part.querySelectorAll(".scroll")];
  document.addEventListener("htmx:beforeSwap", ({ target }) => {
    places.set(target.id, tables(target).map((one) => one.scrollLeft));
  });
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    for (const [at, left] of (places.get(target.id) ?? []).entries()) {
      const table = tables(target)[at];
      if (table && left) table.scrollLeft = left;
    }
  });
})();
