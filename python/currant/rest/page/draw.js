// Owns drawing the whole page: which panels a view has, the sentence, what is open, the messages.

import { h, morph, tick } from "./dom.js";
import { away, count, number } from "./format.js";
import { headline } from "./headline.js";
import { inspectorView } from "./inspector.js";
import { chartsPanel, jobsPanel, recentPanel } from "./jobs.js";
import { button, lamp } from "./parts.js";
import { projectsPanel } from "./projects.js";
import { searchPanel } from "./search.js";
import { sprig } from "./sprig.js";
import { state } from "./state.js";
import { failuresPanel, maintenancePanel, schedulesPanel } from "./upkeep.js";

const $ = (id) => document.getElementById(id);
const LINKS = {
  live: ["fresh", "live"],
  connecting: ["waiting", "connecting"],
  lost: ["failed", "not connected"],
  silent: ["failed", "no answer"],
  denied: ["failed", "no token"],
};

const VIEWS = {
  overview: (at) => [
    h(
      "div",
      { class: "columns", "data-key": "columns" },
      h("div", { class: "column" }, projectsPanel(at), recentPanel(at)),
      h("div", { class: "column" }, chartsPanel(at), failuresPanel(at)),
    ),
  ],
  jobs: (at) => [
    h(
      "div",
      { class: "columns", "data-key": "columns" },
      h("div", { class: "column" }, jobsPanel(at)),
      h("div", { class: "column" }, chartsPanel(at)),
    ),
  ],
  upkeep: (at) => [
    h(
      "div",
      { class: "columns even", "data-key": "columns" },
      h("div", { class: "column" }, maintenancePanel(at)),
      h("div", { class: "column" }, schedulesPanel(at), failuresPanel(at)),
    ),
  ],
  search: () => [searchPanel()],
};

function deniedView() {
  return h(
    "section",
    { class: "panel denied", "aria-labelledby": "denied-title" },
    h("div", { class: "panel-head" }, h("h2", { id: "denied-title" }, "How to get in")),
    h(
      "p",
      {},
      "The token lies in a file that only you can read. On the machine of the service, ",
      h("code", {}, "currant serve --show-token"),
      " prints an address with the token in it; open that, or paste the token here.",
    ),
    h(
      "form",
      { class: "token", method: "get", action: "/" },
      h("label", { for: "token" }, "Token"),
      h("input", { id: "token", name: "token", type: "password", autocomplete: "off", required: true }),
      h("button", { class: "button main" }, "Let me in"),
    ),
  );
}

function totals() {
  const projects = [...state.projects.values()];
  const sum = (name) => projects.reduce((all, one) => all + (one[name] ?? 0), 0);
  if (!projects.length) return null;
  return h(
    "dl",
    { class: "totals" },
    [
      [count(projects.length, "project").split(" ")[1], projects.length],
      ["files", sum("files")],
      ["pending", sum("pending")],
      ["failed files", sum("failed")],
    ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, number(value)))),
  );
}

/** Bring the document to what `state` says, in the view of `route`, at the moment `at`. */
export function draw(route, at) {
  const said = headline(state, at);
  const [kind, word] = LINKS[said.kind === "silent" ? "silent" : state.link.state];
  document.documentElement.dataset.link = said.kind === "silent" ? "lost" : state.link.state;
  document.title = said.kind === "fresh" ? "Currant" : `${said.text} Currant`;
  morph($("link"), lamp(kind), word);
  morph(
    $("truth"),
    sprig(at),
    h(
      "div",
      { class: `truth-text tone-${said.tone}` },
      h("h1", {}, said.text),
      h("p", {}, said.detail, said.retry ? [" ", button("Try now", "again", {})] : null),
    ),
    totals(),
  );
  if ($("news").dataset.kind !== said.kind) {
    $("news").dataset.kind = said.kind;
    $("news").textContent = said.text;
  }
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === route.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  morph(
    $("main"),
    state.link.state === "denied"
      ? deniedView()
      : h("div", { class: `view view-${route.view}`, "data-key": route.view }, VIEWS[route.view](at)),
  );
  const inside = state.link.state === "denied" ? null : inspectorView(at);
  $("inspector").hidden = inside === null;
  $("desk").classList.toggle("with-inspector", inside !== null);
  morph($("inspector"), inside);
  morph(
    $("notes"),
    state.notes.map((one) =>
      h(
        "div",
        { class: `note note-${one.tone}`, "data-key": one.id },
        h("p", {}, one.text),
        button("Dismiss", "unnote", { id: one.id, quiet: true, label: `Dismiss: ${one.text}` }),
      ),
    ),
  );
  tick(document, at, away);
}
