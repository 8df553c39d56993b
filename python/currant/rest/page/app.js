// Owns putting it together: the stream feeds the state, the state is drawn, clicks and keys become actions.

import * as actions from "./actions.js";
import { Refused } from "./api.js";
import { tick } from "./dom.js";
import { draw } from "./draw.js";
import { away } from "./format.js";
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
import { parse, view } from "./route.js";
import { sample, STEP_S } from "./samples.js";
import { search } from "./search.js";
import { changed, drawWith, note, state, unnote } from "./state.js";
import { follow } from "./stream.js";
import { nextTheme, showTheme } from "./themes.js";

const $ = (id) => document.getElementById(id);
const now = () => Date.now() / 1000;
const LOOK_S = 5;
const AGAIN_MS = 1_000;
const OVERTAKEN_MS = 400;

let route = parse();
let overtaking = 0;

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

/** A commit of this project: results and a file that are shown are older than it, so they are asked for anew. */
function overtaken(project) {
  clearTimeout(overtaking);
  overtaking = setTimeout(() => {
    if (route.view === "search" && state.search.asked) search();
    if (state.inspected?.kind === "file" && state.inspected.key === project) openRoute();
  }, OVERTAKEN_MS);
}

function close() {
  state.inspected = null;
  changed();
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

drawWith(() => draw(route, now()));
showTheme($("theme"));
addEventListener("hashchange", openRoute);
const stream = follow("/events", {
  onEvent: (kind, data) => {
    apply(kind, data);
    if (kind === "commit") overtaken(data.project_id);
  },
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
