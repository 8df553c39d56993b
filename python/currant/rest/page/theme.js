// Sets the theme before anything is drawn: as the system has it, unless the person chose one here.
// Not a module, so that nothing is shown in the wrong colours first.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("currant.theme");
  } catch {
    // A browser that keeps nothing: as the system has it.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
