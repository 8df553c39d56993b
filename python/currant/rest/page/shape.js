// Owns the way from the service's JSON (docs/rest.md) to what the views read. The only place that knows both.

import { instant } from "./format.js";

/** Degraded states come as short names with an answer, and in full with a status. */
function trouble(one) {
  if (typeof one === "string") return { code: one, what: one.replaceAll("_", " "), count: null, fix: "" };
  return {
    code: one.code ?? "",
    what: one.what ?? one.code ?? "",
    count: one.count ?? null,
    fix: one.fix ?? "",
  };
}

/** A project with its freshness. */
export function project(raw) {
  const told = raw.index ?? {};
  return {
    id: raw.id,
    name: raw.name,
    root: raw.root,
    source: raw.source,
    kind: raw.kind ?? "path",
    state: raw.state,
    error: raw.error ?? null,
    createdAt: instant(raw.created_at),
    indexed: raw.index !== null && raw.index !== undefined,
    // What is not told is not fresh: the page never makes up good news.
    fresh: told.fresh === true && raw.state === "ready",
    pending: told.pending ?? null,
    phase: told.phase ?? null,
    clock: told.clock ?? null,
    degraded: (told.degraded ?? []).map(trouble),
    files: told.files ?? null,
    failed: told.failed ?? null,
    symbols: told.symbols ?? null,
    languages: told.by_language ?? null,
    ...advance(told.progress),
    rate: told.files_per_second ?? null,
  };
}

/** Progress of an index: {done, total, rate, eta}. */
export function advance(progress) {
  if (!progress) return { done: null, total: null, rate: null, eta: null };
  return {
    done: progress.done ?? null,
    total: progress.total ?? null,
    rate: progress.files_per_second ?? null,
    eta: progress.eta_seconds ?? null,
  };
}

/** A job of the ledger. An event tells a part of it only: `before` has the rest. */
export function job(told, before = null) {
  const raw = { ...before?.raw, ...told };
  return {
    raw,
    id: raw.id,
    type: raw.type,
    projectId: raw.project_id ?? null,
    status: raw.status,
    priority: priority(raw.priority),
    trigger: raw.trigger ?? "",
    client: raw.client ?? "",
    createdAt: instant(raw.created_at),
    runAt: instant(raw.run_at),
    startedAt: instant(raw.started_at),
    finishedAt: instant(raw.finished_at),
    attempt: raw.attempt ?? 0,
    maxAttempts: raw.max_attempts ?? null,
    retries: raw.retry_count ?? 0,
    rescued: raw.rescued ?? 0,
    progress: raw.progress ?? null,
    message: raw.message ?? null,
    args: raw.args ?? {},
    result: raw.result ?? null,
    error: raw.error ?? null,
    errors: (raw.errors ?? []).map((one) => ({ ...one, at: instant(one.at) })),
    cancelling: raw.cancel_requested === true && raw.status === "processing",
    worker: raw.worker ?? null,
  };
}

function priority(value) {
  return typeof value === "number" ? (["low", "normal", "high"][value] ?? String(value)) : (value ?? "");
}

/** The queue: counts by status, the age of what waits longest, finished per minute. */
export function queue(raw) {
  return {
    pending: raw.pending ?? 0,
    processing: raw.processing ?? 0,
    completed: raw.completed ?? 0,
    failed: raw.failed ?? 0,
    cancelled: raw.cancelled ?? 0,
    total: raw.total ?? null,
    oldest: raw.oldest_pending_age_s ?? null,
    perMinute: { 1: raw.throughput_1m ?? null, 5: raw.throughput_5m ?? null, 15: raw.throughput_15m ?? null },
    paused: raw.paused ?? [],
  };
}

/** Statistics of one maintenance task. */
export function upkeepTask(raw) {
  return {
    name: raw.task,
    interval: raw.interval_s ?? null,
    lastRun: instant(raw.last_run),
    nextRun: instant(raw.next_run),
    runs: raw.run_count ?? 0,
    errors: raw.error_count ?? 0,
    mean: raw.run_count ? raw.mean_seconds : null,
    skipped: raw.skipped ?? 0,
    lastError: raw.last_error ?? null,
    lastErrorAt: instant(raw.last_error_at),
    running: typeof raw.running === "number",
  };
}

/** One periodic schedule. */
export function schedule(raw) {
  return {
    name: raw.name,
    what: raw.what ?? "",
    enabled: raw.enabled !== false,
    interval: raw.interval_s ?? null,
    next: instant(raw.next_run),
    lastRun: instant(raw.last_run),
    lastError: raw.last_error ?? null,
    lastErrorAt: instant(raw.last_error_at),
    problem: raw.problem ?? null,
    paused: raw.paused === true,
  };
}

/** A definition that a search found. */
export function hit(raw, where) {
  return { ...raw, projectId: where.id, project: where.name };
}

/** How fresh an answer about an index was. */
export function freshness(raw) {
  return {
    clock: raw?.clock ?? null,
    fresh: raw?.fresh === true,
    outstanding: raw?.outstanding ?? [],
    degraded: (raw?.degraded ?? []).map(trouble),
    progress: raw?.progress ? advance(raw.progress) : null,
  };
}

/** What is only in the status of one index: troubles in full, and how it notices changes. */
export function status(raw) {
  const { engine = {}, audit = {} } = raw;
  return {
    degraded: (raw.degraded ?? []).map(trouble),
    notes: (raw.notes ?? []).map(trouble),
    source: engine.source ?? null,
    watches: engine.watches ?? null,
    scanMs: engine.scan_ms ?? null,
    driftFound: audit.drift_found_total ?? null,
    auditedAt: instant(audit.last_run),
    processed: raw.processed_files ?? null,
    current: raw.current_files ?? [],
  };
}

/** A list of an answer, under its name. */
export function list(answer, name) {
  return Array.isArray(answer?.[name]) ? answer[name] : [];
}
