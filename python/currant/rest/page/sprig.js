// Owns the sprig beside the sentence: one berry for each project, in the state of its lamp. Decoration with a
// meaning; the words beside it say the same.

import { s } from "./dom.js";
import { condition, current } from "./headline.js";
import { projectsByName, state } from "./state.js";

// Where berries hang, from the stalk down: [x, y, radius].
const PLACES = [
  [17, 27, 9],
  [45, 35, 9],
  [22, 50, 9],
  [44, 57, 8.5],
  [27, 71, 8],
  [43, 76, 7.5],
  [32, 89, 7],
  [45, 92, 6],
  [36, 103, 5.5],
];

function berry(kind, [x, y, r]) {
  return s(
    "g",
    { class: `berry berry-${kind}` },
    s("path", { class: "stalk", d: `M32 ${y - 15}Q${x} ${y - 16} ${x} ${y - r}` }),
    s("circle", { cx: x, cy: y, r }),
    s("path", { class: "tip", d: `M${x - 1.6} ${y + r + 2.6}L${x} ${y + r}L${x + 1.6} ${y + r + 2.6}` }),
  );
}

/** The drawing. Worst first, so that what is left out of many is fresh. */
export function sprig(now) {
  const known = current(state, now);
  const kinds = projectsByName()
    .map(condition)
    .sort((one, other) => other.rank - one.rank)
    .map((one) => (known ? one.lamp : "unknown"))
    .slice(0, PLACES.length);
  const end = kinds.length ? PLACES[kinds.length - 1][1] - 8 : 40;
  const tall = Math.max(70, end + 22);
  return s(
    "svg",
    { class: "sprig", viewBox: `0 0 64 ${tall}`, "aria-hidden": "true" },
    s("path", { class: "stem", d: `M40 1C32 5 31 12 32 20C33 30 33 ${end - 12} 32 ${end}` }),
    s("path", { class: "leaf", d: "M38 5C45 -1 55 1 60 8C54 9 52 15 46 14C42 13 40 10 38 5Z" }),
    kinds.map((kind, index) => berry(kind, PLACES[index])),
  );
}
