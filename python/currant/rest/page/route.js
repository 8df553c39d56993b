// Owns the address: which view is shown and what the inspector holds. Everything that is open has a link.

import { decodePath, encodePath } from "./api.js";

const VIEWS = ["overview", "jobs", "upkeep", "search"];

/** {view, open, key, path, line}: `open` is project, job, file or null. */
export function parse(hash = location.hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const params = new URLSearchParams(query);
  const view = VIEWS.includes(path) ? path : "overview";
  const open = ["file", "job", "project"].find((kind) => params.has(kind)) ?? null;
  return {
    view,
    open,
    key: open ? params.get(open) : null,
    path: params.has("path") ? decodePath(params.get("path")) : null,
    line: Number(params.get("line")) || null,
  };
}

/** A link to something in the inspector, beside the view that is shown now. */
export function inspect(kind, key, { path, line } = {}) {
  const params = new URLSearchParams({ [kind]: key });
  if (path) params.set("path", encodePath(path));
  if (line) params.set("line", line);
  return `#/${parse().view}?${params}`;
}

/** A link to a view, with nothing in the inspector. */
export function view(name) {
  return `#/${name}`;
}
