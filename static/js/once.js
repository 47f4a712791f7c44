/* A form is sent once: a second press before the answer arrives would write the same thing twice.  Forms whose answer
   replaces a part of the page are their script's own business. */
const PAUSE_MS = 8000; // after that the answer is lost, and the reader may try again
const sentAt = new WeakMap();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if (event.timeStamp - (sentAt.get(form) ?? -PAUSE_MS) < PAUSE_MS) event.preventDefault();
  else sentAt.set(form, event.timeStamp);
});

addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) sentAt.delete(form); // back from the answer
});
