/* The frame: off-canvas navigation, the filter bar that folds. */
const nav = document.getElementById("navigation");
const opener = document.querySelector("[data-nav-open]");
const narrow = matchMedia("(max-width: 760px)");

function setNavigation(isOpen) {
  nav.classList.toggle("is-open", isOpen);
  opener.setAttribute("aria-expanded", String(isOpen));
  for (const part of document.querySelectorAll(".hw-main, .hw-top")) part.inert = isOpen;
  (isOpen ? nav.querySelector("a, button") : opener).focus();
}

const isOpen = () => nav?.classList.contains("is-open");
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-nav-open]")) setNavigation(true);
  else if (event.target.closest("[data-nav-close]")) setNavigation(false);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isOpen()) setNavigation(false);
});

narrow.addEventListener("change", () => isOpen() && setNavigation(false));

/* The folds of the navigation, and the filters, stay as the reader left them; the fold of the current page is open. */
const FOLDS = "headway-folds";
let isFoldOpen = {};
try {
  isFoldOpen = JSON.parse(localStorage.getItem(FOLDS)) ?? {};
} catch {} // a browser that stores nothing
function unfold() {
  for (const group of document.querySelectorAll("[data-fold]")) if (isFoldOpen[group.dataset.fold]) group.open = true;
}
unfold();
document.addEventListener("htmx:afterSwap", unfold); // a toggle replaces the filters
document.addEventListener("click", (event) => {
  const group = event.target.closest("[data-fold] > summary")?.parentElement;
  if (!group) return;
  isFoldOpen[group.dataset.fold] = !group.open; // the browser toggles it after the click
  try {
    localStorage.setItem(FOLDS, JSON.stringify(isFoldOpen));
  } catch {}
});

/* What an address points to is not left folded. */
function reveal() {
  const fold = location.hash && document.getElementById(location.hash.slice(1))?.closest("details");
  if (fold) fold.open = true;
}
reveal();
addEventListener("hashchange", reveal);

/* An address of before the page had tabs: what it points to is on one of them. */
const anchored = location.hash && document.querySelector(`[data-tabs] [data-holds~="${CSS.escape(location.hash.slice(1))}"]`);
if (anchored && !document.getElementById(location.hash.slice(1))) location.replace(anchored.href + location.hash);

/* The filter bar folds to one row once the page has scrolled.  A margin takes the place of the rest of it (filters.css),
   because what is below must not move under the pointer. */
const FOLDS_BELOW = 100;
const filterBar = () => document.querySelector(".hw-filter:has(.unfold)"); // a toggle replaces it

function fold() {
  const bar = filterBar();
  const folds = scrollY > FOLDS_BELOW;
  if (folds === bar.classList.contains("is-folded")) return;
  const before = bar.offsetHeight;
  bar.classList.toggle("is-folded", folds);
  bar.style.setProperty("--hw-folded-by", `${before - bar.offsetHeight}px`);
}

if (filterBar()) {
  addEventListener("scroll", fold, { passive: true });
  addEventListener("resize", () => {
    filterBar().classList.remove("is-folded"); // its rows wrap anew
    fold();
  });
  document.addEventListener("htmx:afterSwap", fold);
}
