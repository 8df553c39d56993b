// Owns the drawings: a line over the last minutes, and bars of finished jobs. SVG, with a sentence that says
// the same to who cannot see it.

import { h, s } from "./dom.js";
import { count, number } from "./format.js";

const WIDTH = 300;

/** A ceiling that changes seldom: 1, 2 or 5 times a power of ten. */
export function ceiling(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/** Runs of known samples as [index, value]; a null between two runs is a gap. */
export function runs(values) {
  const found = [];
  let open = null;
  values.forEach((value, index) => {
    if (value === null) open = null;
    else if (open) open.push([index, value]);
    else found.push((open = [[index, value]]));
  });
  return found;
}

function geometry(values, length, height, top) {
  const x = (index) => ((index + length - values.length) / (length - 1)) * WIDTH;
  const y = (value) => height - 1 - (value / top) * (height - 3);
  const at = ([index, value]) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`;
  return runs(values).map((run) => ({
    line: `M${run.map(at).join("L")}${run.length === 1 ? "h0.1" : ""}`,
    area: `M${x(run[0][0]).toFixed(1)},${height}L${run.map(at).join("L")}L${x(run.at(-1)[0]).toFixed(1)},${height}Z`,
  }));
}

function summary(name, unit, values, minutes, now = values.at(-1)) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return `${name}: nothing known yet.`;
  const gaps = values.length - known.length;
  const said = now === null ? "not known now" : `now ${number(now)}${unit}`;
  const most = `at most ${number(Math.max(...known))}${unit}`;
  return `${name}, last ${count(minutes, "minute")}: ${said}, ${most}${gaps ? ", with gaps while not connected" : ""}.`;
}

/** A line of `values` with its title, the value `now` (which is younger than the last sample) and its scale. */
export function trace(
  name,
  values,
  { minutes, length, now = values.at(-1) ?? null, unit = "", tone = "ink", height = 56 },
) {
  const known = values.filter((value) => value !== null);
  const top = ceiling(Math.max(1, ...known));
  const parts = geometry(values, length, height, top);
  return h(
    "figure",
    { class: `chart tone-${tone}` },
    h(
      "figcaption",
      {},
      h("span", { class: "chart-name" }, name),
      h("span", { class: "chart-now" }, number(now), unit),
    ),
    s(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${height}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": summary(name, unit, values, minutes, now),
      },
      [0.5, 1].map((part) =>
        s("line", {
          class: "grid",
          x1: 0,
          x2: WIDTH,
          y1: height - 1 - part * (height - 3),
          y2: height - 1 - part * (height - 3),
        }),
      ),
      parts.map(({ area }) => s("path", { class: "area", d: area })),
      parts.map(({ line }) => s("path", { class: "line", d: line })),
      s("line", { class: "base", x1: 0, x2: WIDTH, y1: height - 0.5, y2: height - 0.5 }),
    ),
    h(
      "div",
      { class: "scale", "aria-hidden": "true" },
      h("span", {}, `−${minutes} min`),
      h("span", {}, `full scale ${number(top)}`),
      h("span", {}, "now"),
    ),
  );
}

/** The same without letters, for a row of a list. */
export function spark(name, values, { minutes, length, height = 24 }) {
  const top = ceiling(Math.max(1, ...values.filter((value) => value !== null)));
  const parts = geometry(values, length, height, top);
  return s(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${WIDTH} ${height}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": summary(name, "", values, minutes),
    },
    parts.map(({ area }) => s("path", { class: "area", d: area })),
    parts.map(({ line }) => s("path", { class: "line", d: line })),
    s("line", { class: "base", x1: 0, x2: WIDTH, y1: height - 0.5, y2: height - 0.5 }),
  );
}

const KINDS = ["completed", "failed", "cancelled"];

/** Bars of finished jobs, stacked by how they ended. */
export function bars(name, parts, { height = 56, from }) {
  const totals = Object.fromEntries(
    KINDS.map((kind) => [kind, parts.reduce((sum, part) => sum + part[kind], 0)]),
  );
  const top = ceiling(Math.max(1, ...parts.map((part) => KINDS.reduce((sum, kind) => sum + part[kind], 0))));
  const step = WIDTH / parts.length;
  const all = totals.completed + totals.failed + totals.cancelled;
  const drawn = parts.flatMap((part, index) => {
    let base = height - 1;
    return KINDS.filter((kind) => part[kind]).map((kind) => {
      const tall = (part[kind] / top) * (height - 3);
      base -= tall;
      return s("rect", {
        class: `bar bar-${kind}`,
        x: (index * step + 0.5).toFixed(1),
        y: base.toFixed(1),
        width: (step - 1).toFixed(1),
        height: tall.toFixed(1),
      });
    });
  });
  const told = KINDS.map((kind) => `${totals[kind]} ${kind}`).join(", ");
  return h(
    "figure",
    { class: "chart" },
    h(
      "figcaption",
      {},
      h("span", { class: "chart-name" }, name),
      h("span", { class: "chart-now" }, number(all)),
    ),
    s(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${height}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `${name}: ${told}.`,
      },
      s("line", { class: "grid", x1: 0, x2: WIDTH, y1: 2, y2: 2 }),
      drawn,
      s("line", { class: "base", x1: 0, x2: WIDTH, y1: height - 0.5, y2: height - 0.5 }),
    ),
    h(
      "div",
      { class: "scale", "aria-hidden": "true" },
      h("span", {}, from),
      h("span", {}, `full scale ${number(top)}`),
      h("span", {}, "now"),
    ),
  );
}
