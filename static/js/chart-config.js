/* From the figures of a chart to a Chart.js configuration.

   The figures: {kind, unit, labels, datasets: [{label, key, role, data}], bucket, incomplete: [{index, words}],
   marks, benchmarks, left_out}. */
import { POINT_STYLES, agentOf } from "./agents.js";
import { bands, clippedPoints, dashedBars, directLabels, hatched, incompleteBuckets, notes } from "./chart-plugins.js";
import { exact, tick } from "./format.js";
import { prefersStillness, token, translucent } from "./tokens.js";

const ANIMATION_MS = 180;
const INCOMPLETE_DASH = [2, 3];
const RAMP = ["seq-5", "seq-4", "seq-3", "seq-2", "seq-1"];
const RAMP_DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4]];
export const REST_KEYS = new Set(["rest", "other", "others", "inactive", "not_active", "not_yet"]);

export function chartConfig(Chart, figures, { still, isShown = () => true }) {
  const font = token("font");
  Object.assign(Chart.defaults.font, { family: font, size: 11 });
  Chart.defaults.color = token("ink-3");
  const shape = { line: lineChart, area: lineChart, stacked_bar: barChart, donut: donutChart }[figures.kind];
  const config = shape(Chart, figures, isShown);
  Object.assign(config.options, {
    animation: still || prefersStillness() ? false : { duration: ANIMATION_MS },
    animations: { x: { duration: 0 }, width: { duration: 0 } }, // figures grow, nothing slides sideways
    maintainAspectRatio: false,
    responsive: true,
  });
  config.options.plugins.legend = { display: false };
  return config;
}

/* Durations are drawn in the unit their axis is read in, so that ticks fall on whole minutes or hours. */
function scaleOf({ unit, datasets }) {
  if (unit !== "seconds") return { divisor: 1, print: (value) => tick(value, unit) };
  const largest = largestOf(datasets);
  const [divisor, word] = largest >= 2 * 86400 * 2 ? [86400, "d"] : largest >= 7200 ? [3600, "h"] : largest >= 120 ? [60, "min"] : [1, "s"];
  return { divisor, print: (value) => `${Number(value.toFixed(2))} ${word}` };
}

/* A comparison is of two lines, the picked one and Non-AI: they are large and set the scale.  The others are drawn on
   demand. */
export const isComparison = ({ datasets }) => datasets.some((series) => series.picked);
export const isLarge = (series) => Boolean(series.picked) || series.key === "none";
export const isShownAtFirst = (figures, series) => !isComparison(figures) || isLarge(series);

/* In what way a bucket is incomplete: "week to date"; empty for a whole one. */
export const incompleteAt = ({ incomplete = [] }, index) => incomplete.find((bucket) => bucket.index === index)?.words ?? "";

/* The value at which the scale of a comparison ends, in the figures' unit; Infinity where no other line exceeds it.
   What lies beyond it is drawn at the edge, with its value. */
function scaleEnd(figures) {
  const datasets = figures.datasets.filter(isLarge);
  if (!isComparison(figures) || !largestOf(datasets)) return Infinity;
  const { divisor } = scaleOf({ ...figures, datasets });
  const top = Math.max(largestOf(datasets), topOfBands({ datasets }), nearestAbove({ ...figures, datasets }));
  const end = roundedUp(top / divisor) * divisor;
  return largestOf(figures.datasets) > end ? end : Infinity;
}

const largestOf = (datasets) => Math.max(0, ...datasets.flatMap((series) => series.data.map((value) => value ?? 0)));

function roundedUp(value) {
  const step = 10 ** Math.floor(Math.log10(value || 1)) / 2;
  return Math.ceil(value / step) * step;
}

function lineChart(Chart, figures, isShown) {
  const end = scaleEnd(figures);
  const clipped = figures.datasets.map((series) => series.data.map((value) => (value === null ? null : Math.min(value, end))));
  const { divisor, print } = scaleOf({ ...figures, datasets: clipped.map((data) => ({ data })) });
  const several = figures.datasets.length > 1;
  const named = several || figures.datasets[0].role === "agent"; // an agent's line says whose it is, even alone
  const compared = isComparison(figures);
  const isPart = (index) => Boolean(incompleteAt(figures, index));
  return {
    type: "line",
    data: {
      labels: figures.labels,
      datasets: figures.datasets.map((series, index) => {
        const { colour, marker, dash } = lineLook(series, index);
        return {
          label: series.label,
          marker,
          picked: series.picked,
          hidden: !isShown(series),
          data: inUnit(clipped[index], divisor),
          real: inUnit(series.data, divisor),
          facts: series.data.map((_, bucket) => factsAt(series, bucket)[0] ?? ""),
          band: series.low && { low: inUnit(series.low, divisor), high: inUnit(series.high, divisor) },
          borderColor: colour,
          swatch: colour,
          backgroundColor: figures.kind === "area" ? translucent(colour, 0.1) : colour,
          fill: figures.kind === "area" ? "origin" : false,
          borderWidth: series.picked ? 2.5 : !compared ? 1.75 : isLarge(series) ? 2 : 1.25,
          borderDash: dash,
          segment: { borderDash: (part) => (isPart(part.p0DataIndex) || isPart(part.p1DataIndex) ? INCOMPLETE_DASH : undefined) },
          pointStyle: POINT_STYLES[marker],
          pointRadius: (point) => (isPart(point.dataIndex) ? 3 : pointRadius(point, series.data, named)),
          pointBackgroundColor: ({ dataIndex }) => (several && !isPart(dataIndex) ? colour : token("surface")),
          pointBorderColor: colour,
          pointBorderWidth: ({ dataIndex }) => (several && !isPart(dataIndex) ? 1 : 1.75),
          pointHitRadius: 12,
          pointHoverRadius: 4,
        };
      }),
    },
    options: {
      layout: { padding: { right: named ? labelRoom(Chart, figures) : 10, top: figures.marks?.length ? 22 : end < Infinity ? 14 : 6 } },
      interaction: { mode: "index", intersect: false },
      scales: axes(print, figures.unit, { end: end / divisor, reach: Math.max(nearestAbove(figures), topOfBands(figures)) / divisor, isRate: isRate(figures) }),
      plugins: { tooltip: tooltip(figures, divisor), directLabels: { on: named }, notes: { ...figures, divisor, print }, incompleteBuckets: figures, clippedPoints: { end: end / divisor, print: (value) => exact(value * divisor, figures.unit) } },
    },
    plugins: [incompleteBuckets, bands, ...(named ? [directLabels] : []), clippedPoints, notes],
  };
}

const inUnit = (values, divisor) => values.map((value) => (value === null ? null : value / divisor));

/* Bands belong on the chart, but one of few developers must not press all lines to its bottom: it is cut off. */
const TALLEST_BAND = 1.8;
function topOfBands({ datasets }) {
  const largest = largestOf(datasets);
  const highest = Math.max(0, ...datasets.flatMap((series) => (series.high ?? []).map((value) => value ?? 0)));
  return Math.min(highest, largest * TALLEST_BAND);
}

/* A series without a label at its end has a ring there; a point without neighbours is drawn, for no line shows it. */
function pointRadius({ dataIndex }, data, named) {
  const alone = (data[dataIndex - 1] ?? null) === null && (data[dataIndex + 1] ?? null) === null;
  if (alone) return 3;
  return !named && dataIndex === data.findLastIndex((value) => value !== null) ? 3.5 : 0;
}

function lineLook(series, index) {
  if (series.role === "agent") {
    const agent = agentOf(series.key);
    return { colour: token(agent.token), marker: agent.marker, dash: agent.marker === "dash" ? [4, 3] : [] };
  }
  if (series.role === "sequence")
    return { colour: token(RAMP[index % 3]), marker: "circle", dash: RAMP_DASHES[index % RAMP_DASHES.length] };
  return { colour: token("accent"), marker: "circle", dash: [] };
}

function labelRoom(Chart, { datasets }) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `600 11px ${Chart.defaults.font.family}`;
  const widest = Math.max(...datasets.map((series) => context.measureText(series.label).width));
  return Math.min(160, Math.max(80, widest + 34));
}

function barChart(Chart, figures) {
  const { divisor, print } = scaleOf(figures);
  return {
    type: "bar",
    data: {
      labels: figures.labels,
      datasets: figures.datasets.map((series, index) => {
        const look = fillLook(series, index);
        const fill = ({ dataIndex }) => (incompleteAt(figures, dataIndex) ? look.lighter : look.fill);
        return {
          label: series.label,
          marker: series.role === "agent" ? agentOf(series.key).marker : "square",
          data: series.data.map((value) => (value === null ? null : value / divisor)),
          backgroundColor: fill,
          swatch: look.fill,
          hoverBackgroundColor: fill, // a colour means a series; pointing at it must not change it
          outline: look.outline,
          borderColor: token("surface"),
          borderWidth: { top: look.outline ? 0 : 1 },
          borderRadius: 0,
          borderSkipped: false,
          maxBarThickness: 44,
          categoryPercentage: 0.86,
          barPercentage: 0.92,
        };
      }),
    },
    options: {
      layout: { padding: { top: figures.marks?.length ? 22 : 6, right: 4 } },
      interaction: { mode: "index", intersect: false },
      scales: axes(print, figures.unit, { stacked: true, end: endOfShares(figures) / divisor, reach: nearestAbove(figures) / divisor }),
      plugins: { tooltip: tooltip(figures, divisor), notes: { ...figures, divisor, print }, incompleteBuckets: figures },
    },
    plugins: [incompleteBuckets, dashedBars, notes],
  };
}

/* Shares of a whole end at it, though rounding can make their sum a little more. */
function endOfShares({ unit, datasets }) {
  if (unit !== "percent" || !datasets.length) return Infinity;
  const sums = datasets[0].data.map((_, bucket) => datasets.reduce((sum, series) => sum + (series.data[bucket] ?? 0), 0));
  return Math.abs(Math.max(...sums) - 100) < 0.1 ? 100 : Infinity;
}

/* How an area is filled: {fill, lighter (for a bucket that is not over), outline}. */
function fillLook(series, index) {
  if (series.role === "agent") return plain(token(agentOf(series.key).token));
  if (series.role === "outcome") return outcomeLook(series.key);
  if (series.role === "stage") return stageLook(series.key);
  if (REST_KEYS.has(series.key)) {
    const fill = hatched(token("stage-rest"), token("stage-rest-2"));
    return { fill, lighter: fill };
  }
  return plain(token(series.role === "sequence" ? RAMP[Math.min(index, RAMP.length - 1)] : "accent"));
}

function outcomeLook(key) {
  if (key === "committed") return plain(token("spend-committed"));
  if (key === "wasted") {
    const colour = token("spend-wasted");
    return {
      fill: hatched(colour, translucent(token("surface"), 0.42)),
      lighter: hatched(translucent(colour, 0.55), translucent(token("surface"), 0.42)),
    };
  }
  const fill = token("sunken");
  return { fill, lighter: translucent(fill, 0.5), outline: { colour: token("spend-pending"), dashed: key === "pending" } };
}

/* The stages of a lead time: the longest is hatched, the others keep their colour whichever that is. */
const STAGE_TOKENS = { coding: "seq-4", pickup: "seq-3", review: "seq-2", merge: "stage-rest", deploy: "stage-rest-2" };

function stageLook(key) {
  if (key !== "longest") return plain(token(STAGE_TOKENS[key] ?? "stage-rest"));
  const colour = token("stage-hot");
  return {
    fill: hatched(colour, translucent(token("surface"), 0.42)),
    lighter: hatched(translucent(colour, 0.55), translucent(token("surface"), 0.42)),
  };
}

const plain = (colour) => ({ fill: colour, lighter: translucent(colour, 0.55) });

function donutChart(Chart, figures) {
  const slices = slicesOf(figures);
  const looks = slices.map((slice, index) => fillLook(slice, index));
  return {
    type: "doughnut",
    data: {
      labels: slices.map((slice) => slice.label),
      datasets: [
        {
          data: slices.map((slice) => slice.value),
          backgroundColor: looks.map((look) => look.fill),
          hoverBackgroundColor: looks.map((look) => look.fill),
          borderColor: looks.map((look) => look.outline?.colour ?? token("surface")),
          borderWidth: looks.map((look) => (look.outline ? 1.25 : 2)),
          borderDash: ({ dataIndex }) => (looks[dataIndex]?.outline?.dashed ? [3, 2.5] : []),
          hoverOffset: 0,
        },
      ],
    },
    options: {
      cutout: "72%",
      plugins: {
        tooltip: { enabled: false }, // the list beside it has every figure, and the middle is taken
      },
    },
    plugins: [],
  };
}

/* A donut's slices, whether they come as one series over labels or as one series each. */
export function slicesOf({ labels, datasets }) {
  const slices =
    datasets.length === 1 && labels.length > 1
      ? labels.map((label, index) => ({
          label,
          key: datasets[0].keys?.[index] ?? label,
          role: datasets[0].role === "single" && index > 0 ? "sequence" : datasets[0].role,
          value: datasets[0].data[index],
        }))
      : datasets.map((series) => ({ ...series, value: series.data[0] }));
  return slices.filter((slice) => slice.value !== null);
}

const isRate = ({ datasets }) => datasets.some((series) => series.data.some((value) => value !== null && !Number.isInteger(value)));

/* What stands behind a point: "10 PRs", "5 developers". */
function factsAt({ counts = {} }, index) {
  const told = Object.entries(counts).filter(([, values]) => (values[index] ?? null) !== null);
  return told.map(([noun, values]) => `${exact(values[index], "count")} ${values[index] === 1 ? noun.replace(/s$/, "") : noun}`);
}

/* The same in a line of text: " (10 PRs) · 5 developers". */
export function countsAt(series, index) {
  const [facts, ...others] = factsAt(series, index);
  return facts ? ` (${facts})${others.map((each) => ` · ${each}`).join("")}` : "";
}

/* How sure a point is: " · 95% 0.32 to 0.51". */
export function intervalAt({ low, high }, index, unit) {
  if ((low?.[index] ?? null) === null) return "";
  return ` · 95% ${exact(low[index], unit)} to ${exact(high[index], unit)}`;
}

/* A benchmark that lies a little above the figures belongs on the chart: one sees how far it is.  What was agreed on
   does from farther away. */
const NEAR = 1.6;
const NEAR_FOR_AGREED = 4;
function nearestAbove({ datasets, benchmarks = [] }) {
  const largest = largestOf(datasets);
  const above = benchmarks.filter(({ value }) => value > largest);
  const published = above.filter(({ role, value }) => role === "published" && value <= largest * NEAR);
  const agreed = above.filter(({ role, value }) => role !== "published" && value <= largest * NEAR_FOR_AGREED);
  const nearest = published.length ? Math.min(...published.map(({ value }) => value)) : 0;
  return Math.max(nearest, ...agreed.map(({ value }) => value * 1.04)); // with room for the line itself
}

function axes(print, unit, { stacked = false, reach = 0, end = Infinity, isRate = false } = {}) {
  return {
    x: {
      stacked,
      grid: { display: false },
      border: { color: token("line-strong") },
      ticks: { maxRotation: 0, autoSkip: true, autoSkipPadding: 8, maxTicksLimit: 7, padding: 4 },
    },
    y: {
      stacked,
      beginAtZero: true,
      suggestedMax: reach || undefined,
      max: end < Infinity ? end : undefined,
      grid: { color: token("grid"), drawTicks: false },
      border: { display: false },
      ticks: {
        maxTicksLimit: 5,
        padding: 6,
        precision: unit === "count" && !isRate ? 0 : undefined,
        callback: (value) => print(value),
      },
    },
  };
}

function tooltipLook() {
  return {
    backgroundColor: token("tip-bg"),
    titleColor: token("tip-ink"),
    bodyColor: token("tip-ink"),
    footerColor: token("tip-ink"),
    titleFont: { weight: 600, size: 12 },
    bodyFont: { size: 12 },
    footerFont: { weight: 600, size: 12 },
    padding: 10,
    cornerRadius: 6,
    boxPadding: 5,
    caretSize: 0,
    usePointStyle: true,
  };
}

const realValue = ({ dataset, dataIndex, raw }) => dataset.real?.[dataIndex] ?? raw;

function tooltip(figures, divisor) {
  return {
    ...tooltipLook(),
    filter: ({ raw }) => raw !== null && (figures.kind !== "stacked_bar" || raw !== 0),
    itemSort: (one, other) => realValue(other) - realValue(one),
    callbacks: {
      title: ([first]) =>
        first ? [first.label, incompleteAt(figures, first.dataIndex)].filter(Boolean).join(" · ") : "",
      label: ({ dataset, datasetIndex, dataIndex }) =>
        `${dataset.label}  ${exact(figures.datasets[datasetIndex].data[dataIndex], figures.unit)}${countsAt(figures.datasets[datasetIndex], dataIndex)}`,
      labelPointStyle: ({ dataset }) => ({ pointStyle: POINT_STYLES[dataset.marker] ?? "rect", rotation: 0 }),
      labelColor: ({ dataset }) => ({
        backgroundColor: dataset.swatch,
        borderColor: dataset.outline?.colour ?? dataset.swatch,
        borderWidth: 1,
      }),
      footer: (items) =>
        figures.kind === "stacked_bar" && items.length > 1
          ? `Total  ${exact(items.reduce((sum, item) => sum + item.raw * divisor, 0), figures.unit)}`
          : "",
    },
  };
}
