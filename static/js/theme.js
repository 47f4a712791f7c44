/* Sets the theme before the first paint: a small classic script in the head, so that no page flashes. */
(() => {
  const KEY = "headway-theme";
  const root = document.documentElement;
  const darkDevice = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be forbidden; the device then decides
    }
  };
  const choice = () => (["light", "dark"].includes(stored()) ? stored() : "auto");

  function apply() {
    const chosen = choice();
    const theme = chosen === "auto" ? (darkDevice.matches ? "dark" : "light") : chosen;
    const before = root.dataset.bsTheme;
    root.dataset.bsTheme = theme;
    root.dataset.theme = theme; // Django admin's own stylesheets read this one
    root.dataset.themeChoice = chosen;
    for (const button of document.querySelectorAll("[data-theme-choice-button]"))
      button.setAttribute("aria-pressed", String(button.dataset.themeChoiceButton === chosen));
    if (before && before !== theme) document.dispatchEvent(new CustomEvent("headway:theme"));
  }

  apply();
  darkDevice.addEventListener("change", apply);
  addEventListener("storage", (event) => event.key === KEY && apply());
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice-button]");
    if (!button) return;
    try {
      localStorage.setItem(KEY, button.dataset.themeChoiceButton);
    } catch {
      /* the choice then lasts as long as the page */
    }
    apply();
  });
})();
