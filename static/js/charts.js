/* Chart cards: fetch the figures, draw them, keep them in step with theme, table view and htmx swaps.

   A card is an element [data-chart-card] that holds <canvas data-chart="URL">; templates/components/chart_card.html
   writes it.  Its plot is in one of four states: loading, ready, empty, error. */
import { chartConfig, isShownAtFirst } from "./chart-config.js";
import { fillDrill, openOnClick } from "./chart-drill.js";
import { fillLeftOut, fillLegend, fillList, fillNotes, fillTable } from "./chart-parts.js";

const LIBRARY = document.querySelector('meta[name="headway-chart-library"]')?.content;
const PATIENCE_MS = 20_000;
const drawn = new Map(); // canvas → { chart, figures }
const latest = new Map(); // URL → figures, so that a swap redraws at once and then asks whether they changed
const tables = new Set(); // ids of the cards that are shown as tables, so that a swap leaves them so
const toggled = new Map(); // id of a card → label of a series → whether it was made to be shown, for the same reason

let library;
function chartLibrary() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = LIBRARY;
    script.onload = () => resolve(window.Chart);
    script.onerror = () => reject(new Error("The chart library did not load."));
    document.head.append(script);
  });
  return library.catch((error) => {
    library = undefined; // a retry asks again
    throw error;
  });
}

function drawChartsIn(root) {
  const canvases = root.matches?.("canvas[data-chart]") ? [root] : root.querySelectorAll?.("canvas[data-chart]") ?? [];
  const undrawn = [...canvases].filter((canvas) => !drawn.has(canvas));
  if (!undrawn.length) return;
  chartLibrary().catch(() => {}); // before the figures: behind them it would wait for all that the page asks for
  for (const canvas of undrawn) show(canvas);
}

async function show(canvas) {
  const url = canvas.dataset.chart;
  drawn.set(canvas, {});
  showTableOrPlot(cardOf(canvas));
  try {
    const known = latest.get(url);
    if (known) await draw(canvas, known, { still: true });
    else setState(canvas, "loading");
    const first = await figuresAt(url);
    if (!known && first.complete_url && drawn.has(canvas)) await draw(canvas, first, { still: false });
    const figures = await completed(first);
    latest.set(url, figures);
    if (!drawn.has(canvas)) return; // swapped out meanwhile
    const shown = drawn.get(canvas).figures;
    if (!shown || JSON.stringify(shown) !== JSON.stringify(figures)) await draw(canvas, figures, { still: Boolean(shown) });
  } catch (error) {
    if (drawn.has(canvas)) showError(canvas, error);
  }
}

/* Facts changed: ask again, and redraw only what differs.  A failure leaves the figures that are there. */
async function follow(canvas) {
  const url = canvas.dataset.chart;
  if (!drawn.get(canvas)?.figures) return;
  const figures = await figuresAt(url).then(completed).catch(() => undefined);
  if (!figures || !drawn.has(canvas) || JSON.stringify(latest.get(url)) === JSON.stringify(figures)) return;
  latest.set(url, figures);
  await draw(canvas, figures, { still: true });
}

/* What takes longer to read comes after the lines, and they stay without it. */
const completed = (figures) =>
  figures.complete_url ? figuresAt(figures.complete_url).catch(() => withoutIntervals(figures)) : figures;

const withoutIntervals = (figures) => ({
  ...figures,
  left_out: [figures.left_out, "The intervals could not be read."].filter(Boolean).join(" · "),
});

async function figuresAt(url) {
  const response = await fetch(url, {
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch((error) => {
    throw new Error(
      error.name === "TimeoutError" ? `No answer within ${PATIENCE_MS / 1000} seconds.` : "The server could not be reached.",
    );
  });
  const isJson = response.headers.get("content-type")?.includes("json");
  if (response.ok && isJson) {
    const figures = await response.json();
    if (Array.isArray(figures.datasets)) return figures;
    throw new Error(figures.detail || "The answer was no chart.");
  }
  if (response.redirected) throw new Error("You are no longer signed in. Reload the page to sign in again.");
  const detail = isJson ? (await response.json()).detail : "";
  throw new Error(detail || `The server answered ${response.status}.`);
}

async function draw(canvas, figures, { still }) {
  const Chart = await chartLibrary();
  if (!canvas.isConnected) return;
  const entry = drawn.get(canvas);
  entry.chart?.destroy();
  entry.figures = figures;
  const card = cardOf(canvas);
  fillLeftOut(card, figures);
  fillNotes(card, figures);
  if (isEmpty(figures)) {
    setState(canvas, "empty", figures.reason);
    return;
  }
  setState(canvas, "ready");
  const chosen = toggled.get(card.id) ?? new Map();
  const isShown = (series) => chosen.get(series.label) ?? isShownAtFirst(figures, series);
  fillLegend(card, figures, isShown, (index, shown) => {
    toggled.set(card.id, chosen.set(figures.datasets[index].label, shown));
    entry.chart.setDatasetVisibility(index, shown);
    entry.chart.update();
  });
  fillList(card, figures);
  fillTable(card, figures);
  fillDrill(card, figures);
  entry.chart = new Chart(canvas, openOnClick(chartConfig(Chart, figures, { still, isShown }), figures));
}

function showTableOrPlot(card) {
  const asTable = tables.has(card.id);
  card.querySelector("[data-chart-table-toggle]")?.setAttribute("aria-pressed", String(asTable));
  card.toggleAttribute("data-as-table", asTable);
}

const cardOf = (canvas) => canvas.closest("[data-chart-card]");
const isEmpty = (figures) => !figures.datasets.some((series) => series.data.some((value) => value !== null));

function setState(canvas, state, reason = "") {
  const card = cardOf(canvas);
  const plot = card.querySelector("[data-plot]");
  plot.dataset.state = state;
  plot.setAttribute("aria-busy", String(state === "loading"));
  const message = plot.querySelector("[data-chart-message]");
  message.replaceChildren();
  const template = document.getElementById(`template-chart-${state}`);
  if (template) {
    message.append(template.content.cloneNode(true));
    if (reason) message.querySelector("[data-reason]").textContent = reason;
  }
}

function showError(canvas, error) {
  drawn.get(canvas)?.chart?.destroy();
  setState(canvas, "error", `${error.message} Your filters are kept.`);
}

function destroy(canvas) {
  drawn.get(canvas)?.chart?.destroy();
  drawn.delete(canvas);
}

function redrawAll() {
  for (const [canvas, { figures }] of drawn) if (figures) draw(canvas, figures, { still: true });
}

document.addEventListener("headway:theme", redrawAll);
document.addEventListener("headway:facts", () => {
  for (const canvas of [...drawn.keys()]) canvas.isConnected ? follow(canvas) : destroy(canvas);
  drawChartsIn(document); // a card that had no figures before
});
document.addEventListener("headway:notes", () => [...drawn.keys()].forEach(follow));

document.addEventListener("click", (event) => {
  const retry = event.target.closest("[data-chart-retry]");
  if (retry) {
    const canvas = retry.closest("[data-chart-card]").querySelector("canvas[data-chart]");
    destroy(canvas);
    show(canvas);
    return;
  }
  const toggle = event.target.closest("[data-chart-table-toggle]");
  if (toggle) {
    const card = toggle.closest("[data-chart-card]");
    if (!tables.delete(card.id)) tables.add(card.id);
    showTableOrPlot(card);
  }
});

/* Paper is light: draw for it, then go back. */
let themeOnScreen;
addEventListener("beforeprint", () => {
  themeOnScreen = document.documentElement.dataset.bsTheme;
  document.documentElement.dataset.bsTheme = "light";
  redrawAll();
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.bsTheme = themeOnScreen;
  redrawAll();
});

document.addEventListener("htmx:beforeCleanupElement", (event) => {
  const element = event.detail.elt;
  if (drawn.has(element)) destroy(element);
});
document.addEventListener("htmx:load", (event) => drawChartsIn(event.detail.elt));

/* Fonts come first: a canvas does not repaint when they arrive. */
document.fonts.ready.then(() => drawChartsIn(document));
