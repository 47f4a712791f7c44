/* The editor of a dashboard: cards are moved and resized by dragging and by keys.  Each step posts the form that its
   button would post; the server keeps the order and the widths, and says what is stored. */
const grid = document.getElementById("dash-grid");
const keys = document.getElementById("dash-keys");
const says = document.getElementById("dash-says");
const problem = document.getElementById("dash-problem");
const token = document.querySelector("#dash-steps input[name=csrfmiddlewaretoken]").value;
const WIDTHS = [3, 4, 5, 6, 7, 8, 12];

const cards = () => [...grid.querySelectorAll("[data-card]")];
const nameOf = (card) => card.dataset.name;
const widthOf = (card) => Number(card.dataset.width);

/* A card is one stop of the Tab key; what is in it can be reached by Tab from there. */
function describe() {
  cards().forEach((card, index, all) => {
    card.tabIndex = 0;
    card.setAttribute("role", "group");
    card.setAttribute("aria-roledescription", "card");
    card.setAttribute("aria-label", `${nameOf(card)}, ${index + 1} of ${all.length}, ${widthOf(card)} of 12 columns wide`);
  });
}
describe();

/* One request at a time, so that the steps are stored in their order. */
let queue = Promise.resolve(true);
function post(act, card, more = {}) {
  const body = new URLSearchParams({ act, card: card?.dataset.card ?? "", ...more });
  queue = queue.then(async () => {
    try {
      const headers = { Accept: "application/json", "X-CSRFToken": token };
      const response = await fetch(grid.dataset.actUrl, { method: "POST", body, headers });
      const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
      const answer = isJson ? await response.json() : {};
      if (!response.ok) throw new Error(answer.message ?? `the server answered ${response.status}.`);
      show(answer);
      return true;
    } catch (failure) {
      problem.hidden = false;
      problem.textContent = `Not saved: ${failure.message} `;
      problem.append(Object.assign(document.createElement("a"), { href: location.href, textContent: "Load the page again" }));
      return false;
    }
  });
  return queue;
}

function show({ saved, state, can_undo: canUndo, can_redo: canRedo }) {
  problem.hidden = true;
  const shown = document.getElementById("dash-state");
  shown.querySelector(".saved").textContent = saved;
  const tag = shown.querySelector(".hw-tag");
  tag.className = `hw-tag ${state === "Draft" ? "watch" : "good"}`;
  tag.textContent = state;
  document.querySelector("[value=undo]").disabled = !canUndo;
  document.querySelector("[value=redo]").disabled = !canRedo;
}

function tell(message) {
  says.textContent = message;
}

function place(card, index) {
  const others = cards().filter((other) => other !== card);
  const at = Math.max(0, Math.min(index, others.length));
  if (cards().indexOf(card) === at) return tell(`${nameOf(card)} stays where it is.`);
  const hadFocus = card === document.activeElement;
  grid.insertBefore(card, others[at] ?? null);
  if (hadFocus) card.focus();
  describe();
  tell(`${nameOf(card)} is now card ${at + 1} of ${others.length + 1}.`);
  post("place", card, { position: at });
}

function resize(card, width) {
  if (!width || width === widthOf(card)) return;
  setWidth(card, width);
  describe();
  tell(`${nameOf(card)} is ${width} of 12 columns wide.`);
  post("resize", card, { width });
}

function setWidth(card, width) {
  card.classList.remove(`s${widthOf(card)}`);
  card.classList.add(`s${width}`);
  card.dataset.width = width;
}

async function remove(card) {
  const next = card.nextElementSibling ?? card.previousElementSibling;
  const name = nameOf(card);
  card.remove();
  describe();
  (next?.matches("[data-card]") ? next : document.querySelector("#dash-add input, #dash-add select"))?.focus();
  tell(`${name} is removed. Undo brings it back.`);
  await post("remove", card);
}

/* The card above or below: of the nearest row in that direction the one that is closest. */
function beside(card, direction) {
  const box = card.getBoundingClientRect();
  const apart = (other) => direction * (other.getBoundingClientRect().top - box.top);
  const rows = cards().filter((other) => other !== card && apart(other) > 8).sort((a, b) => apart(a) - apart(b));
  if (!rows.length) return null;
  const row = rows.filter((other) => apart(other) - apart(rows[0]) < 8);
  const away = (other) => Math.abs(other.getBoundingClientRect().left - box.left);
  return row.sort((a, b) => away(a) - away(b))[0];
}

grid.addEventListener("keydown", (event) => {
  const card = event.target;
  if (!card.matches("[data-card]") || event.altKey) return;
  if (event.metaKey || event.ctrlKey) return;
  const index = cards().indexOf(card), step = WIDTHS.indexOf(widthOf(card));
  const act = {
    ArrowLeft: () => (event.shiftKey ? resize(card, WIDTHS[step - 1]) : place(card, index - 1)),
    ArrowRight: () => (event.shiftKey ? resize(card, WIDTHS[step + 1]) : place(card, index + 1)),
    ArrowUp: () => moveBeside(card, -1),
    ArrowDown: () => moveBeside(card, 1),
    Enter: () => card.querySelector("[data-settings]").click(),
    Delete: () => remove(card),
    Backspace: () => remove(card),
    Escape: () => card.blur(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function moveBeside(card, direction) {
  const target = beside(card, direction);
  if (target) place(card, cards().indexOf(target));
  else tell(`${nameOf(card)} stays where it is.`);
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, dialog")) return;
  const isUndo = (event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "z";
  if (isUndo) {
    event.preventDefault();
    const button = document.querySelector(event.shiftKey ? "[value=redo]" : "[value=undo]");
    queue.then(() => button.disabled || button.click());
  } else if (event.key.toLowerCase() === "a" && !event.metaKey && !event.ctrlKey && !event.altKey) {
    event.preventDefault();
    document.querySelector("#dash-add input:checked, #dash-add input, #dash-add select")?.focus();
  }
});

/* The bar with the keys of the card that has the focus. */
grid.addEventListener("focusin", (event) => {
  const card = event.target.closest("[data-card]");
  keys.hidden = event.target !== card;
  if (event.target === card) keys.querySelector("b").textContent = `${nameOf(card)} selected`;
});
grid.addEventListener("focusout", () => (keys.hidden = true));

/* The buttons of a card do the same without leaving the page. */
grid.addEventListener("submit", (event) => {
  const card = event.target.closest("[data-card]"), act = event.submitter?.value;
  if (!card || !act) return;
  event.preventDefault();
  event.submitter.closest("details")?.removeAttribute("open");
  const index = cards().indexOf(card), step = WIDTHS.indexOf(widthOf(card));
  const acts = {
    earlier: () => place(card, index - 1),
    later: () => place(card, index + 1),
    narrower: () => resize(card, WIDTHS[step - 1]),
    wider: () => resize(card, WIDTHS[step + 1]),
    remove: () => remove(card),
  };
  acts[act]?.();
  if (act !== "remove") card.focus();
});

/* Dragging: the handle moves its card, the corner gives it another width. */
grid.addEventListener("pointerdown", (event) => {
  const card = event.target.closest("[data-card]");
  if (!card || event.button) return;
  if (event.target.closest("[data-handle]")) drag(event, card);
  else if (event.target.closest("[data-corner]")) stretch(event, card);
});

function drag(event, card) {
  const start = { x: event.clientX, y: event.clientY };
  const hasMoved = ({ clientX, clientY }) => Math.hypot(clientX - start.x, clientY - start.y) > 4;
  const begin = (moved) => {
    if (moved.type === "pointermove" && !hasMoved(moved)) return;
    document.removeEventListener("pointermove", begin);
    document.removeEventListener("pointerup", begin);
    if (moved.type === "pointermove") lift(card, start);
  };
  document.addEventListener("pointermove", begin);
  document.addEventListener("pointerup", begin);
}

/* A click on the handle opens its menu, but not the one that ends a drag. */
let hasDropped = false;
grid.addEventListener("click", (event) => {
  if (hasDropped && event.target.closest("[data-handle]")) event.preventDefault();
  hasDropped = false;
});

function lift(card, start) {
  const drop = Object.assign(document.createElement("div"), { className: `hw-drop s${widthOf(card)}` });
  drop.style.setProperty("min-height", `${card.offsetHeight}px`);
  const box = card.getBoundingClientRect();
  card.classList.add("is-dragged");
  card.before(drop);
  const set = (name, value) => card.style.setProperty(name, value);
  for (const [name, value] of [["position", "fixed"], ["left", `${box.left}px`], ["top", `${box.top}px`], ["width", `${box.width}px`]]) set(name, value);
  const move = ({ clientX, clientY }) => {
    set("transform", `translate(${clientX - start.x}px, ${clientY - start.y}px) rotate(-1deg)`);
    const over = document.elementFromPoint(clientX, clientY)?.closest("[data-card], .hw-dash-end");
    if (!over || over === card) return;
    if (over.matches(".hw-dash-end")) return void grid.append(drop);
    const target = over.getBoundingClientRect();
    const isBehind = clientX > target.left + target.width / 2;
    over[isBehind ? "after" : "before"](drop);
  };
  const end = (stop) => {
    document.removeEventListener("pointermove", move);
    for (const type of ["pointerup", "pointercancel"]) document.removeEventListener(type, end, true);
    card.classList.remove("is-dragged");
    for (const name of ["position", "left", "top", "width", "transform"]) card.style.removeProperty(name);
    const others = [...grid.children].filter((child) => child !== card && child.matches("[data-card], .hw-drop"));
    const at = others.indexOf(drop);
    drop.remove();
    hasDropped = true;
    setTimeout(() => (hasDropped = false));
    card.focus();
    if (stop.type === "pointerup") place(card, at);
  };
  document.addEventListener("pointermove", move);
  for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, end, true);
}

function stretch(event, card) {
  event.preventDefault();
  const before = widthOf(card), left = card.getBoundingClientRect().left;
  const column = (grid.clientWidth + 12) / 12;
  const move = ({ clientX }) => {
    const wanted = (clientX - left) / column;
    setWidth(card, WIDTHS.reduce((best, width) => (Math.abs(width - wanted) < Math.abs(best - wanted) ? width : best)));
  };
  const end = () => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", end);
    const width = widthOf(card);
    setWidth(card, before);
    resize(card, width);
    card.focus();
  };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", end);
}

/* The form of a card offers what its kind has: its fields, the metrics that it can show, and their splits. */
function fit(form) {
  const kind = form.querySelector("[name=kind]:checked") ?? form.querySelector("[data-kind]");
  if (!kind) return;
  const word = kind.dataset.kind ?? kind.value, fields = kind.dataset.fields.split(" ");
  for (const field of form.querySelectorAll("[data-field]")) {
    field.hidden = !field.dataset.field.split(" ").some((name) => fields.includes(name));
  }
  const metric = form.querySelector("[name=metric]"), by = form.querySelector("[name=by]");
  const chosen = metric.selectedOptions[0];
  for (const option of form.querySelectorAll("[name=metric] option, [name=more] option")) {
    const isOffered = !option.dataset.kinds || option.dataset.kinds.split(" ").includes(word);
    const isOnAxis = option.parentElement.closest("[name=metric]") || word !== "trend" || !chosen?.dataset.unit || option.dataset.unit === chosen.dataset.unit;
    const isSplit = option.closest("[name=metric]") || word !== "split" || !by.value || option.dataset.splits?.split(" ").includes(by.value);
    option.hidden = option.disabled = !(isOffered && isOnAxis && isSplit && !(option.closest("[name=more]") && option.value === metric.value));
  }
  const splits = chosen?.dataset.splits?.split(" ") ?? [];
  for (const option of form.querySelectorAll("[name=by] option")) {
    option.hidden = option.disabled = Boolean(option.value) && !splits.includes(option.value);
  }
  if (by.selectedOptions[0]?.disabled) by.value = "";
  if (chosen?.disabled) metric.value = "";
}
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-card-form]");
  if (form) fit(form);
});
document.addEventListener("htmx:afterSwap", () => document.querySelectorAll("[data-card-form]").forEach(fit));
document.querySelectorAll("[data-card-form]").forEach(fit);
