// Owns the view of one file: its record (header, definitions, notes), how fresh that is, and the references
// to and from it. The index keeps no text of files, so there is none to show.

import { h, when } from "./dom.js";
import { away, bytes, count, fullTime, gist, number } from "./format.js";
import { empty, facts, lamp } from "./parts.js";
import { inspect } from "./route.js";

function lines({ start, end }) {
  return start === end ? String(start) : `${start}–${end}`;
}

function definition(symbol, depth, line) {
  const here = line !== null && symbol.start === line;
  return h(
    "li",
    {
      class: `definition depth-${Math.min(depth, 3)}${here ? " here" : ""}`,
      "aria-current": here ? "true" : null,
    },
    h("span", { class: "num" }, lines(symbol)),
    h(
      "div",
      {},
      h("span", { class: "kind" }, symbol.kind),
      " ",
      h("b", {}, symbol.name),
      symbol.signature && h("code", { class: "signature" }, symbol.signature),
      symbol.doc && h("p", { class: "snippet" }, gist(symbol.doc)),
    ),
  );
}

/** Definitions with their depth: a definition stands inside those whose lines enclose it. */
export function nested(symbols) {
  const open = [];
  return [...symbols]
    .sort((one, other) => one.start - other.start || other.end - one.end)
    .map((symbol) => {
      while (open.length && open.at(-1).end < symbol.end) open.pop();
      const depth = open.length;
      open.push(symbol);
      return { symbol, depth };
    });
}

function header(told) {
  if (!told) return null;
  const list = (title, entries) =>
    entries?.length > 0 && [
      h("h4", {}, title),
      h(
        "ul",
        { class: "plain" },
        entries.map((one) => h("li", {}, one)),
      ),
    ];
  return h(
    "div",
    { class: "header-record" },
    told.intent && h("p", { class: "intent" }, told.intent),
    list("Design principles", told.design_principles ?? told.designPrinciples),
    list("Constraints", told.constraints),
    list(
      "Depends on",
      (told.dependencies ?? []).map((one) => `${one.name} (${one.kind})`),
    ),
    list(
      "Changes",
      (told.change_history ?? told.changeHistory ?? [])
        .slice(0, 5)
        .map((one) => [one.timestamp, one.summary].filter(Boolean).join(": ")),
    ),
  );
}

const STATES = {
  missing: "failed",
  unknown: "off",
  file: "fresh",
  directory: "fresh",
  defined: "fresh",
  url: "off",
  outside: "off",
};

function outgoing(project, one) {
  const target = one.leads_to?.[0];
  const shown = h("span", { class: "path" }, one.target);
  return h(
    "li",
    {},
    lamp(STATES[one.state] ?? "off"),
    h("span", { class: "num" }, one.line),
    target && one.state !== "directory"
      ? h("a", { href: inspect("file", project, { path: target }) }, shown)
      : shown,
    h("span", { class: "said" }, one.state === "missing" ? "leads nowhere" : one.kind),
  );
}

function incoming(project, one) {
  return h(
    "li",
    {},
    h(
      "a",
      { href: inspect("file", project, { path: one.path }) },
      h("span", { class: "path" }, `${one.path}:${one.line}`),
    ),
    h("span", { class: "said" }, one.kind),
  );
}

/** All about the file that is open. */
export function fileView({ key, line, data }, now) {
  const { view, references, clock, fresh } = data;
  const record = view.record ?? {};
  const symbols = record.symbols ?? [];
  const failed = view.state && view.state !== "ok";
  return [
    h(
      "p",
      { class: "inspector-state" },
      lamp(failed ? "failed" : fresh ? "fresh" : "waiting"),
      h(
        "span",
        {},
        failed
          ? "could not be indexed"
          : fresh
            ? "as it is on disk"
            : "the index was not fresh when it answered",
      ),
    ),
    view.reason ? h("p", { class: "reason" }, view.reason) : null,
    facts([
      ["language", view.language ?? record.language],
      ["size", view.stat ? bytes(view.stat.size) : null],
      [
        "changed",
        view.stat
          ? when(
              view.stat.mtime_ns / 1e9,
              away(view.stat.mtime_ns / 1e9, now),
              fullTime(view.stat.mtime_ns / 1e9),
            )
          : null,
      ],
      [
        "indexed",
        view.indexed_at ? when(view.indexed_at, away(view.indexed_at, now), fullTime(view.indexed_at)) : null,
      ],
      ["record", view.outdated ? "by an extractor that is not in use any more" : null],
      ["clock", clock ? h("span", { class: "clock" }, clock) : null],
      ["notes", record.notes?.length ? record.notes.join("; ") : null],
    ]),
    header(record.header),
    h("h3", {}, count(symbols.length, "definition")),
    symbols.length
      ? h(
          "ol",
          { class: "outline" },
          nested(symbols).map(({ symbol, depth }) => definition(symbol, depth, line)),
        )
      : empty("None was found in it."),
    references?.error ? h("p", { class: "reason" }, references.error) : null,
    references?.incoming
      ? [
          h("h3", {}, `Named by ${number(references.incoming.length)}`),
          references.incoming.length
            ? h(
                "ul",
                { class: "references" },
                references.incoming.map((one) => incoming(key, one)),
              )
            : empty("No file names it."),
        ]
      : null,
    references?.outgoing
      ? [
          h("h3", {}, `Names ${number(references.outgoing.length)}`),
          references.outgoing.length
            ? h(
                "ul",
                { class: "references" },
                references.outgoing.map((one) => outgoing(key, one)),
              )
            : empty("It names nothing."),
        ]
      : null,
  ];
}
