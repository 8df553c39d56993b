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

/** A file's path as it stands in an address; its slashes stay. A byte that is no UTF-8 comes in JSON as half of
 * a character (U+DC80 and up, as Python has it), and goes as the byte that it is. */
export function encodePath(path) {
  return [...path]
    .map((one) => (isByte(one) ? `%${byteOf(one)}` : one === "/" ? one : encodeURIComponent(one)))
    .join("");
}

/** The path again. */
export function decodePath(text) {
  const bytes = [];
  for (const [, hex, plain] of text.matchAll(/%([0-9A-F]{2})|([^])/gu)) {
    bytes.push(...(hex ? [parseInt(hex, 16)] : new TextEncoder().encode(plain)));
  }
  let path = "";
  for (let at = 0; at < bytes.length;) {
    const size = [1, 2, 3, 4].find((each) => utf8(bytes.slice(at, at + each)) !== null);
    path += size ? utf8(bytes.slice(at, at + size)) : String.fromCharCode(0xdc00 + bytes[at]);
    at += size ?? 1;
  }
  return path;
}

function isByte(one) {
  return one >= "\udc80" && one <= "\udcff" && one.length === 1;
}

function byteOf(one) {
  return (one.charCodeAt(0) - 0xdc00).toString(16).toUpperCase();
}

function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    return null;
  }
}
