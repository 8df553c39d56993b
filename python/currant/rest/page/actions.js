// Owns what a person can make the service do, and what is said when it does not.

import { ask, Refused, segment } from "./api.js";
import { span, words } from "./format.js";
import { jobsSoon, loadMoreJobs, projectsSoon, queueSoon, upkeepSoon } from "./load.js";
import * as shape from "./shape.js";
import { changed, nameOf, note, state } from "./state.js";

/** Run one request with its button busy. What fails is told; nothing is retried behind the person's back. */
async function once(key, work) {
  if (state.busy.has(key)) return;
  state.busy.add(key);
  changed();
  try {
    await work();
  } catch (error) {
    if (error.status !== 401) note("bad", told(error)); // of a missing token the whole page speaks
  } finally {
    state.busy.delete(key);
    changed();
  }
}

function told(error) {
  if (!(error instanceof Refused)) return error.message;
  const wait = error.retryAfter ?? error.problem.retry_after;
  if (error.status === 429) return `${error.message}${wait ? ` Try again in ${span(Math.ceil(wait))}.` : ""}`;
  return error.message;
}

function keep(answer) {
  const raw = answer?.job ?? answer;
  if (!raw?.id || !raw.status) return null;
  const job = shape.job(raw);
  if (job.createdAt !== null && raw.type) state.recent.set(job.id, job);
  return job;
}

export function refresh(id) {
  return once(`refresh:${id}`, async () => {
    const answer = await ask("POST", `/projects/${segment(id)}/refresh`);
    keep(answer);
    note(
      "good",
      answer?.created === false
        ? `${nameOf(id)} is being refreshed already.`
        : `${nameOf(id)} will be refreshed.`,
    );
    jobsSoon();
    queueSoon();
  });
}

export function cancel(id) {
  return once(`cancel:${id}`, async () => {
    await ask("DELETE", `/jobs/${segment(id)}`);
    jobsSoon();
    queueSoon();
  });
}

export function retry(id) {
  return once(`retry:${id}`, async () => {
    keep(await ask("POST", `/jobs/${segment(id)}/retry`));
    note("good", "The job waits to run again.");
    jobsSoon();
    queueSoon();
  });
}

/** Add a project. Resolves to what was wrong, or null. */
export async function add(source, name) {
  try {
    const body = { source };
    if (name) body.name = name;
    const answer = await ask("POST", "/projects", { body });
    note("good", `${answer?.project?.name ?? answer?.name ?? source} was added; indexing it is a job.`);
    projectsSoon();
    jobsSoon();
    return null;
  } catch (error) {
    return told(error);
  }
}

export function remove(id) {
  return once(`remove:${id}`, async () => {
    const name = nameOf(id);
    await ask("DELETE", `/projects/${segment(id)}`);
    note("good", `${name} was removed.`);
    projectsSoon();
    jobsSoon();
  });
}

export function runTask(name) {
  return once(`run-task:${name}`, async () => {
    await ask("POST", `/maintenance/${segment(name)}`);
    upkeepSoon();
  });
}

const DONE = { trigger: "was started", pause: "is paused", resume: "goes on" };

/** Trigger, pause or resume one schedule. */
export function schedule(name, what) {
  return once(`${what}:${name}`, async () => {
    await ask("POST", `/schedules/${segment(name)}/${what}`);
    note("good", `${words(name)} ${DONE[what]}.`);
    upkeepSoon();
    jobsSoon();
  });
}

export function moreJobs() {
  return once("more-jobs", loadMoreJobs);
}
