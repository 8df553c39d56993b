// Owns the list of projects: one strip each, with what is true of it now and the way out of what is wrong.

import { spark } from "./chart.js";
import { h } from "./dom.js";
import { count, number } from "./format.js";
import { shown } from "./headline.js";
import { button, empty, lamp, meter, section } from "./parts.js";
import { inspect } from "./route.js";
import { range, seriesOf } from "./samples.js";
import { projectsByName, state } from "./state.js";

/** Whether a refresh of this project waits or runs. */
export function refreshing(id) {
  if (state.busy.has(`refresh:${id}`)) return true;
  return [...state.recent.values()].some(
    (job) =>
      job.projectId === id &&
      job.type === "refresh" &&
      (job.status === "pending" || job.status === "processing"),
  );
}

/** What works worse than it should, and what to do about it. The list says the names; the status, once it is
 * there, the rest. */
export function troubles(project) {
  if (!project.error && !project.degraded.length) return null;
  const full = new Map((state.status.get(project.id)?.degraded ?? []).map((one) => [one.code, one]));
  return h(
    "ul",
    { class: "troubles" },
    project.error && h("li", {}, h("span", { class: "what" }, project.error)),
    project.degraded
      .map((short) => full.get(short.code) ?? short)
      .map((one) =>
        h(
          "li",
          {},
          h("span", { class: "what" }, one.what, one.count > 1 ? ` (${number(one.count)})` : ""),
          one.fix && h("span", { class: "fix" }, h("b", {}, "Way out: "), one.fix),
        ),
      ),
  );
}

/** The button that the whole page is about. */
export function refreshButton(project) {
  const busy = refreshing(project.id);
  const idle = project.state === "removing" || project.state === "cloning";
  return button(busy ? "Refreshing" : "Refresh", "refresh", {
    id: project.id,
    busy,
    disabled: idle,
    label: `${busy ? "Refreshing" : "Refresh"} ${project.name}`,
  });
}

function strip(project, now) {
  const { lamp: kind, text } = shown(project, state, now);
  const moving = kind === "busy" && project.total && project.done < project.total;
  return h(
    "li",
    { class: `strip is-${kind}`, "data-key": project.id },
    h(
      "div",
      { class: "strip-name" },
      lamp(kind),
      h("a", { class: "primary", "data-row": true, href: inspect("project", project.id) }, project.name),
      h("span", { class: `word tone-${kind}` }, text),
    ),
    spark(`Files per second of ${project.name}`, seriesOf(project.id), range()),
    h(
      "div",
      { class: "strip-do" },
      refreshButton(project),
      button("Remove", "remove", {
        id: project.id,
        quiet: true,
        label: `Remove ${project.name}`,
        disabled: project.state === "removing",
      }),
    ),
    h(
      "div",
      { class: "strip-facts" },
      h(
        "span",
        { class: "path", title: project.root },
        project.kind === "git" ? project.source : project.root,
      ),
      project.files !== null && h("span", {}, count(project.files, "file")),
      project.symbols !== null && h("span", {}, count(project.symbols, "symbol")),
      project.failed
        ? h(
            "a",
            { class: "tone-failed", href: inspect("project", project.id) },
            `${number(project.failed)} failed`,
          )
        : null,
      project.pending ? h("span", { class: "tone-waiting" }, `${number(project.pending)} pending`) : null,
      project.clock && h("span", { class: "clock", title: "The clock of its last commit" }, project.clock),
    ),
    moving ? meter(`Progress of ${project.name}`, project.done, project.total) : null,
    troubles(project),
  );
}

/** The panel. */
export function projectsPanel(now) {
  const projects = projectsByName();
  return section(
    "projects",
    "Projects",
    button("Add project", "add", {}),
    projects.length
      ? h(
          "ul",
          { class: "strips" },
          projects.map((project) => strip(project, now)),
        )
      : state.loaded
        ? h(
            "div",
            { class: "welcome" },
            h(
              "p",
              {},
              "A project is a directory on this machine, or a git repository that is cloned. ",
              "Each has an index of its own, which follows every change on disk.",
            ),
            button("Add the first project", "add", { main: true }),
            h("p", { class: "aside" }, "Or in a terminal: ", h("code", {}, "currant project add PATH")),
          )
        : empty("Asking the service."),
  );
}
