/* The team roadmap: moving objectives and intents by dragging them and with the keyboard.
   The server moves and says what it did; the board is fetched again, so that it shows what is stored. */
const board = document.getElementById("roadmap-board");
const says = document.getElementById("roadmap-says");
const problem = document.getElementById("roadmap-problem");
const token = document.querySelector("#roadmap-token input").value;

/* Arrow keys go from cell to cell; with Shift they take along what has the focus. */
board.addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow") || event.metaKey || event.ctrlKey || event.altKey) return;
  const cell = event.target.closest("td[data-quarter]");
  if (!cell) return;
  const card = event.target.closest("[data-card]");
  if (event.shiftKey && !card?.draggable) return;
  event.preventDefault();
  if (event.shiftKey) return moveTowards(card, cell, event.key);
  if (card && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    const beside = event.key === "ArrowUp" ? card.previousElementSibling : card.nextElementSibling;
    if (beside) return beside.querySelector(".name").focus();
  }
  neighbour(cell, event.key)?.querySelector(".name, .add, a")?.focus();
});

function moveTowards(card, cell, key) {
  let target = neighbour(cell, key);
  // Rows in between, for which the viewer does not write, are passed over.
  while (target && !("open" in target.dataset) && (key === "ArrowUp" || key === "ArrowDown")) target = neighbour(target, key);
  if (!target) return tell(`“${nameOf(card)}” stays where it is: nothing is shown there.`);
  if (!("open" in target.dataset)) return tell(`“${nameOf(card)}” stays where it is: that quarter is closed.`);
  return move(card, target);
}

function neighbour(cell, key) {
  const cells = [...cell.parentElement.querySelectorAll("td[data-quarter]")];
  const at = cells.indexOf(cell);
  if (key === "ArrowLeft") return cells[at - 1];
  if (key === "ArrowRight") return cells[at + 1];
  const row = key === "ArrowUp" ? cell.parentElement.previousElementSibling : cell.parentElement.nextElementSibling;
  return row?.querySelectorAll("td[data-quarter]")[at];
}

async function move(card, cell) {
  if (cell === card.closest("td") || board.getAttribute("aria-busy") === "true") return;
  board.setAttribute("aria-busy", "true");
  problem.textContent = "";
  try {
    const body = new URLSearchParams({
      card: card.dataset.card,
      version: card.dataset.version,
      quarter: cell.dataset.quarter,
      unit: cell.closest("tr").dataset.unit,
    });
    const headers = { Accept: "application/json", "X-CSRFToken": token };
    const response = await fetch(board.dataset.moveUrl, { method: "POST", body, headers });
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    const message = isJson ? (await response.json()).message : `Nothing was moved: the server answered ${response.status}.`;
    await refresh(card.dataset.card);
    (response.ok ? tell : complain)(message); // after the focus has moved, which is read out as well
  } catch {
    complain("Nothing was moved: the server could not be reached.");
  } finally {
    board.setAttribute("aria-busy", "false");
  }
}

async function refresh(id) {
  const response = await fetch(location.href);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("roadmap-board");
  if (!fresh) return;
  board.replaceChildren(...fresh.childNodes);
  document.getElementById(id)?.focus();
}

function nameOf(card) {
  return card.querySelector(".name").textContent;
}

function tell(message) {
  says.textContent = message;
}

function complain(message) {
  problem.textContent = message;
}

let dragged = null;

board.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("[data-card][draggable='true']");
  if (!dragged) return;
  dragged.classList.add("is-dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", nameOf(dragged));
});
board.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  mark(null);
  dragged = null;
});
board.addEventListener("dragover", (event) => {
  const target = targetOf(event);
  mark(target);
  if (target) event.preventDefault();
});
board.addEventListener("drop", (event) => {
  const target = targetOf(event);
  if (!target) return;
  event.preventDefault();
  move(dragged, target);
});

function targetOf(event) {
  const cell = event.target.closest("td[data-open]");
  return dragged && cell && cell !== dragged.closest("td") ? cell : null;
}

function mark(target) {
  for (const one of board.querySelectorAll(".is-target")) if (one !== target) one.classList.remove("is-target");
  target?.classList.add("is-target");
}
