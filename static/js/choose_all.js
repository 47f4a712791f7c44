/* A box that chooses all of a form's boxes of one name; it says so by itself when some are let go. */
document.addEventListener("change", ({ target }) => {
  const form = target.form;
  if (!form) return;
  const name = target.dataset.chooseAll;
  if (name) {
    for (const box of form.querySelectorAll(`input[name="${name}"]`)) box.checked = target.checked;
    return;
  }
  const all = form.querySelector(`[data-choose-all="${target.name}"]`);
  if (!all) return;
  const boxes = [...form.querySelectorAll(`input[name="${target.name}"]`)];
  all.checked = boxes.every((box) => box.checked);
  all.indeterminate = !all.checked && boxes.some((box) => box.checked);
});
