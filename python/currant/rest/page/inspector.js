// Owns what is open beside the list: a project or a job. Files are in `file.js`.

import { trace } from "./chart.js";
import { h, when } from "./dom.js";
import { fileView } from "./file.js";
import { away, fullTime, number, span, words } from "./format.js";
import { shown } from "./headline.js";
import { jobButtons, jobList, lampOf, statusWord } from "./jobs.js";
import { button, empty, facts, lamp, meter } from "./parts.js";
import { refreshButton, troubles } from "./projects.js";
import { inspect } from "./route.js";
import { range, seriesOf } from "./samples.js";
import { nameOf, state } from "./state.js";

function moment(value, now) {
  return value === null ? null : when(value, away(value, now), fullTime(value));
}

function head(kind, title, ...aside) {
  return h(
    "header",
    { class: "inspector-head", "data-key": "head" },
    h(
      "div",
      { class: "crumb" },
      kind,
      button("Close", "close", { quiet: true, label: "Close the inspector" }),
    ),
    h("h2", { tabindex: -1, id: "inspector-title" }, title),
    aside,
  );
}

function languages(project) {
  if (!project.languages) return null;
  const known = Object.entries(project.languages)
    .filter(([name]) => name)
    .sort(([, one], [, other]) => other - one);
  const most = known[0]?.[1] ?? 1;
  return h(
    "ul",
    { class: "languages" },
    known
      .slice(0, 8)
      .map(([name, files]) =>
        h(
          "li",
          { "data-key": name },
          h("span", {}, name),
          meter(`Files in ${name}`, files, most),
          h("span", { class: "num" }, number(files)),
        ),
      ),
  );
}

function projectView(project, now) {
  const { lamp: kind, text } = shown(project, state, now);
  const failures = state.failures.get(project.id);
  const history = state.history.get(project.id);
  const status = state.status.get(project.id);
  return [
    head(
      "Project",
      project.name,
      h("p", { class: "inspector-state" }, lamp(kind), h("span", { class: `tone-${kind}` }, text)),
      h("div", { class: "inspector-do" }, refreshButton(project)),
    ),
    troubles(project),
    project.total && project.done < project.total
      ? meter(`Progress of ${project.name}`, project.done, project.total)
      : null,
    facts([
      ["root", h("span", { class: "path" }, project.root)],
      ["source", project.source === project.root ? null : h("span", { class: "path" }, project.source)],
      ["files", number(project.files)],
      ["failed", number(project.failed)],
      ["symbols", number(project.symbols)],
      ["pending", number(project.pending)],
      ["phase", project.phase],
      ["clock", h("span", { class: "clock" }, project.clock ?? "–")],
      ["left", project.eta ? span(Math.round(project.eta)) : null],
      [
        "noticed by",
        status?.source && `${status.source}${status.watches ? `, ${number(status.watches)} watches` : ""}`,
      ],
      [
        "last audit",
        status?.auditedAt
          ? [
              moment(status.auditedAt, now),
              status.driftFound ? `, ${number(status.driftFound)} had drifted` : ", nothing had drifted",
            ]
          : null,
      ],
      ["added", moment(project.createdAt, now)],
    ]),
    trace("Files per second", seriesOf(project.id), { ...range(), tone: "busy" }),
    project.languages && [h("h3", {}, "Languages"), languages(project)],
    h("h3", {}, "Failures"),
    failures?.rows.length
      ? h(
          "ul",
          { class: "failed-files" },
          failures.rows.map((row) =>
            h(
              "li",
              { "data-key": row.path },
              lamp("failed"),
              h("a", { class: "path", href: inspect("file", project.id, { path: row.path }) }, row.path),
              h("span", { class: "said" }, row.reason),
            ),
          ),
        )
      : empty(failures?.error ?? "Every file could be indexed."),
    status?.notes.length
      ? [
          h("h3", {}, "Notes"),
          h(
            "ul",
            { class: "troubles calm" },
            status.notes.map((one) => h("li", {}, h("span", { class: "what" }, one.what))),
          ),
        ]
      : null,
    h("h3", {}, "History"),
    history?.length
      ? jobList(history, now)
      : empty(history ? "Nothing has been done for it yet." : "Asking the service."),
  ];
}

function flat(value) {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function mapping(values) {
  return facts(
    Object.entries(values).map(([name, value]) => [words(name), value === null ? null : flat(value)]),
  );
}

function jobView(job, now) {
  const kind = lampOf(job);
  const running = job.status === "processing";
  return [
    head(
      "Job",
      `${words(job.type)} of ${nameOf(job.projectId)}`,
      h("p", { class: "inspector-state" }, lamp(kind), h("span", { class: `tone-${kind}` }, statusWord(job))),
      h("div", { class: "inspector-do" }, jobButtons(job)),
    ),
    running
      ? [
          meter("Progress of this job", job.progress, 1),
          job.message ? h("p", { class: "said" }, job.message) : null,
        ]
      : null,
    job.error ? h("p", { class: "reason" }, job.error) : null,
    facts([
      [
        "project",
        job.projectId ? h("a", { href: inspect("project", job.projectId) }, nameOf(job.projectId)) : null,
      ],
      ["asked by", [job.client, job.trigger && ` (${job.trigger})`]],
      ["priority", job.priority],
      ["attempt", job.maxAttempts ? `${job.attempt} of ${job.maxAttempts}` : String(job.attempt)],
      ["retried by hand", job.retries || null],
      ["worker lost", job.rescued || null],
      ["created", moment(job.createdAt, now)],
      ["runs", job.status === "pending" ? moment(job.runAt, now) : null],
      ["started", moment(job.startedAt, now)],
      ["finished", moment(job.finishedAt, now)],
      [
        "took",
        job.startedAt !== null && job.finishedAt !== null ? span(job.finishedAt - job.startedAt) : null,
      ],
      ["id", h("span", { class: "clock" }, job.id)],
    ]),
    job.result && Object.keys(job.result).length ? [h("h3", {}, "Result"), mapping(job.result)] : null,
    Object.keys(job.args).length ? [h("h3", {}, "Arguments"), mapping(job.args)] : null,
    job.errors.length
      ? [
          h("h3", {}, "Attempts that failed"),
          h(
            "ol",
            { class: "attempts" },
            job.errors.map((one) =>
              h(
                "li",
                {},
                h(
                  "span",
                  { class: "said" },
                  one.attempt ? `Attempt ${one.attempt}, ` : "",
                  moment(one.at ?? null, now),
                ),
                h("p", { class: "reason" }, one.error),
                one.traceback
                  ? h(
                      "details",
                      { "data-theirs": "open" },
                      h("summary", {}, "Traceback"),
                      h("pre", {}, one.traceback),
                    )
                  : null,
              ),
            ),
          ),
        ]
      : null,
  ];
}

/** The inspector's content; null when nothing is open. */
export function inspectorView(now) {
  const open = state.inspected;
  if (!open) return null;
  const title = { project: "Project", job: "Job", file: "File" }[open.kind];
  if (open.error) return [head(title, open.path ?? "Not there"), h("p", { class: "reason" }, open.error)];
  if (open.kind === "project") {
    const project = state.projects.get(open.key);
    return project
      ? projectView(project, now)
      : [
          head(title, "Not there"),
          empty(state.loaded ? "There is no such project any more." : "Asking the service."),
        ];
  }
  if (!open.data) return [head(title, open.path ?? "…"), empty("Asking the service.")];
  if (open.kind === "job") return jobView(open.data, now);
  return [head(`File of ${nameOf(open.key)}`, h("span", { class: "path" }, open.path)), fileView(open, now)];
}
