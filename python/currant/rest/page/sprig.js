// Owns the sprig beside the sentence: one berry for each project, in the state of its lamp. Decoration with a
// meaning; the words beside it say the same.

import { s } from "./dom.js";
import { condition } from "./headline.js";
import { projectsByName, state } from "./state.js";

const MOST = 9;

function berry(kind, index) {
  const left = index % 2 === 0;
  const x = left ? 13 - index * 0.35 : 35 - index * 0.9;
  const y = 13 + index * 7.2;
  return s("g", { class: `berry berry-${kind}` }, s("path", { class: "stalk", d: `M24 ${y - 6}Q${(x + 24) / 2} ${y - 5} ${x} ${y}` }), s("circle", { cx: x, cy: y, r: 6.6 }));
}

/** The drawing. Worst first, so that what is left out of many is fresh. */
export function sprig() {
  const dark = state.link.state !== "live";
  const kinds = projectsByName()
    .map(condition)
    .sort((one, other) => other.rank - one.rank)
    .map((one) => (dark ? "unknown" : one.lamp))
    .slice(0, MOST);
  const tall = Math.max(48, 24 + kinds.length * 7.2);
  return s(
    "svg",
    { class: "sprig", viewBox: `0 0 48 ${tall}`, "aria-hidden": "true" },
    s("path", { class: "stem", d: `M30 1C22 8 25 ${tall * 0.5} 24 ${tall - 8}` }),
    kinds.map(berry),
  );
}
