/* <button data-copy="ID of the element whose text is copied">; says so on the button itself. */
const SAID_FOR_MS = 2000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = button.querySelector("[data-copy-label]");
  const said = (await copied(source)) ? "Copied" : "Press Ctrl+C";
  const before = label.dataset.before ?? (label.dataset.before = label.textContent);
  label.textContent = said;
  setTimeout(() => (label.textContent = before), SAID_FOR_MS);
});

/* Over plain HTTP from another machine there is no clipboard: select the text, so that one key does it. */
async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.dataset.copyText ?? source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return document.execCommand?.("copy") ?? false;
  }
}
