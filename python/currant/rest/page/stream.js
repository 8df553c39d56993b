// Owns the event stream: opening it, reading it, noticing that it is dead, opening it again.
// It reads the stream with `fetch` and not with EventSource: that one hides why it failed (a missing token is
// not a network trouble), gives up for good after an error status, and never notices a service that hangs.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const QUIET_MS = 10_000; // without a byte for so long, ask whether anybody is there
const ANSWER_MS = 4_000;

/** Events of `text/event-stream` out of pieces of text, as they come. */
export class Events {
  #rest = "";
  #event = { type: "message", data: [] };
  lastId = null;

  /** The events that end in this piece: [{type, data}]. */
  feed(piece) {
    const found = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (this.#event.data.length)
          found.push({ type: this.#event.type, data: this.#event.data.join("\n") });
        this.#event = { type: "message", data: [] };
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue; // a comment: somebody is there
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "data") this.#event.data.push(value);
      else if (name === "event") this.#event.type = value;
      else if (name === "id") this.lastId = value;
    }
    return found;
  }
}

/** Follow `path` until the page is left. `onEvent(type, data)`; `onLink({state, retryAt})` with the states
 * connecting, live, lost, denied. Returns {again}: try now, without waiting. */
export function follow(path, { onEvent, onLink }) {
  let wait = FIRST_WAIT_MS;
  let timer = 0;
  let lastId = null;
  let current = null;

  async function open() {
    clearTimeout(timer);
    const mine = (current = new AbortController());
    const events = new Events();
    events.lastId = lastId;
    const watch = watchdog(mine);
    try {
      const headers = { Accept: "text/event-stream" };
      if (lastId !== null) headers["Last-Event-ID"] = lastId;
      const response = await fetch(path, { headers, signal: mine.signal, cache: "no-store" });
      if (response.status === 401) {
        onLink({ state: "denied" });
        return;
      }
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      onLink({ state: "live" });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        wait = FIRST_WAIT_MS;
        watch.heard();
        for (const event of events.feed(value)) deliver(event);
        lastId = events.lastId;
      }
    } catch {
      // Whatever it was, what follows is the same: say so, and try again.
    } finally {
      watch.stop();
      mine.abort();
    }
    if (current !== mine) return;
    onLink({ state: "lost", retryAt: Date.now() + wait });
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }

  function deliver({ type, data }) {
    let told = null;
    try {
      told = JSON.parse(data);
    } catch {
      return; // not one of ours
    }
    onEvent(type, told);
  }

  function again() {
    const before = current;
    current = null;
    before?.abort();
    wait = FIRST_WAIT_MS;
    open();
  }

  addEventListener("pagehide", () => {
    const before = current;
    current = null;
    clearTimeout(timer);
    before?.abort();
  });
  // Back from the browser's cache of pages: what is shown is as old as that.
  addEventListener("pageshow", (event) => event.persisted && again());
  open();
  return { again };
}

/** Ends `controller` when nothing is heard and nobody answers either: a stopped process keeps its sockets. */
function watchdog(controller) {
  let heard = performance.now();
  const timer = setInterval(async () => {
    if (performance.now() - heard < QUIET_MS) return;
    try {
      await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      heard = performance.now();
    } catch {
      controller.abort();
    }
  }, ANSWER_MS);
  return {
    heard: () => (heard = performance.now()),
    stop: () => clearInterval(timer),
  };
}
