/* The side panel: <a data-panel href="…"> opens its target here, loaded by htmx.  Without a script the link is a page. */
const panel = document.getElementById("panel");
const body = document.getElementById("panel-body");
let address = "";

function open(link) {
  address = link.href;
  if (!panel.open) panel.showModal();
  panel.setAttribute("aria-label", link.dataset.panel || link.textContent.trim() || "Details");
  panel.removeAttribute("aria-labelledby");
  load();
}

async function load() {
  show("loading");
  body.setAttribute("aria-busy", "true");
  // Without a source htmx would report failures on the document, where anybody else's arrive as well.
  await htmx.ajax("GET", address, { source: body, target: body, swap: "innerHTML" });
}

function show(state) {
  body.replaceChildren(document.getElementById(`template-panel-${state}`).content.cloneNode(true));
}

function failed(reason) {
  body.setAttribute("aria-busy", "false");
  show("error");
  body.querySelector("[data-reason]").textContent = reason;
  body.querySelector("[data-panel-retry]").focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-panel-retry]")) return load();
  if (event.target.closest("[data-panel-close]") || event.target === panel) return panel.close();
  const link = event.target.closest("a[data-panel]");
  const wantsNewTab = event.metaKey || event.ctrlKey || event.shiftKey || event.button;
  if (!link || wantsNewTab) return;
  event.preventDefault();
  open(link);
});

/* What the panel was opened for is done.  The list of notes is a page of its own: it is asked for anew. */
document.addEventListener("headway:notes", () => {
  panel.close();
  if (document.querySelector("[data-notes-list]")) location.reload();
});

panel.addEventListener("close", () => body.replaceChildren()); // destroys its charts, forgets its rows

body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target !== body) return;
  body.setAttribute("aria-busy", "false");
  body.scrollTop = 0;
  const heading = body.querySelector("h1, h2");
  if (!heading) return;
  heading.id ||= "panel-title";
  heading.tabIndex = -1;
  panel.setAttribute("aria-labelledby", heading.id);
  heading.focus();
});
body.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  failed(status === 404 ? "It is no longer there, or you may not see it." : `The server answered ${status}.`);
});
body.addEventListener("htmx:sendError", () => failed("The server could not be reached."));
body.addEventListener("htmx:timeout", () => failed("The server took too long to answer."));
