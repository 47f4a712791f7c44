/* The palette: Ctrl+K (⌘K) or a link to the search opens it.  The text field keeps the focus; the arrows move through
   the list that the server answers, Enter opens what is selected.  Without a script the links lead to a page. */
const palette = document.getElementById("palette");
const text = document.getElementById("palette-text");
const results = document.getElementById("palette-results");
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
let opensFirst = false; // Enter was pressed before the answer was there

const options = () => [...results.querySelectorAll("[role=option]")];
const selected = () => results.querySelector("[aria-selected=true]");
const isStale = () => results.firstElementChild?.dataset.of !== text.value.trim().replace(/\s+/g, " ");

function open() {
  if (palette.open) return text.select();
  // the context of this page, also where a toggle has changed it since
  const address = new URL(text.dataset.search, location);
  for (const [name, value] of new URLSearchParams(location.search)) if (name !== "q") address.searchParams.append(name, value);
  text.setAttribute("hx-get", address.pathname + address.search);
  palette.showModal();
  text.select();
  text.dispatchEvent(new Event("headway:open"));
}

function select(option, { scrolls = true } = {}) {
  selected()?.setAttribute("aria-selected", "false");
  text.setAttribute("aria-expanded", String(Boolean(option)));
  if (!option) return text.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  text.setAttribute("aria-activedescendant", option.id);
  if (scrolls) option.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const all = options();
  if (all.length) select(all[(all.indexOf(selected()) + by + all.length) % all.length]);
}

function go(event) {
  const link = selected();
  if (!link) return;
  if (event?.ctrlKey || event?.metaKey) return window.open(link.href, "_blank", "noopener");
  palette.close();
  location.href = link.href;
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: (event) => {
    if (results.querySelector("[role=alert]")) text.form.submit();
    else if (isStale()) opensFirst = true;
    else go(event);
  },
};

// What is read after the list goes to its places there; it is lost with a list that was replaced meanwhile.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (!target.matches("[data-later]")) return;
  for (const value of target.querySelectorAll("[data-for]")) {
    const place = document.getElementById(value.dataset.for);
    if (!place) continue;
    place.title = value.title;
    place.replaceChildren(...value.childNodes);
  }
});

if (palette) {
  for (const key of document.querySelectorAll("[data-mod]")) key.textContent = isMac ? "⌘" : "Ctrl";

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-close]") || event.target === palette) return palette.close();
    const opensElsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.button;
    if (!event.target.closest("a[data-palette]") || opensElsewhere) return;
    event.preventDefault();
    open();
  });

  text.addEventListener("keydown", (event) => {
    if (event.isComposing || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key](event);
  });
  text.addEventListener("input", () => (opensFirst = false));
  results.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== selected()) select(option, { scrolls: false });
  });

  results.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== results) return; // values, which come later
    const answer = results.firstElementChild;
    if (answer?.dataset.of === undefined) return location.reload(); // signed out in the meantime
    results.scrollTop = 0;
    document.getElementById("palette-status").textContent = answer.dataset.said;
    document.getElementById("palette-context").textContent = answer.dataset.context ?? "";
    select(options()[0]);
    if (isStale()) return; // the answer to an earlier text; what is awaited is on its way
    if (opensFirst) go();
    opensFirst = false;
  });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    text.addEventListener(failure, () => {
      results.replaceChildren(document.getElementById("template-palette-error").content.cloneNode(true));
      select(null);
    });
  }
}
