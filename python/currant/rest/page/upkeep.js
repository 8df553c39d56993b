// Owns the view of what keeps the service in shape: maintenance statistics, schedules, failures.

import { h, when } from "./dom.js";
import { away, fullTime, number, span, taskName, words } from "./format.js";
import { button, empty, lamp, section } from "./parts.js";
import { inspect } from "./route.js";
import { byAge, projectsByName, state } from "./state.js";
import { jobList } from "./jobs.js";

const FIGURES = new Set(["Runs", "Mean", "Skipped"]);

function cell(label, ...content) {
  return h("td", { "data-label": label }, content);
}

function figure(label, text) {
  return h("td", { "data-label": label, class: "num" }, text);
}

function moment(value, now) {
  return value === null ? "–" : when(value, away(value, now), fullTime(value));
}

function table(caption, heads, rows) {
  return h(
    "table",
    { "aria-label": caption },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head) => h("th", { scope: "col", class: FIGURES.has(head) ? "num" : null }, head)),
      ),
    ),
    h("tbody", {}, rows),
  );
}

/** Every maintenance task, as its statistics have it over restarts. */
export function maintenancePanel(now) {
  const rows = state.maintenance.map((task) =>
    h(
      "tr",
      { "data-key": task.name },
      h(
        "th",
        { scope: "row" },
        lamp(
          task.lastError && task.lastErrorAt >= (task.lastRun ?? 0) - 1
            ? "failed"
            : task.runs
              ? "fresh"
              : "off",
        ),
        taskName(task.name),
      ),
      cell("Last run", moment(task.lastRun, now)),
      figure("Runs", number(task.runs)),
      figure("Mean", span(task.mean)),
      figure("Skipped", number(task.skipped)),
      cell(
        "Errors",
        h("span", { class: task.errors ? "tone-failed" : null }, number(task.errors)),
        task.lastError ? h("span", { class: "said" }, task.lastError) : null,
      ),
      cell(
        "",
        button("Run now", "run-task", {
          id: task.name,
          quiet: true,
          busy: state.busy.has(`run-task:${task.name}`),
          label: `Run ${taskName(task.name)} now`,
        }),
      ),
    ),
  );
  return section(
    "maintenance",
    "Maintenance",
    null,
    rows.length
      ? table("Maintenance tasks", ["Task", "Last run", "Runs", "Mean", "Skipped", "Errors", ""], rows)
      : empty(state.upkeepProblem ?? "No task is known."),
  );
}

function scheduleButtons({ name, paused }) {
  const act = paused ? "resume" : "pause";
  return [
    button(paused ? "Resume" : "Pause", act, {
      id: name,
      quiet: true,
      busy: state.busy.has(`${act}:${name}`),
      label: `${paused ? "Resume" : "Pause"} ${words(name)}`,
    }),
    button("Run now", "trigger", {
      id: name,
      quiet: true,
      busy: state.busy.has(`trigger:${name}`),
      label: `Run ${words(name)} now`,
    }),
  ];
}

/** How often it is due. */
export function rhythm({ enabled, interval }) {
  return enabled && interval ? `every ${span(interval)}` : "never by itself";
}

/** What is wrong with a schedule: it cannot run at all, or its last run failed. */
function wrongWith({ problem, lastError, lastErrorAt, lastRun }) {
  return problem ?? (lastError && lastErrorAt >= (lastRun ?? 0) - 1 ? lastError : null);
}

function scheduleLamp(one) {
  if (wrongWith(one)) return "failed";
  return one.paused || !one.enabled ? "off" : "fresh";
}

/** What the clock starts. */
export function schedulesPanel(now) {
  const rows = state.schedules.map((one) =>
    h(
      "tr",
      { "data-key": one.name },
      h("th", { scope: "row", title: one.what }, lamp(scheduleLamp(one)), words(one.name)),
      cell("When", rhythm(one), wrongWith(one) ? h("span", { class: "said" }, wrongWith(one)) : null),
      cell("Next", one.paused ? "paused" : moment(one.next, now)),
      cell("", ...scheduleButtons(one)),
    ),
  );
  return section(
    "schedules",
    "Schedules",
    null,
    rows.length
      ? table("Schedules", ["Task", "When", "Next", ""], rows)
      : empty(state.upkeepProblem ?? "No schedule is set."),
  );
}

/** Files that could not be indexed and jobs that failed, with reasons. */
export function failuresPanel(now) {
  const files = projectsByName().flatMap((project) =>
    (state.failures.get(project.id)?.rows ?? []).map((row) => ({ project, row })),
  );
  const jobs = byAge(state.recent)
    .filter((job) => job.status === "failed")
    .slice(0, 5);
  return section(
    "failures",
    "Failures",
    null,
    !files.length && !jobs.length ? empty("Nothing has failed.") : null,
    files.length
      ? h(
          "ul",
          { class: "failed-files" },
          files.slice(0, 12).map(({ project, row }) =>
            h(
              "li",
              { "data-key": `${project.id}:${row.path}` },
              lamp("failed"),
              h(
                "a",
                {
                  class: "path primary",
                  "data-row": true,
                  href: inspect("file", project.id, { path: row.path }),
                },
                row.path,
              ),
              h("span", { class: "of" }, project.name),
              h("span", { class: "said" }, row.reason),
            ),
          ),
        )
      : null,
    files.length > 12
      ? h("p", { class: "aside" }, `${number(files.length - 12)} more: see their projects.`)
      : null,
    jobs.length ? jobList(jobs, now) : null,
  );
}
