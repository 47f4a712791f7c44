/* What Chart.js does not draw by itself: labels at the ends of lines, bands around them, notes, hatching, outlines. */
import { drawMarker } from "./agents.js";
import { token, translucent } from "./tokens.js";

const LABEL_GAP = 14;
const LABEL_FONT = (chart, weight) => `${weight} 11px ${chart.options.font?.family ?? token("font")}`;

/* A marker and the name at the end of each line, pushed apart so that they never overlap. */
export const directLabels = {
  id: "directLabels",
  afterDatasetsDraw(chart, _, { on }) {
    if (!on) return;
    const { ctx, chartArea } = chart;
    const labels = chart.data.datasets
      .map((series, index) => ({ series, end: lastPoint(chart.getDatasetMeta(index)) }))
      .filter(({ end }) => end)
      .map(({ series, end }) => ({ series, x: end.x, from: end.y, y: end.y }));
    spread(labels, chartArea);
    ctx.save();
    ctx.textBaseline = "middle";
    for (const { series, x, from, y } of labels) {
      ctx.font = LABEL_FONT(chart, series.picked ? 600 : 500);
      const left = chartArea.right;
      ctx.strokeStyle = translucent(series.borderColor, 0.55);
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x + 4, from);
      ctx.lineTo(left + 11, y);
      ctx.stroke();
      drawMarker(ctx, series.marker, left + 17, y, series.borderColor);
      ctx.fillStyle = token("ink-2");
      ctx.fillText(fitted(ctx, series.label, chart.width - left - 27), left + 25, y + 0.5);
    }
    ctx.restore();
  },
};

function lastPoint(meta) {
  if (!meta.visible) return null;
  return meta.data.findLast((point, index) => !point.skip && meta._parsed[index]?.y !== null) ?? null;
}

function spread(labels, { top, bottom }) {
  labels.sort((one, other) => one.y - other.y);
  for (let round = 0; round < 30; round++)
    for (let i = 1; i < labels.length; i++) {
      const overlap = LABEL_GAP - (labels[i].y - labels[i - 1].y);
      if (overlap > 0) {
        labels[i].y += overlap / 2;
        labels[i - 1].y -= overlap / 2;
      }
    }
  if (!labels.length) return;
  const below = labels.at(-1).y - (bottom - 4);
  if (below > 0) for (const label of labels) label.y -= below;
  const above = top + 4 - labels[0].y;
  if (above > 0) for (const label of labels) label.y += above;
}

function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let shorter = text;
  while (shorter.length > 1 && context.measureText(`${shorter}…`).width > width) shorter = shorter.slice(0, -1);
  return `${shorter}…`;
}

/* The interval of each value as a shade behind all lines.  It is no series: neither tooltip nor legend knows it. */
const BAND_OPACITY = 0.16;
const EDGE_OPACITY = 0.35; // edges tell apart two shades of grey
const LONELY_HALF_WIDTH = 4;

export const bands = {
  id: "bands",
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea, scales } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(chartArea.left, chartArea.top, chartArea.width, chartArea.height);
    ctx.clip();
    chart.data.datasets.forEach(({ band, borderColor, borderDash }, index) => {
      if (!band || !chart.isDatasetVisible(index)) return;
      ctx.fillStyle = translucent(borderColor, BAND_OPACITY);
      ctx.strokeStyle = translucent(borderColor, EDGE_OPACITY);
      ctx.setLineDash(borderDash ?? []);
      for (const stretch of stretchesOf(band)) fillStretch(ctx, scales, stretch);
    });
    ctx.restore();
  },
};

/* Neighbouring values that have an interval; where one has none, the shade ends. */
function stretchesOf({ low, high }) {
  const stretches = [];
  let open;
  low.forEach((value, index) => {
    if (value === null || high[index] === null) open = undefined;
    else {
      if (!open) stretches.push((open = []));
      open.push({ index, low: value, high: high[index] });
    }
  });
  return stretches;
}

function fillStretch(ctx, { x, y }, stretch) {
  const corners = (end) => stretch.map((point) => [x.getPixelForValue(point.index), y.getPixelForValue(point[end])]);
  const [above, below] = [corners("high"), corners("low")];
  if (stretch.length === 1) {
    const [[middle, top], [, bottom]] = [above[0], below[0]];
    ctx.fillRect(middle - LONELY_HALF_WIDTH, top, 2 * LONELY_HALF_WIDTH, bottom - top);
    return;
  }
  ctx.beginPath();
  for (const corner of [...above, ...below.reverse()]) ctx.lineTo(...corner);
  ctx.closePath();
  ctx.fill();
  for (const edge of [above, below]) {
    ctx.beginPath();
    for (const corner of edge) ctx.lineTo(...corner);
    ctx.stroke();
  }
}

/* Dated notes as flags on top, benchmarks as dashed lines with their name. */
export const notes = {
  id: "notes",
  afterDatasetsDraw(chart, _, { marks = [], benchmarks = [], divisor = 1 }) {
    const { ctx } = chart;
    ctx.save();
    ctx.lineWidth = 1;
    drawBenchmarks(chart, benchmarks, divisor);
    drawMarks(chart, marks);
    ctx.restore();
  },
};

/* What was agreed on stands out from what was published, and the way from a threshold to its target is shaded.
   Names of lines that lie close together would cover each other: then one has its name below it, or none. */
const AGREED = { threshold: { dash: [6, 4], width: 1.5 }, target: { dash: [], width: 1.5 } };

function drawBenchmarks(chart, benchmarks, divisor) {
  const { chartArea, scales } = chart;
  const lines = benchmarks.map(({ value, label, role }) => ({
    label,
    role,
    agreed: AGREED[role],
    y: scales.y.getPixelForValue(value / divisor),
  }));
  shadeTheWay(chart, lines);
  const shown = lines
    .filter(({ y }) => y >= chartArea.top - 1 && y <= chartArea.bottom + 1)
    .sort((one, other) => Boolean(other.agreed) - Boolean(one.agreed) || one.y - other.y);
  const taken = [];
  for (const { label, y, agreed } of shown) {
    drawBenchmarkLine(chart, y, agreed);
    const sides = agreed ? ["left", "right"] : ["left"];
    const places = sides.flatMap((side) => [y - 15, y + 2].map((top) => ({ side, top })));
    const place = places.find((each) => isFree(chart, each, taken));
    if (!place) continue;
    drawBenchmarkName(chart, label, place, agreed);
    taken.push(place);
  }
}

function isFree({ chartArea }, { side, top }, taken) {
  const isOnChart = top >= chartArea.top - 16 && top + 13 <= chartArea.bottom;
  return isOnChart && taken.every((other) => other.side !== side || Math.abs(other.top - top) >= 13);
}

function shadeTheWay({ ctx, chartArea }, lines) {
  const ends = ["threshold", "target"].map((role) => lines.find((line) => line.role === role)?.y);
  if (ends.includes(undefined)) return;
  const [top, bottom] = ends.map((y) => Math.min(chartArea.bottom, Math.max(chartArea.top, y))).sort((one, other) => one - other);
  ctx.fillStyle = translucent(token("accent"), 0.08);
  ctx.fillRect(chartArea.left, top, chartArea.right - chartArea.left, bottom - top);
}

function drawBenchmarkLine({ ctx, chartArea }, y, agreed) {
  ctx.strokeStyle = token(agreed ? "ink-2" : "ink-3");
  ctx.lineWidth = agreed?.width ?? 1;
  ctx.setLineDash(agreed?.dash ?? [2, 3]);
  ctx.beginPath();
  ctx.moveTo(chartArea.left, y);
  ctx.lineTo(chartArea.right, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.lineWidth = 1;
}

function drawBenchmarkName(chart, label, { side, top }, agreed) {
  const { ctx, chartArea } = chart;
  ctx.font = LABEL_FONT(chart, agreed ? 600 : 500);
  const text = fitted(ctx, label, chartArea.right - chartArea.left - 4);
  const width = ctx.measureText(text).width + 4;
  const left = side === "left" ? chartArea.left + 1 : chartArea.right - width - 1;
  ctx.fillStyle = translucent(token("surface"), 0.82);
  ctx.fillRect(left, top, width, 13);
  ctx.fillStyle = token(agreed ? "ink-2" : "ink-3");
  ctx.textBaseline = "top";
  ctx.fillText(text, left + 2, top + 1);
}

/* A note: a line where it begins, a shade over the buckets that it covers, and a flag as wide as there is room
   before the next one.  Where there is none, the flag is a number: the list below the chart says the rest. */
const FLAG = { height: 16, above: 20, inset: 5, widest: 150, narrowest: 44 };

function drawMarks(chart, marks) {
  const { ctx, chartArea, scales } = chart;
  ctx.font = LABEL_FONT(chart, 500);
  const flags = marks.map((mark, position) => ({ ...mark, number: String(position + 1), x: scales.x.getPixelForValue(mark.index) }));
  let taken = 0;
  flags.forEach((flag, position) => {
    drawStretch(chart, flag);
    const wanted = Math.min(FLAG.widest, ctx.measureText(flag.text).width + FLAG.inset * 2);
    const next = flags[position + 1]?.x ?? Infinity;
    const end = Math.min(next - 10, chartArea.right + 2);
    const left = Math.max(taken, Math.min(flag.x - 8, end - wanted));
    const room = Math.min(wanted, end - left);
    const text = room >= Math.min(wanted, FLAG.narrowest) ? fitted(ctx, flag.text, room - FLAG.inset * 2) : flag.number;
    const width = ctx.measureText(text).width + FLAG.inset * 2;
    if (text === flag.number && flag.x - 8 < taken - 6) return; // another flag of the same bucket covers it
    drawFlag(ctx, text, Math.max(0, text === flag.number ? Math.max(taken, flag.x - 8) : left), chartArea.top - FLAG.above, width);
    taken = left + width + 4;
  });
}

function drawStretch({ ctx, chartArea, scales }, { index, last, x }) {
  const until = last > index ? scales.x.getPixelForValue(last) : x;
  if (until > x) {
    ctx.fillStyle = translucent(token("ink-3"), 0.08);
    ctx.fillRect(x, chartArea.top, until - x, chartArea.bottom - chartArea.top);
  }
  ctx.strokeStyle = token("ink-3");
  ctx.setLineDash([3, 3]);
  ctx.beginPath();
  ctx.moveTo(x, chartArea.top - 4);
  ctx.lineTo(x, chartArea.bottom);
  ctx.stroke();
  ctx.setLineDash([]);
}

function drawFlag(ctx, text, left, top, width) {
  ctx.fillStyle = token("sunken");
  ctx.strokeStyle = token("line-strong");
  ctx.beginPath();
  ctx.roundRect(left, top, width, FLAG.height, 4);
  ctx.fill();
  ctx.stroke();
  ctx.fillStyle = token("ink-2");
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + FLAG.inset, top + FLAG.height / 2 + 0.5);
}

/* Chart.js has no dashes for the edges of bars; pending and unknown parts are outlines. */
export const dashedBars = {
  id: "dashedBars",
  afterDatasetDraw(chart, { meta, index }) {
    const { outline } = chart.data.datasets[index];
    if (!outline || !meta.visible) return;
    const { ctx } = chart;
    ctx.save();
    ctx.strokeStyle = outline.colour;
    ctx.lineWidth = 1;
    ctx.setLineDash(outline.dashed ? [3, 2.5] : []);
    for (const bar of meta.data) {
      const { x, y, base, width } = bar.getProps(["x", "y", "base", "width"], true);
      const height = Math.abs(base - y);
      if (height > 2) ctx.strokeRect(x - width / 2 + 0.5, Math.min(y, base) + 1, width - 1, height - 1.5);
    }
    ctx.restore();
  },
};

/* A hatched column behind each bucket that is no whole week, month or quarter. */
export const incompleteBuckets = {
  id: "incompleteBuckets",
  beforeDatasetsDraw({ ctx, chartArea, scales: { x } }, _, { incomplete = [] }) {
    const between = x.getPixelForValue(1) - x.getPixelForValue(0) || chartArea.width;
    ctx.save();
    ctx.globalAlpha = 0.55;
    for (const { index } of incomplete) {
      const middle = x.getPixelForValue(index);
      const left = Math.max(chartArea.left, middle - between / 2);
      const right = Math.min(chartArea.right, middle + between / 2);
      ctx.fillStyle = hatched("transparent", token("line-strong"), { size: 6, width: 1 });
      ctx.fillRect(left, chartArea.top, right - left, chartArea.height);
    }
    ctx.restore();
  },
};

/* A value beyond the scale: an arrow at the edge, and where there is room a pill with the value and its sample. */
export const clippedPoints = {
  id: "clippedPoints",
  afterDatasetsDraw(chart, _, { end, print }) {
    const { ctx, chartArea } = chart;
    const points = chart.data.datasets
      .flatMap(({ real = [], facts, borderColor }, series) =>
        real.map((value, index) => ({
          value,
          text: [print(value), facts[index]].filter(Boolean).join(" · "),
          colour: borderColor,
          x: chart.getDatasetMeta(series).data[index].x,
          isShown: chart.isDatasetVisible(series),
        })),
      )
      .filter(({ value, isShown }) => isShown && value > end)
      .sort((one, other) => one.x - other.x);
    ctx.save();
    ctx.font = LABEL_FONT(chart, 600);
    for (const { x, colour } of points) drawArrow(ctx, x, chartArea.top, colour);
    let taken = -Infinity;
    for (const { x, text, colour } of points) {
      const width = ctx.measureText(text).width + 8;
      const left = x + 9 + width > chart.width ? x - 9 - width : x + 9;
      if (left < taken) continue;
      taken = left + width + 4;
      drawPill(ctx, text, left, chartArea.top - 13, width, colour);
    }
    ctx.restore();
  },
};

function drawArrow(ctx, x, bottom, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (const [right, up] of [[0, 8], [5, 0], [-5, 0]]) ctx.lineTo(x + right, bottom - up);
  ctx.fill();
}

function drawPill(ctx, text, left, top, width, colour) {
  ctx.fillStyle = token("surface");
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.roundRect(left, top, width, 16, 4);
  ctx.fill();
  ctx.stroke();
  ctx.fillStyle = token("ink");
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + 4, top + 8.5);
}

/* A diagonal hatch of two colours, as a canvas pattern. */
export function hatched(ground, line, { size = 8, width = 2.4 } = {}) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const context = tile.getContext("2d");
  context.fillStyle = ground;
  context.fillRect(0, 0, size, size);
  context.strokeStyle = line;
  context.lineWidth = width;
  context.beginPath();
  for (const offset of [-size, 0, size]) {
    context.moveTo(offset - 2, size + 2);
    context.lineTo(offset + size + 2, -2);
  }
  context.stroke();
  return context.createPattern(tile, "repeat");
}
