// Sets the colours before the first paint; the choice stands in the mark-up, "auto" follows the system.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = root.dataset.theme === "auto" ? (dark.matches ? "dark" : "light") : root.dataset.theme;
    root.setAttribute("data-bs-theme", theme);
  };
  root.classList.add("tg-script");
  apply();
  dark.addEventListener("change", apply);
})();
