/* The outline of an Org Tree: folding, arrow keys, and dragging units and people onto a unit.
   A drop opens the same page in the side panel as the link "Move to…": what moves is shown before anything is stored. */
const editor = document.querySelector("[data-tree-editor]");
const outline = editor.querySelector(".hw-outline");
const { moveUrl, today } = editor.dataset;

function fold(button, open) {
  button.setAttribute("aria-expanded", String(open));
  button.closest("li").querySelector(":scope > ul").hidden = !open;
}

editor.querySelector(".hw-outline [aria-current]")?.scrollIntoView({ block: "nearest" });

editor.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fold]");
  if (button) fold(button, button.getAttribute("aria-expanded") !== "true");
});

/* Up and down go from unit to unit, right and left unfold and fold, or go one unit deeper and up. */
outline?.addEventListener("keydown", (event) => {
  const row = event.target.closest(".hw-unit");
  if (!row || event.metaKey || event.ctrlKey || event.altKey) return;
  const button = row.querySelector("[data-fold]");
  const isOpen = button?.getAttribute("aria-expanded") === "true";
  const rows = [...outline.querySelectorAll(".hw-unit")].filter((one) => one.checkVisibility());
  const moves = {
    ArrowDown: () => focus(rows[rows.indexOf(row) + 1]),
    ArrowUp: () => focus(rows[rows.indexOf(row) - 1]),
    ArrowRight: () => unfold(row, button, isOpen, rows[rows.indexOf(row) + 1]),
    ArrowLeft: () => (isOpen ? fold(button, false) : focus(row.parentElement.parentElement.closest("li")?.querySelector(".hw-unit"))),
    m: () => row.draggable && openMove(queryOf(row), row.querySelector(".name").textContent),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  moves[event.key]();
});

/* Of a large tree the units below come with the page of the unit. */
function unfold(row, button, isOpen, next) {
  if (!button) return row.querySelector("a.hw-i")?.click();
  return isOpen ? focus(next) : fold(button, true);
}

function focus(row) {
  row?.querySelector(".name").focus();
}

/* The panel opens links: it keeps focus, errors and the way back in one place. */
function openMove(query, name) {
  const link = document.createElement("a");
  link.href = `${moveUrl}?${query}`;
  link.dataset.panel = `Move ${name}`;
  document.body.append(link);
  link.click();
  link.remove();
}

/* What moves: a unit, a person, or everybody chosen if that person is among them. */
function queryOf(row) {
  if (row.dataset.unit) return `change=move-unit&unit=${row.dataset.unit}&on=${today}`;
  const chosen = [...editor.querySelectorAll("input[name='people']:checked")].map((box) => box.value);
  const people = chosen.includes(row.dataset.person) ? chosen : [row.dataset.person];
  return `change=move-people&on=${today}&${people.map((person) => `people=${person}`).join("&")}`;
}

if (moveUrl) {
  let dragged = null;

  editor.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[draggable='true']");
    if (!dragged) return;
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.textContent.trim());
  });
  editor.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    mark(null);
    dragged = null;
  });
  outline.addEventListener("dragover", (event) => {
    const target = targetOf(event);
    mark(target);
    if (target) event.preventDefault();
  });
  outline.addEventListener("drop", (event) => {
    const target = targetOf(event);
    if (!target) return;
    event.preventDefault();
    openMove(`${queryOf(dragged)}&target=${target.dataset.unit}`, "");
  });

  /* A unit takes anything but itself and what stands above it. */
  function targetOf(event) {
    const target = event.target.closest(".hw-unit");
    if (!dragged || !target || target === dragged) return null;
    return dragged.dataset.unit && dragged.closest("li").contains(target) ? null : target;
  }

  function mark(target) {
    for (const one of outline.querySelectorAll(".is-target")) if (one !== target) one.classList.remove("is-target");
    target?.classList.add("is-target");
  }

  editor.querySelector("[data-people-form]")?.addEventListener("submit", (event) => {
    const form = new FormData(event.target, event.submitter);
    event.preventDefault();
    openMove(new URLSearchParams(form).toString(), "people");
  });
}
