// Owns the keyboard: which key does what, and walking through rows. Rows are links, so Enter needs no help.

let last = null; // the row that had the focus, for coming back

function rows() {
  return [...document.querySelectorAll("main [data-row]")].filter((row) => row.offsetParent !== null);
}

/** Whether keys are text now. */
function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") !== null;
}

/** Walk `step` rows from the one with the focus, or the one that had it last. */
export function walk(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement.closest?.("[data-row]") ?? last);
  const to = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  all[to].focus();
  all[to].scrollIntoView({ block: "nearest" });
}

/** Back to the row that opened something. */
export function comeBack() {
  const row = last?.isConnected ? last : document.getElementById("main");
  row.focus({ preventScroll: true });
}

/** Listen. `does` maps a key to what it does; `escape` decides alone. */
export function listen(does, escape) {
  addEventListener("focusin", (event) => {
    if (event.target.matches?.("main [data-row]")) last = event.target;
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return; // Escape closes it by itself
    if (event.key === "Escape") {
      if (escape(event.target)) event.preventDefault();
      return;
    }
    if (typing(event.target)) {
      // From the search box, down leads into what it found.
      if (event.key === "ArrowDown" && event.target.type === "search") {
        event.preventDefault();
        rows()[0]?.focus();
      }
      return;
    }
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      walk(event.key === "j" ? 1 : -1);
      return;
    }
    const act = does[event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
}
