// Before anything is drawn: the colours that somebody chose here, else those of the system.
"use strict";
(() => {
  const key = "assay-theme";
  const root = document.documentElement;
  const chosen = () => {
    try { return localStorage.getItem(key); } catch { return null; }
  };
  if (chosen()) root.dataset.theme = chosen();
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem(key, root.dataset.theme); } catch { /* a private window */ }
    document.dispatchEvent(new Event("assay:theme"));
  });
})();
