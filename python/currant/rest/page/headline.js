// Owns the one sentence at the top: what is true of all indexes now. The worst news goes first, and what is
// not known is never called good. Pure: state and the time in, a sentence out.

import { clockTime, count, number, span } from "./format.js";

const SILENT_S = 20; // it is asked every five

/** Whether what the service said last still counts: it is connected, and has said it lately. */
export function current(state, now) {
  return state.link.state === "live" && state.loaded && now - state.link.told <= SILENT_S;
}

/** The condition as it may be shown: what was told before the service went away is no news. */
export function shown(project, state, now) {
  const judged = condition(project);
  return current(state, now) ? judged : { ...judged, lamp: "off", text: `last known: ${judged.text}` };
}

/** What is wrong or going on with one project: {lamp, text, rank}; rank 0 is "nothing". */
export function condition(project) {
  if (project.state === "failed") return { lamp: "failed", rank: 6, text: "failed" };
  if (project.state === "missing") return { lamp: "failed", rank: 6, text: "its directory is gone" };
  if (project.state === "removing") return { lamp: "waiting", rank: 1, text: "being removed" };
  if (project.state === "new") return { lamp: "waiting", rank: 3, text: "waits for its first index" };
  if (project.state === "cloning") return { lamp: "busy", rank: 4, text: "being cloned" };
  if (
    project.state === "indexing" ||
    project.phase === "scanning" ||
    project.phase === "indexing" ||
    project.phase === "rebuilding"
  ) {
    return { lamp: "busy", rank: 4, text: advanceText(project) };
  }
  if (!project.fresh) {
    const text = project.pending ? `${count(project.pending, "path")} behind` : "not known to be fresh";
    return { lamp: "waiting", rank: 5, text };
  }
  if (project.degraded.length) return { lamp: "degraded", rank: 2, text: "fresh, but degraded" };
  return { lamp: "fresh", rank: 0, text: "fresh" };
}

function advanceText(project) {
  const verb =
    project.phase === "rebuilding"
      ? "being made anew"
      : project.phase === "scanning"
        ? "scanning"
        : "indexing";
  if (!project.total || project.done === null || project.done >= project.total) return verb;
  return `${verb}, ${number(project.done)} of ${number(project.total)} files`;
}

function old(told, now) {
  const age = span(Math.max(0, Math.round(now - told)));
  return `What you see was told at ${clockTime(told)}, ${age} ago, and may be wrong by now.`;
}

/** {tone, kind, text, detail, retry}: `kind` changes only when the news does. */
export function headline(state, now) {
  const { link } = state;
  if (link.state === "denied") {
    return { tone: "failed", kind: "denied", text: "This service wants its token.", detail: "" };
  }
  if (link.state === "lost") {
    const told = link.told ? old(link.told, now) : "Nothing is known yet.";
    const next = link.retryAt ? Math.ceil(link.retryAt / 1000 - now) : 0;
    return {
      tone: "failed",
      kind: "lost",
      text: "Not connected.",
      detail: `${told} ${next > 0 ? `Trying again in\u00a0${next}\u00a0s.` : "Trying again."}`,
      retry: true,
    };
  }
  if (state.loaded && now - link.told > SILENT_S) {
    return {
      tone: "failed",
      kind: "silent",
      text: "The service has gone quiet.",
      detail: old(link.told, now),
      retry: true,
    };
  }
  if (!state.loaded) return { tone: "waiting", kind: "connecting", text: "Asking the service.", detail: "" };
  const projects = [...state.projects.values()];
  const told = `As told at ${clockTime(link.told ?? now)}; changes arrive as they are committed.`;
  if (!projects.length) {
    return {
      tone: "idle",
      kind: "empty",
      text: "Nothing is indexed yet.",
      detail: "Add a directory or a git URL; it is kept fresh from then on.",
    };
  }
  const judged = projects
    .map((project) => ({ project, ...condition(project) }))
    .sort((one, other) => other.rank - one.rank);
  const worst = judged[0];
  if (!worst.rank) {
    const text =
      projects.length === 1
        ? `${worst.project.name} is fresh.`
        : `All ${number(projects.length)} projects are fresh.`;
    return { tone: "fresh", kind: "fresh", text, detail: told };
  }
  const same = judged.filter((one) => one.rank === worst.rank);
  const fine = judged.filter((one) => one.rank === 0 || one.rank === 2).length;
  const others = fine ? ` ${fine === 1 ? "1 project is" : `${number(fine)} projects are`} fresh.` : "";
  return {
    tone: worst.lamp,
    kind: `${worst.rank}:${same.map((one) => one.project.id).join()}`,
    text: sentence(same),
    detail: told + others,
  };
}

function sentence(same) {
  const [{ project, rank, text }] = same;
  const many = `${number(same.length)} projects`;
  if (rank === 6)
    return same.length > 1 ? `${many} are not being indexed.` : `${project.name} is not being indexed.`;
  if (rank === 5) {
    const waiting = same.reduce((sum, one) => sum + (one.project.pending ?? 0), 0);
    if (same.length > 1)
      return `${many} are catching up${waiting ? `: ${count(waiting, "path")} wait` : ""}.`;
    return waiting ? `${project.name} is ${text}.` : `${project.name} is not known to be fresh.`;
  }
  if (rank === 4) {
    if (same.length > 1) return `${many} are being indexed.`;
    const left = project.eta ? `, ${span(Math.round(project.eta))} left` : "";
    return `${project.name}: ${text}${left}.`;
  }
  if (rank === 3) return same.length > 1 ? `${many} wait for their first index.` : `${project.name} ${text}.`;
  if (rank === 2)
    return same.length > 1 ? `Fresh, but ${many} are degraded.` : `Fresh, but ${project.name} is degraded.`;
  return `${project.name} is being removed.`;
}
