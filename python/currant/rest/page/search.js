// Owns searching: the question as it is typed, the answers of each index, the results as a list.

import { Refused } from "./api.js";
import { h } from "./dom.js";
import { count, gist, number } from "./format.js";
import { find } from "./load.js";
import { button, choice, empty, section } from "./parts.js";
import { inspect } from "./route.js";
import { changed, projectsByName, state } from "./state.js";

const SHOWN = 100;
const RANKS = ["exact", "case", "prefix", "word", "part", "typo", "documentation"];

let asking = null;

/** Ask every index (or the chosen one) what `state.search` says now. A newer question ends an older one. */
export async function search() {
  asking?.abort();
  const { search: wanted } = state;
  const text = wanted.text.trim();
  if (!text) {
    Object.assign(wanted, { results: [], answers: [], busy: false, asked: "" });
    changed();
    return;
  }
  const mine = (asking = new AbortController());
  wanted.busy = true;
  changed();
  const places = projectsByName().filter(
    (one) => (!wanted.project || one.id === wanted.project) && one.state !== "removing",
  );
  const answers = await Promise.all(places.map((place) => answer(place, { ...wanted, text }, mine.signal)));
  if (asking !== mine) return;
  const results = answers.flatMap((one) => one.hits);
  // Each index has its own order, best first; between indexes the kind of match decides.
  results.sort((one, other) => rank(one) - rank(other));
  Object.assign(wanted, { busy: false, asked: text, answers, results });
  changed();
}

function rank(hit) {
  const found = RANKS.indexOf(hit.match);
  return found < 0 ? RANKS.length : found;
}

async function answer(place, wanted, signal) {
  if (!place.indexed) return { place, hits: [], error: place.error ?? "it has no index yet", fresh: false };
  try {
    return { place, ...(await find(place, wanted, signal)) };
  } catch (error) {
    if (signal.aborted) return { place, hits: [] };
    const why = error instanceof Refused ? error.message : "does not answer";
    return { place, hits: [], error: why, fresh: false };
  }
}

/** The parts of `name` that were asked for, marked. */
function marked(name, wanted) {
  const at = name.toLowerCase().indexOf(wanted.toLowerCase());
  if (at < 0 || !wanted) return name;
  const end = at + wanted.length;
  return [name.slice(0, at), h("mark", {}, name.slice(at, end)), name.slice(end)];
}

function result(hit) {
  const key = `${hit.projectId}:${hit.path}:${hit.start}:${hit.name}`;
  const text = hit.snippet || gist(hit.doc);
  return h(
    "li",
    { class: "hit", "data-key": key },
    h("span", { class: "kind" }, hit.kind),
    h(
      "a",
      {
        class: "primary",
        "data-row": true,
        href: inspect("file", hit.projectId, { path: hit.path, line: hit.start }),
      },
      marked(hit.name, state.search.asked),
      hit.parent && h("span", { class: "parent" }, " in ", hit.parent),
    ),
    h(
      "span",
      { class: "place" },
      h("span", { class: "of" }, hit.project),
      " ",
      h("span", { class: "path" }, `${hit.path}:${hit.start}`),
    ),
    hit.signature && hit.kind !== "heading" && h("code", { class: "signature" }, hit.signature),
    text && h("span", { class: "snippet" }, text),
  );
}

/** What each index said of its own freshness: an answer is worth no more than that. */
function caveats() {
  const partial = state.search.answers.filter((one) => one.error || !one.fresh);
  if (!partial.length) return null;
  return h(
    "ul",
    { class: "caveats" },
    partial.map(({ place, error, progress, outstanding }) => {
      if (error) return h("li", {}, h("b", {}, place.name), ` gave no answer: ${error}`);
      const done = progress?.total
        ? `: ${number(progress.done)} of ${number(progress.total)} files are indexed`
        : "";
      const paths =
        !done && outstanding?.length ? `: ${count(outstanding.length, "path")} were not read yet` : "";
      return h(
        "li",
        {},
        h("b", {}, place.name),
        ` answered from an index that is not fresh${done || paths}.`,
      );
    }),
  );
}

function pick(name, label, options) {
  return choice("narrow", name, label, state.search[name], options);
}

function values(name) {
  const found = new Set(state.search.results.map((hit) => hit[name]).filter(Boolean));
  if (state.search[name]) found.add(state.search[name]);
  return [...found].sort().map((value) => [value, value]);
}

/** The results. */
export function searchPanel() {
  const { asked, busy, results, text } = state.search;
  const said = !asked
    ? ""
    : `${count(results.length, "definition")}${results.length > SHOWN ? `, the best ${SHOWN}` : ""}`;
  return section(
    "results",
    asked ? ["Results for ", h("q", {}, asked)] : "Search",
    h(
      "form",
      { class: "filter", "aria-label": "Narrow the results" },
      pick("kind", "Kind", values("kind")),
      pick("language", "Language", values("language")),
      pick(
        "project",
        "Project",
        projectsByName().map((one) => [one.id, one.name]),
      ),
      button("Close", "close-search", { quiet: true, label: "Close the search" }),
    ),
    h("p", { class: "said", role: "status" }, busy ? "Searching." : said),
    caveats(),
    results.length
      ? h("ul", { class: "hits" }, results.slice(0, SHOWN).map(result))
      : asked && !busy
        ? empty("No definition is called that, and no documentation has these words.")
        : text
          ? null
          : empty("Part of a name, or words of a documentation."),
  );
}
