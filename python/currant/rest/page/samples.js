// Owns what the charts show: one value of each measure every two seconds, ten minutes of them.
// A moment without a connection is a gap, not a zero: nobody knows what happened then.

export const STEP_S = 2;
export const LENGTH = 300;

const RANGES_MIN = [1, 2, 5, 10]; // what the charts show: as much as there is

const measures = { rate: [], waiting: [], queued: [], running: [] };
const perProject = new Map();

function push(ring, value) {
  ring.push(value);
  if (ring.length > LENGTH) ring.shift();
}

const sum = (state, of) => [...state.projects.values()].reduce((all, one) => all + (of(one) ?? 0), 0);
const MEASURE = {
  rate: (state) => sum(state, (project) => project.rate),
  waiting: (state) => sum(state, (project) => project.pending),
  queued: (state) => state.queue?.pending ?? null,
  running: (state) => state.queue?.processing ?? null,
};

/** One measure at this moment; null when nobody knows. */
export function present(name, state) {
  return state.link.state === "live" ? MEASURE[name](state) : null;
}

/** Take one sample of `state` as it is now. */
export function sample(state) {
  for (const name of Object.keys(measures)) push(measures[name], present(name, state));
  const live = state.link.state === "live";
  for (const id of perProject.keys()) if (!state.projects.has(id)) perProject.delete(id);
  for (const project of state.projects.values()) {
    if (!perProject.has(project.id)) perProject.set(project.id, []);
    push(perProject.get(project.id), live ? (project.rate ?? 0) : null);
  }
}

/** How much the charts show now: {minutes, length}, `length` in samples. */
export function range() {
  const minutes = RANGES_MIN.find((each) => each * 60 >= measures.rate.length * STEP_S) ?? RANGES_MIN.at(-1);
  return { minutes, length: (minutes * 60) / STEP_S };
}

/** The samples of one measure, oldest first. */
export function series(name) {
  return measures[name];
}

/** Files per second of one project. */
export function seriesOf(id) {
  return perProject.get(id) ?? [];
}

/** Finished jobs in equal parts of the time up to `now`: [{completed, failed, cancelled}], oldest first. */
export function finished(jobs, now, { minutes = 60, parts = 60 } = {}) {
  const width = (minutes * 60) / parts;
  const start = now - minutes * 60;
  const made = Array.from({ length: parts }, () => ({ completed: 0, failed: 0, cancelled: 0 }));
  for (const job of jobs) {
    if (job.finishedAt === null || job.finishedAt < start || !(job.status in made[0])) continue;
    made[Math.min(parts - 1, Math.floor((job.finishedAt - start) / width))][job.status] += 1;
  }
  return made;
}
