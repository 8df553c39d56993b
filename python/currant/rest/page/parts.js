// Owns the small pieces that several views share: lamps, buttons, sections, facts.

import { h } from "./dom.js";

/** A state as a shape and a colour; the word stands beside it, always. */
export function lamp(kind) {
  return h("span", { class: `lamp lamp-${kind}`, "aria-hidden": "true" });
}

/** A button that does something. `label` is what it is called where the text alone would not say of what. */
export function button(text, action, { label, id, busy, disabled, quiet, main, title } = {}) {
  return h(
    "button",
    {
      type: "button",
      class: `button${quiet ? " quiet" : ""}${main ? " main" : ""}`,
      "data-do": action,
      "data-id": id,
      "aria-label": label,
      "aria-busy": busy ? "true" : null,
      disabled: disabled || busy,
      title,
    },
    text,
  );
}

/** A part of the page with its heading. */
export function section(name, title, aside, ...content) {
  return h(
    "section",
    { class: `panel ${name}`, "data-key": name, "aria-labelledby": `${name}-title` },
    h("div", { class: "panel-head" }, h("h2", { id: `${name}-title` }, title), aside),
    content,
  );
}

/** Names and values, side by side; null values are left out. */
export function facts(entries) {
  return h(
    "dl",
    { class: "facts" },
    entries
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** What is said where there is nothing. */
export function empty(...text) {
  return h("p", { class: "empty" }, text);
}

/** A share of work done, drawn and said. */
export function meter(label, done, total) {
  const known = total && done !== null;
  return h("progress", {
    class: "meter",
    "aria-label": label,
    max: known ? total : null,
    value: known ? Math.min(done, total) : null,
  });
}

/** One of several values, or any. `change` is what hears of it; `value` is what is chosen now. */
export function choice(change, name, label, value, options) {
  const id = `${change}-${name}`;
  return h(
    "span",
    { class: "choice" },
    h("label", { for: id }, label),
    h(
      "select",
      { id, name, "data-change": change, "data-value": value },
      h("option", { value: "", "data-key": "" }, "any"),
      options.map(([each, text]) =>
        h("option", { value: each, "data-key": each, selected: value === each }, text),
      ),
    ),
  );
}
