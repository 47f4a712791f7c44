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

/* The filter bar keeps its rows while it is at the top and folds to one once the page has scrolled. */
const bar = document.querySelector(".hw-filter:has(.unfold)");
if (bar) {
  const mark = document.createElement("div");
  mark.className = "hw-fold-mark";
  bar.before(mark);
  new IntersectionObserver(([entry]) => bar.classList.toggle("is-folded", !entry.isIntersecting)).observe(mark);
}
