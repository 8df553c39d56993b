// Owns the ledger of jobs: the list, its filter, and what the queue is doing.

import { bars, trace } from "./chart.js";
import { h, when } from "./dom.js";
import { away, fullTime, number, span, words } from "./format.js";
import { button, choice, empty, lamp, meter, section } from "./parts.js";
import { inspect, view } from "./route.js";
import { finished, present, range, series } from "./samples.js";
import { byAge, nameOf, projectsByName, state } from "./state.js";

export const STATUSES = ["pending", "processing", "completed", "failed", "cancelled"];
export const TYPES = ["project_processing", "skills_extraction", "extraction", "refresh", "maintenance"];
const LAMPS = {
  pending: "waiting",
  processing: "busy",
  completed: "fresh",
  failed: "failed",
  cancelled: "off",
};

/** The shape and colour of a job's status. */
export function lampOf(job) {
  return LAMPS[job.status] ?? "off";
}

/** The word for it. */
export function statusWord(job) {
  if (job.cancelling) return "cancelling";
  if (job.status === "pending" && job.attempt > 0) return "waits to retry";
  return job.status;
}

/** Cancel or retry, whichever it can. */
export function jobButtons(job) {
  const what = `${words(job.type)} of ${nameOf(job.projectId)}`;
  if (job.status === "pending" || job.status === "processing") {
    return button(job.cancelling ? "Cancelling" : "Cancel", "cancel", {
      id: job.id,
      busy: job.cancelling || state.busy.has(`cancel:${job.id}`),
      label: `Cancel ${what}`,
    });
  }
  // Of a removed project the service retries nothing.
  const known = !job.projectId || state.projects.has(job.projectId);
  if (known && (job.status === "failed" || job.status === "cancelled")) {
    return button("Retry", "retry", {
      id: job.id,
      busy: state.busy.has(`retry:${job.id}`),
      label: `Retry ${what}`,
    });
  }
  return null;
}

function timing(job, now) {
  if (job.status === "pending" && job.runAt > now + 1)
    return ["runs ", when(job.runAt, away(job.runAt, now), fullTime(job.runAt))];
  if (job.status === "pending")
    return ["asked ", when(job.createdAt, away(job.createdAt, now), fullTime(job.createdAt))];
  if (job.status === "processing")
    return ["started ", when(job.startedAt, away(job.startedAt, now), fullTime(job.startedAt))];
  const took =
    job.startedAt !== null && job.finishedAt !== null ? `, took ${span(job.finishedAt - job.startedAt)}` : "";
  return [when(job.finishedAt, away(job.finishedAt, now), fullTime(job.finishedAt)), took];
}

function outcome(job) {
  if (job.status === "processing") {
    const share = job.progress === null ? "" : `${Math.floor(job.progress * 100)} %`;
    return [
      meter(`Progress of ${words(job.type)}`, job.progress, 1),
      h("span", { class: "said" }, [share, job.message].filter(Boolean).join(", ")),
    ];
  }
  if (job.status === "failed" || (job.status === "pending" && job.error))
    return h("span", { class: "said tone-failed" }, job.error);
  // What a finished job said last is of the time before its end.
  return h("span", { class: "said" }, job.finishedAt === null ? (job.message ?? "") : digest(job));
}

/** What a finished job says in a few words: how it was asked for, and the figures of its result. */
function digest(job) {
  const figures = Object.entries(job.result ?? {})
    .filter(([, value]) => typeof value === "number" && value > 0)
    .slice(0, 3)
    .map(
      ([name, value]) =>
        words(name).replace(/ (count|percentage)$/, "") +
        ` ${number(value)}${name.endsWith("percentage") ? " %" : ""}`,
    );
  return [job.trigger && job.trigger !== "manual" ? `by ${job.trigger}` : "", ...figures]
    .filter(Boolean)
    .join(", ");
}

/** One job as a row. */
export function jobRow(job, now) {
  const kind = lampOf(job);
  return h(
    "li",
    { class: `job is-${kind}`, "data-key": job.id },
    h("span", { class: `job-status tone-${kind}` }, lamp(kind), statusWord(job)),
    h(
      "a",
      { class: "primary job-what", "data-row": true, href: inspect("job", job.id) },
      words(job.type),
      " ",
      h("b", {}, nameOf(job.projectId)),
    ),
    h("span", { class: "job-when" }, timing(job, now)),
    h("span", { class: "job-outcome" }, outcome(job)),
    h("span", { class: "job-do" }, jobButtons(job)),
  );
}

/** Jobs as a list. */
export function jobList(jobs, now) {
  return h(
    "ul",
    { class: "jobs" },
    jobs.map((job) => jobRow(job, now)),
  );
}

/** The latest few, for the overview. */
export function recentPanel(now) {
  const jobs = byAge(state.recent).slice(0, 8);
  return section(
    "recent",
    "Latest jobs",
    h("a", { href: view("jobs") }, "All jobs"),
    jobs.length ? jobList(jobs, now) : empty("No job has run yet."),
  );
}

/** What the queue and the indexes are doing, drawn. */
export function chartsPanel(now) {
  const { queue } = state;
  const known = [...state.recent.values()].map((job) => job.createdAt);
  const reach = Math.min(60, Math.max(5, Math.ceil((now - Math.min(now, ...known)) / 60)));
  const minutes = [5, 15, 30, 60].find((each) => each >= reach);
  return section(
    "charts",
    "Throughput and queue",
    null,
    trace("Files per second", series("rate"), { ...range(), now: present("rate", state), tone: "busy" }),
    trace("Paths waiting", series("waiting"), {
      ...range(),
      now: present("waiting", state),
      tone: "waiting",
    }),
    trace("Jobs in the queue", series("queued"), { ...range(), now: present("queued", state), tone: "ink" }),
    bars("Jobs finished", finished(state.recent.values(), now, { minutes, parts: 30 }), {
      from: `−${minutes} min`,
    }),
    h(
      "dl",
      { class: "tally" },
      STATUSES.map((status) => h("div", {}, h("dt", {}, status), h("dd", {}, number(queue?.[status])))),
    ),
    queue?.oldest
      ? h("p", { class: "aside" }, `The oldest pending job has waited ${span(queue.oldest)}.`)
      : null,
  );
}

function pick(name, label, options) {
  return choice("filter", name, label, state.filter[name], options);
}

/** The whole ledger with its filter. */
export function jobsPanel(now) {
  const jobs = byAge(state.jobs);
  const filtered = Object.values(state.filter).some(Boolean);
  return section(
    "ledger",
    "Jobs",
    h(
      "form",
      { class: "filter", "aria-label": "Filter jobs" },
      pick(
        "status",
        "Status",
        STATUSES.map((status) => [status, status]),
      ),
      pick(
        "type",
        "Type",
        TYPES.map((type) => [type, words(type)]),
      ),
      pick(
        "project",
        "Project",
        projectsByName().map((project) => [project.id, project.name]),
      ),
      button("Clear", "unfilter", { quiet: true, label: "Clear the filter", disabled: !filtered }),
    ),
    jobs.length ? jobList(jobs, now) : empty(filtered ? "No job is like that." : "No job has run yet."),
    state.moreJobs
      ? h("p", { class: "more" }, button("Show older", "more-jobs", { busy: state.busy.has("more-jobs") }))
      : null,
  );
}
