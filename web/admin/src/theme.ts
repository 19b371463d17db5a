/* Runs before the first paint: the theme and density that the person chose. */
const read = (key: string) => {
  try {
    return localStorage.getItem(`lop.${key}`);
  } catch {
    return null;
  }
};
const theme = read('theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
document.documentElement.dataset.density = read('density') === 'comfortable' ? 'comfortable' : 'compact';
