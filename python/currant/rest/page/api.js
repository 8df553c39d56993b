// Owns asking the service. Every request goes to where the page came from, and nowhere else.

const TIMEOUT_MS = 20_000;

/** The service answered with an error: what it says, and what it said of the way out. */
export class Refused extends Error {
  constructor(status, problem, retryAfter) {
    super(problem?.detail || problem?.title || `The service answered ${status}.`);
    this.status = status;
    this.problem = problem ?? {};
    this.retryAfter = retryAfter;
  }
}

/** Nobody answered. */
export class Unreachable extends Error {
  constructor() {
    super("The service does not answer.");
  }
}

/** One question. `query` leaves out what is null or empty. Raises Refused, Unreachable, or AbortError when
 * `signal` says so. */
export async function ask(method, path, { query, body, signal, timeout = TIMEOUT_MS } = {}) {
  const address = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") address.searchParams.set(name, value);
  }
  const limit = AbortSignal.timeout(timeout);
  let response;
  try {
    response = await fetch(address, {
      method,
      headers: { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      credentials: "same-origin",
      cache: "no-store",
    });
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return answer;
    if (response.status === 401) dispatchEvent(new Event("denied"));
    throw new Refused(response.status, answer, Number(response.headers.get("Retry-After")) || null);
  } catch (error) {
    if (error instanceof Refused || signal?.aborted) throw error;
    throw new Unreachable();
  }
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return { detail: text.slice(0, 300) };
  }
}

/** A path segment that may hold anything. */
export const segment = encodeURIComponent;

/** A file's path: its slashes stay. */
export function filePath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}
