// In the head, before anything is painted: with the preference "system" the page follows the machine's theme.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  if (root.dataset.theme === "system") { follow(); dark.addEventListener("change", follow); }
})();
