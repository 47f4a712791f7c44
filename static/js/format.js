/* Numbers as people read them.  Units are the API's unit_of_measure words. */
const STEPS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];
const MINUTE = 60, HOUR = 3600, DAY = 86400;

const trimmed = (value, places) => String(Number(value.toFixed(places)));
const grouped = (value, places = 0) =>
  value.toLocaleString("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });

function compact(value) {
  const size = Math.abs(value);
  for (const [step, letter] of STEPS) {
    if (Number(size.toPrecision(3)) < step) continue;
    const scaled = value / step;
    return trimmed(scaled, Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2) + letter;
  }
  return size >= 1 || size === 0 ? trimmed(value, 1) : String(Number(value.toPrecision(2)));
}

function duration(seconds) {
  const size = Math.abs(seconds);
  if (size < MINUTE) return `${trimmed(seconds, 0)} s`;
  if (size < HOUR) return `${trimmed(seconds / MINUTE, size < 10 * MINUTE ? 1 : 0)} min`;
  if (size < 2 * DAY) return `${trimmed(seconds / HOUR, 1)} h`;
  return `${trimmed(seconds / DAY, 1)} days`;
}

/* For an axis: short, the unit with every tick. */
export function tick(value, unit) {
  if (unit === "percent") return `${trimmed(value, 1)}%`;
  if (unit === "currency") return `${value < 0 ? "−" : ""}$${compact(Math.abs(value))}`;
  if (unit === "seconds") return duration(value);
  return compact(value);
}

/* Beside others in a list, as on tiles: cents below a hundred, whole dollars below a hundred thousand. */
export function money(value) {
  const size = Math.abs(value);
  const digits = size < 99.995 ? grouped(size, 2) : size < 99_999.5 ? grouped(size) : compact(size);
  return `${value < 0 ? "−" : ""}$${digits}`;
}

/* For a tooltip, a list or a cell of the table: as exact as it is useful. */
export function exact(value, unit) {
  if (value === null || value === undefined) return "no data";
  if (unit === "percent") return `${grouped(value, 1)}%`;
  if (unit === "currency") return `${value < 0 ? "−" : ""}$${grouped(Math.abs(value), Math.abs(value) < 1000 ? 2 : 0)}`;
  if (unit === "seconds") return duration(value);
  if (unit === "per_day") return `${grouped(value, 2)} / day`;
  return Number.isInteger(value) ? grouped(value) : grouped(value, 2);
}

export function share(part, whole) {
  if (!whole) return "0%";
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.5) return "<1%";
  return percent >= 99.5 && percent < 100 ? ">99%" : `${Math.round(percent)}%`;
}

const UNIT_WORDS = { percent: "%", currency: "$", seconds: "", per_day: "per day", lines: "lines", tokens: "tokens", count: "" };
export const unitWord = (unit) => UNIT_WORDS[unit] ?? "";
