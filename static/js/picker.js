/* The metric picker: a select of many metrics becomes a text field with a list by group that narrows as one types, like
   the search (search.js).  The select stays the form's field, so it works without a script, and whatever listens to it
   still hears its changes. */
const FEWEST = 20; // fewer are quicker to pick from a select
let pickers = 0;

const textOf = (option) => option.textContent.trim();

function enhance(select) {
  if (select.dataset.picker || select.options.length < FEWEST) return;
  const id = `picker-${++pickers}`;
  select.dataset.picker = id;
  const box = document.createElement("div");
  box.className = "hw-metric-pick";
  const input = Object.assign(document.createElement("input"), { type: "text", id, className: "hw-input", autocomplete: "off", spellcheck: false });
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list` })) input.setAttribute(name, value);
  const list = Object.assign(document.createElement("ul"), { id: `${id}-list`, hidden: true });
  list.setAttribute("role", "listbox");
  const labels = [...select.labels];
  if (labels.length) labels.forEach((label) => (label.htmlFor = id));
  else input.setAttribute("aria-label", select.getAttribute("aria-label") ?? "Metric");
  list.setAttribute("aria-label", labels[0]?.textContent.trim() ?? "Metrics");
  if (select.getAttribute("aria-describedby")) input.setAttribute("aria-describedby", select.getAttribute("aria-describedby"));
  input.disabled = select.disabled;
  select.after(box);
  box.append(select, input, list);
  select.classList.add("vh");
  select.tabIndex = -1;
  select.setAttribute("aria-hidden", "true");

  const shown = () => [...list.querySelectorAll("[role=option]")];
  const active = () => list.querySelector("[aria-selected=true]");
  const print = () => (input.value = select.selectedOptions[0] ? textOf(select.selectedOptions[0]) : "");

  function activate(item) {
    active()?.setAttribute("aria-selected", "false");
    if (!item) return input.removeAttribute("aria-activedescendant");
    item.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  function open(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    list.replaceChildren();
    let group = "";
    [...select.options].forEach((option, position) => {
      if (option.disabled || option.hidden) return; // a form may offer some of them only
      const groupOfOption = option.closest("optgroup")?.label ?? "";
      const searched = `${textOf(option)} ${option.value} ${groupOfOption}`.toLowerCase();
      if (!words.every((word) => searched.includes(word))) return;
      if (groupOfOption && groupOfOption !== group) {
        const head = Object.assign(document.createElement("li"), { className: "head", textContent: groupOfOption });
        head.setAttribute("role", "presentation");
        list.append(head);
      }
      group = groupOfOption;
      const item = Object.assign(document.createElement("li"), { id: `${id}-${position}`, textContent: textOf(option) });
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.dataset.position = position;
      list.append(item);
    });
    if (!shown().length) {
      const none = Object.assign(document.createElement("li"), { className: "head", textContent: "No metric with these words." });
      none.setAttribute("role", "presentation");
      list.append(none);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    const first = words.length
      ? shown().find((item) => item.textContent.toLowerCase().startsWith(text.trim().toLowerCase()))
      : shown().find((item) => Number(item.dataset.position) === select.selectedIndex);
    activate(first ?? shown()[0]);
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    print();
  }

  function pick(item) {
    if (item && Number(item.dataset.position) !== select.selectedIndex) {
      select.selectedIndex = Number(item.dataset.position);
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    close();
  }

  function move(by) {
    if (list.hidden) return open("");
    const all = shown();
    if (all.length) activate(all[(all.indexOf(active()) + by + all.length) % all.length]);
  }

  input.addEventListener("click", () => list.hidden && open(""));
  input.addEventListener("focus", () => {
    print(); // a script may have changed the select
    input.select();
  });
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("change", (event) => event.stopPropagation()); // the form hears the select's alone
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && isOpen) pick(active());
    else if (event.key === "Escape" && isOpen) close();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Escape closes the list, not the menu around it
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  // Only at the click: were the list hidden before, what lies below it would be clicked, and a menu around it close.
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) pick(item);
  });
  select.addEventListener("change", print);
  select.addEventListener("focus", () => input.focus());
  select.form?.addEventListener("reset", () => setTimeout(print));
  print();
}

function enhanceAll(root) {
  for (const select of root.querySelectorAll('select:is([name$="metric"], [name="metrics"], [name^="indicator"]):not([multiple])')) enhance(select);
}

enhanceAll(document);
document.addEventListener("htmx:load", (event) => enhanceAll(event.target));
