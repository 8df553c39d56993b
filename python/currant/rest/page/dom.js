// Owns making elements and bringing a part of the document to a wanted state without disturbing the rest.
// A view makes its whole tree anew; `morph` changes only what differs, so focus, selection and scroll stay.
// Nothing here parses HTML: text is always text, and a strict Content-Security-Policy holds.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `props`: attributes; null, undefined and false leave one out, true is an empty one. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same in SVG. */
export function s(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

/** A moment that is shown relative to now; `tick` keeps it true. */
export function when(moment, text, title) {
  if (moment === null || moment === undefined) return h("span", {}, "–");
  return h("time", { "data-at": moment, datetime: new Date(moment * 1000).toISOString(), title }, text);
}

/** Make the children of `parent` be `wanted` (nodes, arrays, null). */
export function morph(parent, ...wanted) {
  const fresh = document.createElement("div");
  append(fresh, wanted);
  morphChildren(parent, [...fresh.childNodes]);
}

function key(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);
}

function morphChildren(parent, wanted) {
  const kept = new Map();
  for (const child of parent.childNodes) if (key(child) !== null) kept.set(key(child), child);
  const keys = new Set(wanted.map(key));
  let at = parent.firstChild;
  const next = () => {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  };
  for (const node of wanted) {
    // What is wanted nowhere goes first, so that what stays need not move: moving loses the focus.
    while (at && key(at) !== null && !keys.has(key(at))) next();
    const known = key(node) === null ? at : kept.get(key(node));
    if (known && alike(known, node)) {
      if (known === at) at = at.nextSibling;
      else parent.insertBefore(known, at);
      change(known, node);
    } else {
      parent.insertBefore(node, at);
    }
  }
  while (at) next();
}

function change(old, wanted) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  // What a person has opened stays open; what a person is typing stays.
  const theirs = new Set((old.getAttribute("data-theirs") ?? "").split(" "));
  for (const { name } of [...old.attributes]) {
    if (!wanted.hasAttribute(name) && !theirs.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (!theirs.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (theirs.has("children")) return;
  morphChildren(old, [...wanted.childNodes]);
  // What was chosen by hand counts more than any attribute; the state has heard of it.
  const { value } = wanted.dataset ?? {};
  if (value !== undefined && old.value !== value) old.value = value;
}

/** Write the relative moments below `root` anew. */
export function tick(root, now, away) {
  for (const element of root.querySelectorAll("time[data-at]")) {
    const text = (element.dataset.prefix ?? "") + away(Number(element.dataset.at), now);
    if (element.textContent !== text) element.textContent = text;
  }
}
