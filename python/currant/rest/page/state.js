// Owns what the page knows. Views read it; `load.js` and the actions write it and call `changed`.

export const state = {
  /** connecting | live | lost | denied; `since` when it became so, `told` when the service last spoke. */
  link: { state: "connecting", since: Date.now() / 1000, told: null, retryAt: null },
  loaded: false, // the first answer is there
  projects: new Map(), // id -> project, see shape.js
  recent: new Map(), // id -> job: the latest of all
  jobs: new Map(), // id -> job: those that the filter lets through
  moreJobs: null, // cursor of older jobs of the filter, null when there are none
  queue: null,
  maintenance: [],
  schedules: [],
  upkeepProblem: null, // why these two are not told
  status: new Map(), // project id -> what only its status tells, see shape.js
  failures: new Map(), // project id -> {rows}
  history: new Map(), // project id -> jobs
  filter: { status: "", type: "", project: "" },
  search: { text: "", kind: "", language: "", project: "", busy: false, results: [], answers: [], asked: "" },
  busy: new Set(), // what a button has asked for and nobody answered yet
  notes: [], // {id, tone, text}
  inspected: null, // what the inspector shows: {kind, key, data, error}
};

let wanted = false;
let draw = () => {};

/** Who draws; called once. */
export function drawWith(view) {
  draw = view;
}

/** Something is different: draw, once, when the browser next does. */
export function changed() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => {
    wanted = false;
    draw();
  });
}

let serial = 0;

/** Say something to the person. Good news leaves by itself. */
export function note(tone, text) {
  const one = { id: ++serial, tone, text };
  state.notes = [...state.notes.filter((other) => other.text !== text), one].slice(-4);
  if (tone === "good") setTimeout(() => unnote(one.id), 6_000);
  changed();
}

/** The person has read it. */
export function unnote(id) {
  state.notes = state.notes.filter((one) => one.id !== id);
  changed();
}

/** Projects as people look for them: by name. */
export function projectsByName() {
  return [...state.projects.values()].sort((one, other) => one.name.localeCompare(other.name));
}

/** Jobs, newest first; ids are ordered by time. */
export function byAge(jobs) {
  return [...jobs.values()].sort((one, other) => (one.id < other.id ? 1 : -1));
}

/** The name of a project by its id, as long as it is known. */
export function nameOf(id) {
  return state.projects.get(id)?.name ?? (id ? "a removed project" : "the service");
}
