// Draws what stands in data-chart; colours come from the page, so both themes fit.
"use strict";
(() => {
  // As `wording.py` says them: what is not all or nothing is not rounded to it.
  function share(value) {
    const text = (value * 100).toFixed(1);
    if (text === "100.0" && value < 1) return ">99.9 %";
    return text === "0.0" && value > 0 ? "<0.1 %" : `${text} %`;
  }
  function duration(value) {
    if (value > 0 && value < 0.05) return "<0.1 ms";
    if (value < 9.95) return `${value.toFixed(1)} ms`;
    return value < 999.5 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
  }
  const grouped = (value, digits) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const short = (value, digits) => String(Number(value.toPrecision(digits)));
  const plain = (value) => (Math.abs(value) >= 999.95 ? grouped(value, 0) : short(value, 4));
  const dollars = (value) => `$${value >= 1 || value === 0 ? grouped(value, 2) : short(value, 4)}`;
  const points = (value) => `${(value * 100).toFixed(2)} pp`;
  const WORD = { share, points, ms: duration, usd: dollars };
  // Marks of an axis are round numbers, and close to each other where the curve is flat.
  const MARK = {
    share: (value) => `${short(value * 100, 6)} %`,
    points: (value) => `${short(value * 100, 6)} pp`,
    ms: (value) => (value < 1000 ? `${short(value, 6)} ms` : `${short(value / 1000, 6)} s`),
    usd: (value) => `$${short(value, 6)}`,
  };
  // A difference has a direction, but for one that is rounded away.
  const signed = (word) => (value) => {
    const size = word(Math.abs(value));
    return size === word(0) ? size : `${value > 0 ? "+" : "-"}${size}`;
  };
  const iso = (seconds) => new Date(seconds * 1000).toISOString();
  const drawn = new Map();

  // A value between two gaps has no line; without a dot nobody would see it.
  function alone(plot, at) {
    const values = plot.data[at];
    return [...values.keys()].filter(
      (n) => values[n] != null && values[n - 1] == null && values[n + 1] == null,
    );
  }

  function colours(place) {
    const style = getComputedStyle(place);
    const of = (name) => style.getPropertyValue(name).trim();
    return {
      lines: [of("--accent"), of("--degraded"), of("--critical"), of("--good")],
      band: of("--band"), ink: of("--soft"), grid: of("--line"),
    };
  }

  function options(place, chart, colour) {
    const sign = chart.of_differences ? signed : (word) => word;
    const word = sign(WORD[chart.unit] ?? plain);
    const mark = sign(MARK[chart.unit] ?? ((value) => short(value, 6)));
    const shown = (_, value) => (value == null ? "–" : word(value));
    const when = (_, value) => (value == null ? "–" : `${iso(value).slice(0, 16).replace("T", " ")} UTC`);
    const series = [{ label: "when", value: when }];
    const bands = [];
    for (const [at, curve] of chart.curves.entries()) {
      const stroke = colour.lines[at % colour.lines.length];
      const line = { label: curve.label, stroke, width: 2, value: shown, points: { show: true, size: 6, fill: stroke, filter: alone } };
      series.push(line);
      if (!curve.low) continue;
      const end = { width: 0, value: shown, stroke: colour.band, points: { show: false } };
      series.push({ ...end, label: "high" }, { ...end, label: "low" });
      bands.push({ series: [series.length - 2, series.length - 1], fill: colour.band });
    }
    if (chart.of_differences) {
      series.push({ label: "no difference", stroke: colour.ink, width: 1, dash: [4, 4], value: shown, points: { show: false } });
    }
    const axis = { stroke: colour.ink, grid: { stroke: colour.grid, width: 1 }, ticks: { stroke: colour.grid } };
    const values = (_, splits) => splits.map((value) => (value == null ? "" : mark(value)));
    const hours = (_, splits, at, space, step) =>
      splits.map((value) => (step < 86400 ? iso(value).slice(11, 16) : iso(value).slice(5, 10)));
    return {
      width: place.clientWidth || 320, height: 200, series, bands,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      axes: [{ ...axis, values: hours }, { ...axis, size: 64, values }],
      cursor: { y: false }, legend: { live: true },
    };
  }

  function data(chart) {
    const rows = [chart.x];
    for (const curve of chart.curves) {
      rows.push(curve.values);
      if (curve.low) rows.push(curve.high, curve.low);
    }
    if (chart.of_differences) rows.push(chart.x.map(() => 0));
    return rows;
  }

  function draw(place) {
    drawn.get(place)?.destroy();
    const chart = JSON.parse(place.dataset.chart);
    drawn.set(place, new uPlot(options(place, chart, colours(place)), data(chart), place));
  }

  function drawAll() {
    for (const [place, plot] of drawn) {
      if (!place.isConnected) { plot.destroy(); drawn.delete(place); }
    }
    for (const place of document.querySelectorAll("[data-chart]")) if (!drawn.has(place)) draw(place);
  }

  addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
  const again = () => { for (const place of drawn.keys()) draw(place); };
  document.addEventListener("assay:theme", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(again, 200); });
})();
