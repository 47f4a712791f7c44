/* Menus are <details class="hw-menu">: they close on a click elsewhere and on Escape. */
document.addEventListener("click", (event) => {
  const clicked = event.target.closest("details.hw-menu");
  for (const menu of document.querySelectorAll("details.hw-menu[open]")) if (menu !== clicked) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.hw-menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/* A menu that was opened before htmx was there missed the event that asks for its contents: send it again. */
document.addEventListener("htmx:load", (event) => {
  for (const menu of event.target.querySelectorAll("details[open]")) menu.dispatchEvent(new Event("toggle"));
});

/* What did not come is asked for again: while the menu is open after a pause, else when it is opened next. */
const RETRY_MS = 3000;
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, ({ detail: { elt: contents } }) => {
    const menu = contents.closest("details.hw-menu");
    if (!menu || !contents.getAttribute("hx-trigger")?.endsWith(", retry")) return;
    const ask = () => contents.dispatchEvent(new Event("retry"));
    setTimeout(() => (menu.open ? ask() : menu.addEventListener("toggle", ask, { once: true })), RETRY_MS);
  });
}
