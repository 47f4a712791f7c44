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
