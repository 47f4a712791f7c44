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
  const more = event.target.closest("[data-filters-toggle]");
  if (more) more.setAttribute("aria-expanded", String(more.closest(".hw-frow").classList.toggle("is-open")));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isOpen()) setNavigation(false);
});

narrow.addEventListener("change", () => isOpen() && setNavigation(false));

/* The filter bar folds to one row once the page has scrolled.  Folding moves what is below it up, so the place where
   it unfolds lies well above the place where it folds. */
const FOLDS_BELOW = 160;
const UNFOLDS_ABOVE = 40;
const bar = document.querySelector(".hw-filter:has(.unfold)");

function fold() {
  if (scrollY > FOLDS_BELOW) bar.classList.add("is-folded");
  else if (scrollY < UNFOLDS_ABOVE) bar.classList.remove("is-folded");
}

if (bar) addEventListener("scroll", fold, { passive: true });
