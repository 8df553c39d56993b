// Owns the choice of light, dark or as the system has it; `theme.js` applies it before the first drawing.

const KEY = "currant.theme";
const ORDER = ["system", "light", "dark"];

function chosen() {
  return document.documentElement.dataset.theme ?? "system";
}

/** Write on the button what is chosen. */
export function showTheme(element) {
  const name = chosen();
  element.textContent = { system: "Auto", light: "Light", dark: "Dark" }[name];
  element.setAttribute("aria-label", `Theme: ${name}`);
}

/** Go on to the next choice, and keep it in this browser. */
export function nextTheme(element) {
  const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  showTheme(element);
}
