// Owns how numbers, durations and moments are written. Pure functions; `now` is always an argument.

const grouped = new Intl.NumberFormat("en-GB");
const fine = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

/** 79112 → "79,112"; nothing known → "–". */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return Math.abs(value) < 10 && !Number.isInteger(value)
    ? fine.format(value)
    : grouped.format(Math.round(value));
}

/** (1, "file") → "1 file"; (3, "file") → "3 files"; an irregular plural is given. */
export function count(value, noun, plural = `${noun}s`) {
  return `${number(value)} ${value === 1 ? noun : plural}`;
}

/** Bytes in the unit that leaves one to four digits. */
export function bytes(value) {
  if (value === null || value === undefined) return "–";
  let size = value;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (size < 1024 || unit === "GiB") return `${unit === "B" ? number(size) : fine.format(size)} ${unit}`;
    size /= 1024;
  }
  return "";
}

/** A span in its two largest units: "0.8 s", "14 s", "3 min 12 s", "2 h 5 min", "3 d 4 h". */
export function span(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "–";
  if (seconds < 0.0995) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${fine.format(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.floor(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large, one, small, other) {
  return small ? `${large} ${one} ${small} ${other}` : `${large} ${one}`;
}

/** A span in its largest unit alone, for "… ago". */
function rough(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** How long ago, or how long until. Both in seconds since the epoch. */
export function away(moment, now) {
  const past = now - moment;
  if (Math.abs(past) < 2) return "now";
  return past > 0 ? `${rough(past)} ago` : `in ${rough(-past)}`;
}

/** Seconds since the epoch of what an answer gives: a number, or ISO 8601; null when neither. */
export function instant(value) {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !value) return null;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? null : parsed / 1000;
}

/** "20:41:07", in the zone of whoever looks. */
export function clockTime(moment) {
  return new Date(moment * 1000).toLocaleTimeString("en-GB");
}

/** "22 Nov 2026, 20:41:07". */
export function fullTime(moment) {
  return new Date(moment * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** "project_processing" → "project processing". */
export function words(name) {
  return String(name ?? "").replaceAll("_", " ");
}

/** The first paragraph of a documentation text, for a list. */
export function gist(text) {
  return (text ?? "").trim().split(/\n\s*\n/)[0];
}

/** Camel case of a task's name as words: "OptimizeIndex" → "optimize index". */
export function taskName(name) {
  return words(String(name ?? "").replace(/([a-z])([A-Z])/g, "$1 $2")).toLowerCase();
}
