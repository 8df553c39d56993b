// Owns reading the service into `state`: everything once connected, then what the events say is different.

import { ask, encodePath, Refused, segment } from "./api.js";
import { condition } from "./headline.js";
import * as shape from "./shape.js";
import { changed, state } from "./state.js";

const PAGE = 100;
const now = () => Date.now() / 1000;

/** Read everything anew. After a broken connection nothing that is shown counts. */
export async function loadAll() {
  await Promise.all([loadProjects(), loadJobs(), loadQueue(), loadUpkeep()]);
  state.loaded = true;
  changed();
}

async function read(path, options) {
  const answer = await ask("GET", path, options);
  state.link.told = now();
  return answer;
}

/** Run `load` soon, once for many calls: `delay` ms from now, and `rest` ms after it ended the last time.
 * One at a time, and one more if asked meanwhile. */
function gathered(load, delay, rest = 0) {
  let timer = 0;
  let running = false;
  let again = false;
  let ended = -Infinity;
  return function soon() {
    if (running) again = true;
    if (timer || running) return;
    const wait = Math.max(delay, ended + rest - performance.now());
    timer = setTimeout(async () => {
      timer = 0;
      running = true;
      try {
        await load();
      } catch {
        // The event stream is what tells whether the service is there.
      }
      running = false;
      ended = performance.now();
      changed();
      if (again) {
        again = false;
        soon();
      }
    }, wait);
  };
}

async function loadProjects() {
  const answer = await read("/projects");
  const projects = shape.list(answer, "projects").map(shape.project);
  state.projects = new Map(projects.map((one) => [one.id, one]));
  for (const one of projects) {
    if (!one.indexed) continue;
    if ((one.failed ?? 0) !== (state.failures.get(one.id)?.of ?? 0)) loadFailures(one.id);
    const codes = one.degraded.map((each) => each.code).join();
    if (codes !== (state.status.get(one.id)?.codes ?? "")) loadStatus(one.id, codes);
  }
}

/** The status of one index in full; `codes` are the troubles that made it worth asking for. */
export async function loadStatus(id, codes = null) {
  if (!state.projects.get(id)?.indexed) return;
  const answer = await read(`/projects/${segment(id)}/status`, { query: { sync_ms: 0 } }).catch(() => null);
  if (!answer) return;
  state.status.set(id, { ...shape.status(answer.status), codes: codes ?? state.status.get(id)?.codes ?? "" });
  changed();
}

let jobEvents = 0;

async function loadJobs() {
  const before = jobEvents;
  const filtered = Object.values(state.filter).some(Boolean);
  const asked = [read("/jobs", { query: { limit: PAGE } })];
  if (filtered) asked.push(read("/jobs", { query: { ...state.filter, limit: PAGE } }));
  const [latest, chosen = latest] = await Promise.all(asked);
  state.recent = keyed(latest);
  state.jobs = keyed(chosen);
  state.moreJobs = chosen.next ?? null;
  // What an event told meanwhile is newer than this answer may be.
  if (jobEvents !== before) jobsSoon();
}

function keyed(answer) {
  return new Map(
    shape
      .list(answer, "jobs")
      .map((one) => shape.job(one))
      .map((job) => [job.id, job]),
  );
}

/** Older jobs, behind those that are there. */
export async function loadMoreJobs() {
  const answer = await read("/jobs", { query: { ...state.filter, limit: PAGE, cursor: state.moreJobs } });
  for (const job of shape.list(answer, "jobs").map((one) => shape.job(one))) state.jobs.set(job.id, job);
  state.moreJobs = answer.next ?? null;
  changed();
}

async function loadQueue() {
  state.queue = shape.queue(await read("/jobs/queue-status"));
}

async function loadUpkeep() {
  try {
    const [maintenance, schedules] = await Promise.all([read("/maintenance"), read("/schedules")]);
    state.maintenance = shape.list(maintenance, "tasks").map(shape.upkeepTask);
    state.schedules = shape.list(schedules, "schedules").map(shape.schedule);
    state.upkeepProblem = null;
  } catch (error) {
    // The rest of the page is worth having without it; the view of upkeep says so.
    if (!(error instanceof Refused)) throw error;
    state.upkeepProblem = error.message;
  }
}

/** Files of a project that could not be indexed, with reasons. */
export async function loadFailures(id) {
  const of = state.projects.get(id)?.failed ?? 0;
  if (!state.projects.get(id)?.indexed) return;
  try {
    const answer = await read(`/projects/${segment(id)}/failures`, { query: { limit: 100 } });
    state.failures.set(id, { of, rows: shape.list(answer, "failures") });
  } catch (error) {
    if (!(error instanceof Refused)) return;
    state.failures.set(id, { of, rows: [], error: error.message });
  }
  changed();
}

/** What has been done for a project, newest first. */
export async function loadHistory(id) {
  const answer = await read(`/projects/${segment(id)}/jobs`, { query: { limit: 20 } });
  state.history.set(
    id,
    shape.list(answer, "jobs").map((one) => shape.job(one)),
  );
  changed();
}

/** One job with everything that is known of it. */
export async function loadJob(id) {
  const answer = await read(`/jobs/${segment(id)}`);
  const job = shape.job(answer);
  if (state.recent.has(id)) state.recent.set(id, job);
  if (state.jobs.has(id)) state.jobs.set(id, job);
  return job;
}

/** The view of one file and its references. */
export async function loadFile(id, path) {
  const base = `/projects/${segment(id)}`;
  const [view, references] = await Promise.all([
    read(`${base}/files/${encodePath(path)}`),
    read(`${base}/refs/${encodePath(path)}`).catch((error) => ({ error: error.message })),
  ]);
  return { view: view.file, references: references.refs ?? references, ...shape.freshness(view) };
}

/** Definitions of one project. */
export async function find(where, { text, kind, language }, signal) {
  const query = { q: text, kind, language, limit: 60 };
  const answer = await read(`/projects/${segment(where.id)}/find`, { query, signal });
  return {
    more: answer.more === true,
    hits: shape.list(answer, "definitions").map((one) => shape.hit(one, where)),
    ...shape.freshness(answer),
  };
}

export const projectsSoon = gathered(loadProjects, 60, 500);
export const jobsSoon = gathered(loadJobs, 40, 300);
export const queueSoon = gathered(loadQueue, 60, 500);
export const upkeepSoon = gathered(loadUpkeep, 60, 1_000);

function passes(job) {
  const { status, type, project } = state.filter;
  return (
    (!status || job.status === status) &&
    (!type || job.type === type) &&
    (!project || job.projectId === project)
  );
}

/** One event of the stream. */
export function apply(kind, data) {
  state.link.told = now();
  if (kind === "job") {
    applyJob(data);
  } else if (kind === "progress") {
    applyProgress(data);
  } else if (kind === "project" || kind === "commit") {
    projectsSoon();
  } else if (kind === "health") {
    upkeepSoon();
    queueSoon();
  } else if (kind === "reset") {
    loadAll().catch(() => {});
  }
  changed();
}

function applyJob(data) {
  jobEvents += 1;
  queueSoon();
  const before = state.recent.get(data.id) ?? state.jobs.get(data.id) ?? null;
  if (!before) jobsSoon(); // an event tells a part only
  const job = shape.job(data, before);
  state.recent.set(job.id, job);
  if (passes(job)) state.jobs.set(job.id, job);
  else state.jobs.delete(job.id);
  if (job.finishedAt !== null) projectsSoon();
  const history = state.history.get(job.projectId);
  if (history) {
    const rest = history.filter((one) => one.id !== job.id);
    state.history.set(
      job.projectId,
      [job, ...rest].sort((one, other) => (one.id < other.id ? 1 : -1)),
    );
  }
  const open = state.inspected;
  if (open?.kind === "job" && open.key === job.id) {
    open.data = shape.job(data, open.data ?? before);
    if (job.finishedAt !== null || job.error)
      loadJob(job.id).then(
        (whole) => (open.data = whole) && changed(),
        () => {},
      );
  }
}

function applyProgress(data) {
  const project = state.projects.get(data.project_id);
  if (!project) return;
  Object.assign(project, shape.advance(data), { phase: data.phase ?? project.phase });
  // Good news is taken from an answer about the whole project alone, which follows.
  if (condition(project).lamp === "busy") project.fresh = false;
  projectsSoon();
}
