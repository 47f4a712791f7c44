/* Business reviews: the print button, and the presentation, one sheet per screen.

   Arrows, Page Up and Down and Space turn; Home and End go to the first and the last; F is full screen, Escape ends. */
const WIDTH = 1123; /* of a sheet, A4 landscape; sheets.css has the same */
const HEIGHT = 794;

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

if (document.body.matches("[data-present]")) present();

function present() {
  const sheets = [...document.querySelectorAll("[data-sheet]")];
  if (!sheets.length) return;
  const at = document.querySelector("[data-at]");
  const keys = {
    ArrowRight: () => turn(1),
    ArrowDown: () => turn(1),
    PageDown: () => turn(1),
    " ": () => turn(1),
    ArrowLeft: () => turn(-1),
    ArrowUp: () => turn(-1),
    PageUp: () => turn(-1),
    Home: () => show(0),
    End: () => show(sheets.length - 1),
    f: fullScreen,
    F: fullScreen,
    Escape: () => document.querySelector("[data-end]").click(),
  };
  let current = Math.max(0, sheets.findIndex((sheet) => `#${sheet.id}` === location.hash));

  function show(index) {
    current = Math.min(Math.max(index, 0), sheets.length - 1);
    sheets.forEach((sheet, number) => sheet.classList.toggle("now", number === current));
    at.textContent = `${current + 1} / ${sheets.length}`;
    history.replaceState(null, "", `#${sheets[current].id}`);
    document.querySelector(".hw-sheets").scrollTop = 0;
    sheets[current].focus({ preventScroll: true });
  }

  function turn(step) {
    show(current + step);
  }

  function fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  }

  function fit() {
    const zoom = Math.min(innerWidth / WIDTH, innerHeight / HEIGHT);
    document.documentElement.style.setProperty("--hw-sheet-zoom", zoom.toFixed(4));
  }

  document.body.classList.add("turning");
  document.addEventListener("keydown", (event) => {
    const does = keys[event.key];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.closest("button, a")) return;
    if (event.key === "Escape" && document.fullscreenElement) return; /* the browser leaves full screen by itself */
    event.preventDefault();
    does();
  });
  document.querySelectorAll("[data-turn]").forEach((button) => {
    button.addEventListener("click", () => turn(Number(button.dataset.turn)));
  });
  document.querySelector("[data-full]").addEventListener("click", fullScreen);
  addEventListener("resize", fit);
  fit();
  show(current);
}
