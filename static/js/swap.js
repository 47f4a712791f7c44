/* A toggle replaces its own card: <a data-pick hx-get> (components/segmented.html) asks for its page, or for the part
   that its card came with, and puts the card of the answer in place of the old one.  Address, scroll position and focus
   stay in step; back and forward open the page anew.  Without a script the link is the page with the other option. */
const isPick = (element) => element?.matches?.("a[data-pick]");
export const TOGGLE_UNDER_WAY = "a[data-pick].htmx-request";
const partOf = (element) => element.closest("[hx-get]:not(a)");
const GIVES_UP_MS = 20000; // as long as htmx waits

let before = location.href;
let lastToggle = ""; // the id of the toggle that was used last, until something else is

document.addEventListener("htmx:configRequest", (event) => {
  const { elt: element } = event.detail;
  if (!isPick(element)) {
    // htmx remembers what this said when it was loaded; a toggle may have changed it since
    if (event.detail.verb === "get" && element.hasAttribute("hx-get")) event.detail.path = element.getAttribute("hx-get");
    return;
  }
  before = location.href;
  const page = new URL(element.href), part = partOf(element);
  event.detail.path = (part ? new URL(part.getAttribute("hx-get"), location).pathname : page.pathname) + page.search;
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (isPick(detail.elt)) detail.target.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.shouldSwap) return;
  if (!isPick(detail.requestConfig.elt)) return replacePart(detail);
  if (!detail.serverResponse.includes(`id="${detail.target.id}"`)) {
    detail.shouldSwap = false; // the card is gone with this option
    location.href = detail.requestConfig.elt.href;
    return;
  }
  detail.selectOverride = `#${detail.target.id}`;
  lastToggle = detail.requestConfig.elt.id;
  keepPlace(detail.target);
});

/* A part of the page comes anew, with new data: it takes neither a toggle that is under way in it, nor the focus. */
function replacePart(detail) {
  if (detail.target.querySelector(TOGGLE_UNDER_WAY)) {
    detail.shouldSwap = false;
    return;
  }
  const giveBack = focusWithin(detail.target);
  detail.target.addEventListener("htmx:afterSwap", () => giveBack(detail.target), { once: true });
}

/* Where the focus is within an element whose contents are about to be replaced: the function that is returned gives it
   back to what then has the same id, or else stands in the same place. */
export function focusWithin(element) {
  const focused = document.activeElement;
  if (focused === element || !element.contains(focused)) return () => {};
  const { id } = focused, path = pathTo(element, focused);
  return (successor) => {
    if (document.activeElement !== document.body) return; // it is where it was, or somebody else took it
    const again = (id && document.getElementById(id)) || path.reduce((node, index) => node?.children[index], successor);
    again?.focus({ preventScroll: true });
  };
}

/* The number of each child on the way from an ancestor to an element. */
function pathTo(ancestor, element) {
  const path = [];
  for (let node = element; node !== ancestor; node = node.parentElement) {
    path.unshift([...node.parentElement.children].indexOf(node));
  }
  return path;
}

/* The page must not become shorter, neither while what was replaced loads nor because it has less to show, nor when new
   data comes: it would scroll. */
function keepPlace(replaced) {
  const height = `${replaced.offsetHeight}px`;
  document.body.style.setProperty("min-height", `${document.documentElement.scrollHeight}px`);
  const since = Date.now();
  const holdCard = () => {
    if (document.querySelector("[aria-busy=true], .htmx-request") && Date.now() - since < GIVES_UP_MS) {
      return setTimeout(holdCard, 200);
    }
    if (replaced.id !== "content") document.getElementById(replaced.id)?.style.setProperty("min-height", height);
  };
  setTimeout(holdCard, 200);
}

/* A toggle that comes back only with what loads later is given the focus then. */
document.addEventListener("htmx:afterSettle", () => {
  if (document.activeElement === document.body) document.getElementById(lastToggle)?.focus({ preventScroll: true });
});
for (const use of ["pointerdown", "keydown"]) document.addEventListener(use, () => (lastToggle = ""), true);

/* Other links of the page, and what loads into it, keep what was chosen. */
document.addEventListener("htmx:pushedIntoHistory", () => {
  const was = new URL(before).searchParams, now = new URL(location.href);
  const changed = [...new Set([...was.keys(), ...now.searchParams.keys()])].filter(
    (name) => String(was.getAll(name)) !== String(now.searchParams.getAll(name)),
  );
  for (const link of document.querySelectorAll("a[href], [hx-get], [hx-push-url]")) {
    for (const attribute of ["href", "hx-get", "hx-push-url"]) {
      const address = link.getAttribute(attribute);
      if (address?.startsWith("/") && (attribute !== "href" || follows(link, now))) {
        link.setAttribute(attribute, withChoice(address, changed, now.searchParams));
      }
    }
  }
  for (const form of document.querySelectorAll(".hw-dates")) {
    for (const name of changed) {
      for (const field of form.querySelectorAll(`input[type=hidden][name="${name}"]`)) field.remove();
      for (const value of now.searchParams.getAll(name)) {
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      }
    }
  }
});

const follows = (link, now) => link.pathname === now.pathname || link.closest("[data-tabs]");

function withChoice(address, names, chosen) {
  const url = new URL(address, location);
  for (const name of names) {
    url.searchParams.delete(name);
    for (const value of chosen.getAll(name)) url.searchParams.append(name, value);
  }
  return url.pathname + url.search + url.hash;
}

/* What cannot be swapped is opened. */
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout", "htmx:swapError"]) {
  document.addEventListener(failure, ({ detail }) => {
    if (isPick(detail.elt) || isPick(detail.requestConfig?.elt)) location.href = (detail.requestConfig?.elt ?? detail.elt).href;
  });
}
