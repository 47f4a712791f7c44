/* From a point, bar or slice to the rows behind it, in the side panel: by a click on the plot, and by links in the
   table view and in a donut's list, which the keyboard reaches.

   The figures: {rows: an address per dataset or "", buckets: what each label adds to it}. */
import { slicesOf } from "./chart-config.js";

/* The address of the rows behind one value; "" where none can be opened. */
function addressOf({ rows, buckets }, series, index) {
  const base = rows?.[series];
  if (!base || !buckets) return base || "";
  return `${base}${base.includes("?") ? "&" : "?"}${buckets[index]}`;
}

function nameOf({ labels, datasets, kind }, series, index) {
  return kind === "donut" ? `Rows of ${datasets[series].label}` : `Rows of ${datasets[series].label}, ${labels[index]}`;
}

export function fillDrill(card, figures) {
  if (!figures.rows?.some(Boolean)) return;
  if (figures.kind === "donut") {
    drawnSlices(figures).forEach((series, position) => {
      const cell = card.querySelectorAll("[data-chart-table] tbody tr")[position]?.querySelector("td");
      link(cell, figures, series, 0);
      link(card.querySelectorAll("[data-chart-list] li")[position]?.querySelector("b"), figures, series, 0);
    });
    return;
  }
  card.querySelectorAll("[data-chart-table] tbody tr").forEach((row, index) => {
    figures.datasets.forEach((dataset, series) => {
      if (dataset.data[index] !== null) link(row.querySelectorAll("td")[series], figures, series, index);
    });
  });
}

/* Which dataset each slice is: those without a value are not drawn. */
function drawnSlices(figures) {
  const drawn = slicesOf(figures).length;
  const known = figures.datasets.map((_, series) => series).filter((series) => figures.datasets[series].data[0] !== null);
  return known.length === drawn ? known : [];
}

function link(holder, figures, series, index) {
  const address = addressOf(figures, series, index);
  if (!holder || !address) return;
  const made = Object.assign(document.createElement("a"), { href: address, textContent: holder.textContent });
  made.className = "hw-drill";
  made.dataset.panel = nameOf(figures, series, index);
  made.setAttribute("aria-label", `${holder.textContent}: ${made.dataset.panel}`);
  holder.replaceChildren(made);
}

/* Chart.js's own configuration with a click and a pointer where there is something to open. */
export function openOnClick(config, figures) {
  if (!figures.rows?.some(Boolean)) return config;
  const slices = figures.kind === "donut" ? drawnSlices(figures) : null;
  const at = (event, chart) => {
    const [found] = chart.getElementsAtEventForMode(event, "nearest", { intersect: figures.kind !== "line" && figures.kind !== "area" }, false);
    if (!found) return null;
    const series = slices ? slices[found.index] : found.datasetIndex;
    const index = slices ? 0 : found.index;
    return series === undefined || !addressOf(figures, series, index) ? null : { series, index };
  };
  config.options.onHover = (event, _elements, chart) => {
    chart.canvas.style.cursor = at(event, chart) ? "pointer" : "";
  };
  config.options.onClick = (event, _elements, chart) => {
    const found = at(event, chart);
    if (!found) return;
    const opener = document.createElement("a");
    opener.href = addressOf(figures, found.series, found.index);
    opener.dataset.panel = nameOf(figures, found.series, found.index);
    chart.canvas.after(opener); // the panel listens to clicks on links
    opener.click();
    opener.remove();
  };
  return config;
}
