/* Agents in their one order, with the colour token and the marker each has everywhere. */
const AGENTS = {
  claude_code: { name: "Claude Code", token: "agent-claude", marker: "circle" },
  cursor: { name: "Cursor", token: "agent-cursor", marker: "square" },
  copilot: { name: "Copilot", token: "agent-copilot", marker: "triangle" },
  codex: { name: "Codex", token: "agent-codex", marker: "diamond" },
  gemini: { name: "Gemini", token: "agent-gemini", marker: "cross" },
  none: { name: "Non-AI", token: "agent-none", marker: "dash" },
};
const OTHER = { token: "ink-2", marker: "ring" };

export const agentOf = (key) => AGENTS[key] ?? OTHER;

/* The shapes in a 10 × 10 box, as in the server's markers. */
const SHAPES = {
  circle: '<circle cx="5" cy="5" r="4"/>',
  square: '<rect x="1.5" y="1.5" width="7" height="7"/>',
  triangle: '<path d="M5 1 9.5 9h-9z"/>',
  diamond: '<path d="M5 0l5 5-5 5-5-5z"/>',
  cross: '<path d="M3.8 1h2.4v2.8H9v2.4H6.2V9H3.8V6.2H1V3.8h2.8z"/>',
  dash: '<path class="line" d="M0 5h10"/>',
  ring: '<circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" stroke-width="1.5"/>',
};

export function markerElement(key) {
  const holder = document.createElement("template");
  const kind = AGENTS[key] ? key : "other";
  holder.innerHTML = `<svg class="k ${kind}" viewBox="0 0 10 10" aria-hidden="true">${SHAPES[agentOf(key).marker]}</svg>`;
  return holder.content.firstChild;
}

/* The same marker on a canvas, centred on (x, y). */
export function drawMarker(context, marker, x, y, colour) {
  context.save();
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  if (marker === "dash") {
    context.setLineDash([3, 2]);
    context.moveTo(x - 5, y);
    context.lineTo(x + 5, y);
    context.stroke();
  } else if (marker === "ring") {
    context.lineWidth = 1.5;
    context.arc(x, y, 3.25, 0, Math.PI * 2);
    context.stroke();
  } else if (marker === "cross") {
    context.lineWidth = 2.4;
    context.moveTo(x - 4, y);
    context.lineTo(x + 4, y);
    context.moveTo(x, y - 4);
    context.lineTo(x, y + 4);
    context.stroke();
  } else {
    if (marker === "circle") context.arc(x, y, 4, 0, Math.PI * 2);
    else if (marker === "square") context.rect(x - 3.5, y - 3.5, 7, 7);
    else polygon(context, marker === "triangle" ? TRIANGLE : DIAMOND, x, y);
    context.fill();
  }
  context.restore();
}

const TRIANGLE = [[0, -4.5], [4.5, 3.5], [-4.5, 3.5]];
const DIAMOND = [[0, -5], [5, 0], [0, 5], [-5, 0]];

function polygon(context, corners, x, y) {
  corners.forEach(([dx, dy], index) => (index ? context.lineTo(x + dx, y + dy) : context.moveTo(x + dx, y + dy)));
  context.closePath();
}

/* Chart.js' own names of the markers, for tooltips and hovered points. */
export const POINT_STYLES = {
  circle: "circle", square: "rect", triangle: "triangle", diamond: "rectRot", cross: "cross", dash: "line", ring: "circle",
};
