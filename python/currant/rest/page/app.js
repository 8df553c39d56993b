// Owns putting it together: the stream feeds the state, the state is drawn, clicks and keys become actions.

import * as actions from "./actions.js";
import { Refused } from "./api.js";
import { h, morph, tick } from "./dom.js";
import { away, count, number } from "./format.js";
import { headline } from "./headline.js";
import { inspectorView } from "./inspector.js";
import { chartsPanel, jobsPanel, recentPanel } from "./jobs.js";
import { comeBack, listen } from "./keys.js";
import {
  apply,
  jobsSoon,
  loadAll,
  loadFailures,
  loadFile,
  loadHistory,
  loadJob,
  loadStatus,
  projectsSoon,
  queueSoon,
  upkeepSoon,
} from "./load.js";
import { button, lamp } from "./parts.js";
import { projectsPanel } from "./projects.js";
import { parse, view } from "./route.js";
import { sample, STEP_S } from "./samples.js";
import { search, searchPanel } from "./search.js";
import { sprig } from "./sprig.js";
import { changed, drawWith, note, state, unnote } from "./state.js";
import { follow } from "./stream.js";
import { nextTheme, showTheme } from "./themes.js";
import { failuresPanel, maintenancePanel, schedulesPanel } from "./upkeep.js";

const $ = (id) => document.getElementById(id);
const now = () => Date.now() / 1000;
const LOOK_S = 5;
const AGAIN_MS = 1_000;
const LINKS = {
  live: ["fresh", "live"],
  connecting: ["waiting", "connecting"],
  lost: ["failed", "not connected"],
  denied: ["failed", "no token"],
};

let route = parse();

// --- drawing -----------------------------------------------------------------------------------------------

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

function draw() {
  const at = now();
  const said = headline(state, at);
  const [kind, word] = LINKS[state.link.state];
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
  const inside = inspectorView(at);
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

// --- what is open ------------------------------------------------------------------------------------------

async function openRoute() {
  route = parse();
  const before = state.inspected;
  const same = before && before.kind === route.open && before.key === route.key && before.path === route.path;
  if (!route.open) state.inspected = null;
  else
    state.inspected = {
      kind: route.open,
      key: route.key,
      path: route.path,
      line: route.line,
      data: same ? before.data : null,
      error: null,
    };
  changed();
  if (!route.open) return;
  const open = state.inspected;
  try {
    if (open.kind === "job") open.data = await loadJob(open.key);
    else if (open.kind === "file") open.data = await loadFile(open.key, open.path);
    else await Promise.all([loadHistory(open.key), loadFailures(open.key), loadStatus(open.key)]);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return;
    open.error = error.message;
  }
  changed();
  if (!same) requestAnimationFrame(() => requestAnimationFrame(() => showOpened()));
}

function showOpened() {
  $("inspector").scrollTop = 0;
  $("inspector-title")?.focus({ preventScroll: true });
  document.querySelector("#inspector .here")?.scrollIntoView({ block: "center" });
}

function close() {
  location.hash = view(route.view);
  comeBack();
}

function leaveSearch() {
  $("find").value = "";
  Object.assign(state.search, { text: "", kind: "", language: "", project: "" });
  search();
  if (route.view === "search") location.hash = view("overview");
}

// --- clicks, forms, keys -----------------------------------------------------------------------------------

const DOES = {
  refresh: (id) => actions.refresh(id),
  cancel: (id) => actions.cancel(id),
  retry: (id) => actions.retry(id),
  "run-task": (id) => actions.runTask(id),
  trigger: (id) => actions.schedule(id, "trigger"),
  pause: (id) => actions.schedule(id, "pause"),
  resume: (id) => actions.schedule(id, "resume"),
  "more-jobs": () => actions.moreJobs(),
  again: () => stream.again(),
  unnote: (id) => unnote(Number(id)),
  close,
  "close-search": leaveSearch,
  theme: () => nextTheme($("theme")),
  help: () => $("help").showModal(),
  dismiss: (_id, element) => element.closest("dialog").close(),
  add: () => {
    $("add-error").hidden = true;
    $("add").showModal();
  },
  remove: (id) => {
    const project = state.projects.get(id);
    if (!project) return;
    $("remove").dataset.id = id;
    $("remove-name").textContent = project.name;
    $("remove-what").textContent =
      project.kind === "git"
        ? `Its clone in ${project.root} is deleted with its index. The repository it came from is not touched.`
        : `It is not kept fresh any more. The files in ${project.root} are not touched.`;
    $("remove").showModal();
  },
  unfilter: () => {
    Object.assign(state.filter, { status: "", type: "", project: "" });
    jobsSoon();
    changed();
  },
};

const SENDS = {
  search: () => {
    search();
    document.querySelector("main [data-row]")?.focus();
  },
  "add-send": async (form) => {
    const source = form.elements.source.value.trim();
    if (!source) return;
    const wrong = await actions.add(source, form.elements.name.value.trim());
    $("add-error").hidden = wrong === null;
    $("add-error").textContent = wrong ?? "";
    if (wrong !== null) return;
    form.reset();
    $("add").close();
  },
  "remove-send": () => {
    $("remove").close();
    if (state.inspected?.key === $("remove").dataset.id) close();
    actions.remove($("remove").dataset.id);
  },
};

document.addEventListener("click", (event) => {
  const element = event.target.closest("button[data-do]");
  if (element && !element.disabled) DOES[element.dataset.do]?.(element.dataset.id, element);
});

document.addEventListener("submit", (event) => {
  const send = SENDS[event.target.dataset.do];
  if (!send) return;
  event.preventDefault();
  send(event.target);
});

document.addEventListener("change", (event) => {
  const { change } = event.target.dataset;
  if (change === "filter") {
    state.filter[event.target.name] = event.target.value;
    jobsSoon();
  } else if (change === "narrow") {
    state.search[event.target.name] = event.target.value;
    search();
  }
  changed();
});

let typed = 0;
$("find").addEventListener("input", () => {
  state.search.text = $("find").value;
  clearTimeout(typed);
  typed = setTimeout(search, 140);
  if (route.view !== "search") location.hash = view("search");
});
$("find").addEventListener("search", () => !$("find").value && leaveSearch());

listen(
  {
    "/": () => $("find").select() || $("find").focus(),
    "?": DOES.help,
    a: DOES.add,
    r: () => {
      const strip =
        document.activeElement.closest(".strip")?.dataset.key ??
        (state.inspected?.kind === "project" ? state.inspected.key : null);
      if (strip) actions.refresh(strip);
      else note("bad", "Go to a project first (j, k), then r refreshes it.");
    },
    1: () => (location.hash = view("overview")),
    2: () => (location.hash = view("jobs")),
    3: () => (location.hash = view("upkeep")),
  },
  (target) => {
    if (target === $("find") || (route.view === "search" && !state.inspected)) {
      leaveSearch();
      $("main").focus({ preventScroll: true });
      return true;
    }
    if (!state.inspected) return false;
    close();
    return true;
  },
);

// --- life --------------------------------------------------------------------------------------------------

drawWith(draw);
showTheme($("theme"));
addEventListener("hashchange", openRoute);
const stream = follow("/events", {
  onEvent: apply,
  onLink: ({ state: link, retryAt = null }) => {
    if (state.link.state !== link) Object.assign(state.link, { state: link, since: now() });
    state.link.retryAt = retryAt;
    if (link === "live") begin();
    changed();
  },
});
addEventListener("denied", () => {
  Object.assign(state.link, { state: "denied", since: now() });
  changed();
});

/** Read everything anew: until it is here, nothing that is shown counts. */
async function begin() {
  state.loaded = false;
  try {
    await loadAll();
    if (route.open) openRoute();
  } catch {
    setTimeout(() => state.link.state === "live" && begin(), AGAIN_MS);
  }
}

setInterval(() => {
  sample(state);
  changed();
}, STEP_S * 1000);
// Events tell of commits; that nothing could be committed, no event tells. So somebody looks, too.
setInterval(() => {
  if (state.link.state !== "live" || document.hidden) return;
  projectsSoon();
  queueSoon();
  if (route.view === "upkeep") upkeepSoon();
}, LOOK_S * 1000);
document.addEventListener("visibilitychange", () => !document.hidden && projectsSoon());
setInterval(() => (state.link.state === "lost" ? changed() : tick(document, now(), away)), 1000);
openRoute();
