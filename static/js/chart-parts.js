/* What stands around a plot and is ordinary HTML: the legend, a donut's list and centre, the table view. */
import { markerElement } from "./agents.js";
import { REST_KEYS, countsAt, incompleteAt, intervalAt, isComparison, isLarge, slicesOf } from "./chart-config.js";
import { exact, money, share, tick, unitWord } from "./format.js";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/* The key of a series: an agent's marker, or a swatch. */
function keyElement(series, index) {
  if (series.role === "agent") return markerElement(series.key);
  const kind =
    series.role === "outcome" ? series.key
    : series.role === "stage" ? `stage-${series.key}`
    : REST_KEYS.has(series.key) ? "rest"
    : series.role === "sequence" ? `seq-${Math.max(1, 5 - index)}`
    : "single";
  return element("span", { className: `sw ${kind}`, ariaHidden: "true" });
}

/* Bars have a legend whose entries show and hide their series; lines carry their names themselves, but a comparison
   offers those that it does not draw by itself.  Both name the hatch of incomplete buckets. */
export function fillLegend(card, figures, isShown, onToggle) {
  const legend = card.querySelector("[data-chart-legend]");
  if (!legend) return;
  legend.replaceChildren();
  legend.classList.toggle("on-demand", isComparison(figures));
  const isOffered = isComparison(figures) ? (series) => !isLarge(series) : () => figures.kind === "stacked_bar" && isTold(figures);
  figures.datasets.forEach((series, index) => {
    if (!isOffered(series)) return;
    const button = element("button", { type: "button", ariaPressed: String(isShown(series)) }, keyElement(series, index), series.label);
    button.addEventListener("click", () => {
      const shown = button.ariaPressed !== "true";
      button.ariaPressed = String(shown);
      onToggle(index, shown);
    });
    legend.append(button);
  });
  if (figures.incomplete?.length) legend.append(element("span", {}, element("span", { className: "sw part", ariaHidden: "true" }), `Incomplete ${figures.bucket}`));
}

const isTold = ({ datasets }) => datasets.length > 1 || datasets[0]?.role !== "single";

/* A donut's list: key, name, value, share; and the total in its middle. */
export function fillList(card, figures) {
  const list = card.querySelector("[data-chart-list]");
  if (!list || figures.kind !== "donut") return;
  const slices = slicesOf(figures);
  const total = slices.reduce((sum, slice) => sum + slice.value, 0);
  list.replaceChildren(
    ...slices.map((slice, index) =>
      element(
        "li",
        {},
        keyElement(slice, index),
        element("span", { textContent: slice.label, title: slice.label }),
        element("b", { textContent: brief(slice.value, figures.unit) }),
        element("em", { textContent: share(slice.value, total) }),
      ),
    ),
  );
  const centre = card.querySelector("[data-chart-centre]");
  const { value, note } = figures.centre ?? centreOf(slices, total, figures);
  centre.replaceChildren(element("b", { textContent: value }), element("span", { textContent: note }));
}

/* What is drawn is not all where segments of too few people are hidden. */
export function fillLeftOut(card, figures) {
  const note = card.querySelector("[data-chart-left-out]");
  if (note) note.textContent = figures.left_out ?? "";
}

/* As short as a list allows: money as on tiles, thousands of others as "12.3k". */
const brief = (value, unit) =>
  unit === "count" ? exact(value, unit) : unit === "currency" ? money(value) : tick(value, unit);

/* Two slices of people are "so many of so many"; anything else shows its total. */
function centreOf(slices, total, { unit }) {
  if (unit === "count" && slices.length === 2 && REST_KEYS.has(slices[1].key))
    return { value: `${slices[0].value}/${total}`, note: share(slices[0].value, total) };
  return { value: brief(total, unit), note: unitWord(unit) === "$" || unitWord(unit) === "%" ? "" : unitWord(unit) };
}

/* The notes on a chart as a list: flags on a canvas are short and no keyboard reaches them. */
export function fillNotes(card, figures) {
  const list = card.querySelector("[data-chart-notes]");
  if (!list) return;
  list.replaceChildren(
    ...(figures.marks ?? []).map(({ text, days, url }) => {
      const note = url ? element("a", { href: url, textContent: text }) : element("span", { textContent: text });
      if (url) note.dataset.panel = `Note: ${text}`;
      return element("li", {}, element("time", { textContent: days ?? "" }), note);
    }),
  );
}

/* The same figures as a real table, for everyone who reads better without a picture. */
export function fillTable(card, figures) {
  const holder = card.querySelector("[data-chart-table]");
  if (!holder) return;
  const title = card.querySelector("h3").textContent.trim();
  const [heads, rows] = figures.kind === "donut" ? donutTable(figures) : seriesTable(figures);
  const table = element(
    "table",
    { className: "hw-t" },
    element("caption", { className: "vh", textContent: title }),
    element("thead", {}, element("tr", {}, ...heads.map((head, index) => headCell(head, index > 0)))),
    element("tbody", {}, ...rows.map(tableRow)),
  );
  holder.replaceChildren(table);
}

function seriesTable({ labels, datasets, unit, label_name: labelName, incomplete, marks = [], benchmarks = [] }) {
  const heads = [
    labelName ?? "From",
    ...datasets.map((series) => series.label),
    ...benchmarks.map((line) => line.label),
    ...(marks.length ? ["Notes"] : []),
  ];
  const notesAt = (index) => marks.filter((mark) => mark.index === index).map((mark) => mark.text);
  const rows = labels.map((label, index) => [
    [label, incompleteAt({ incomplete }, index)].filter(Boolean).join(", "),
    ...datasets.map((series) => cellText(series, index, unit)),
    ...benchmarks.map((line) => exact(line.value, unit)),
    ...(marks.length ? [notesAt(index).join("; ")] : []),
  ]);
  return [heads, rows];
}

function cellText(series, index, unit) {
  const value = exact(series.data[index], unit);
  return series.data[index] === null ? value : value + countsAt(series, index) + intervalAt(series, index, unit);
}

function donutTable(figures) {
  const slices = slicesOf(figures);
  const total = slices.reduce((sum, slice) => sum + slice.value, 0);
  return [
    [figures.label_name && figures.label_name !== "From" ? figures.label_name : "Part", "Value", "Share"],
    slices.map((slice) => [slice.label, exact(slice.value, figures.unit), share(slice.value, total)]),
  ];
}

function headCell(text, isNumber) {
  const cell = element("th", { scope: "col", textContent: text });
  cell.classList.toggle("num", isNumber);
  return cell;
}

function tableRow([head, ...values]) {
  const row = element("tr", {}, element("th", { scope: "row", textContent: head }));
  for (const value of values) row.append(element("td", { className: value === "no data" ? "num mut" : "num", textContent: value }));
  return row;
}
