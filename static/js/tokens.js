/* The design tokens of static/css/headway.css, read where a canvas needs a colour. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--hw-${name}`).trim();

export function translucent(hex, opacity) {
  const value = Number.parseInt(hex.slice(1), 16);
  return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${opacity})`;
}

export const prefersStillness = () =>
  matchMedia("(prefers-reduced-motion: reduce)").matches || matchMedia("print").matches;
