/* An open page follows new data.  The element [data-pulse] names an address that answers with an ETag alone, and has
   in [data-pulse-mark] the one that held when the page was made.  When it changes, the page is fetched again, each
   element [data-live] that now reads differently is replaced, and so is the card of a chart whose state is another, such
   as one that had no figures; the other charts ask for theirs anew.  Nothing else is touched: open panels and menus,
   scroll position and typed text stay, and the focus comes back to where it was. */
import { TOGGLE_UNDER_WAY, focusWithin } from "./swap.js";

const PULSE_MS = 2000;
// Data is announced a moment before it can be read, so look once more when the announcements have stopped.
const SETTLED_MS = 4000;

const followed = () => document.querySelector("[data-pulse]"); // a toggle replaces it
let known = followed()?.dataset.pulseMark;
let settling = 0;

async function beat() {
  if (document.hidden) return;
  const headers = { "If-None-Match": known };
  const answer = await fetch(followed().dataset.pulse, { headers, cache: "no-store", redirect: "error" });
  if (answer.status !== 204) return;
  known = answer.headers.get("ETag");
  await refresh();
  refreshSoon();
}

async function refresh() {
  const address = location.href;
  const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  // A toggle meanwhile has, or will have, another answer in place of this one.
  if (location.href !== address || document.querySelector(TOGGLE_UNDER_WAY)) return refreshSoon();
  for (const element of document.querySelectorAll("[data-live]")) {
    const replacement = fresh.getElementById(element.id);
    if (!replacement || replacement.innerHTML === element.innerHTML) continue;
    const giveBack = focusWithin(element);
    element.replaceChildren(...replacement.childNodes);
    htmx.process(element);
    giveBack(element);
  }
  for (const card of document.querySelectorAll("[data-chart-state]")) {
    const replacement = fresh.getElementById(card.id);
    if (!replacement || replacement.dataset.chartState === card.dataset.chartState) continue;
    const giveBack = focusWithin(card);
    card.replaceWith(replacement);
    htmx.process(replacement);
    giveBack(replacement);
  }
  document.dispatchEvent(new CustomEvent("headway:facts"));
}

function refreshSoon() {
  clearTimeout(settling);
  settling = setTimeout(() => refresh().catch(() => {}), SETTLED_MS);
}

async function live() {
  try {
    await beat();
  } catch {
    // The server is away or asks to sign in again: the figures stay, and the next beat asks again.
  }
  setTimeout(live, PULSE_MS);
}

if (followed()) live();
