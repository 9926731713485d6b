// Days of a month in weeks. A day is the UTC midnight of its date, in milliseconds, whatever the zone it's a date in.
import type { WeekStart, Zone } from "./prefs";

const DAY = 86_400_000;

/** The day that a moment is on. */
export function dayOf(at: number, zone: Zone): number {
  const date = new Date(at);
  return zone === "utc"
    ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate())
    : Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}

/** `18:05`, the time of day of a moment. */
export function clockOf(at: number, zone: Zone): string {
  const date = new Date(at);
  const [hour, minute] = zone === "utc" ? [date.getUTCHours(), date.getUTCMinutes()] : [date.getHours(), date.getMinutes()];
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

/** `2026-11-21`. */
export function dateOf(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

/** The weeks of the month that a day is in, whole ones; `first`: 0 for Sunday to 6. */
export function weeksOf(day: number, first: number): number[][] {
  const date = new Date(day);
  const begin = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  const before = (new Date(begin).getUTCDay() - first + 7) % 7;
  const weeks: number[][] = [];
  for (let start = begin - before * DAY; start < end; start += 7 * DAY) {
    weeks.push(Array.from({ length: 7 }, (_, at) => start + at * DAY));
  }
  return weeks;
}

/** The same day of another month, or its last if it has fewer. */
export function inMonths(day: number, months: number): number {
  const date = new Date(day);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0)).getUTCDate();
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, Math.min(date.getUTCDate(), last));
}

/** Where a key leads from a day; nothing for keys that move nothing. */
export function moved(day: number, key: string, first: number): number | null {
  const place = (new Date(day).getUTCDay() - first + 7) % 7;
  switch (key) {
    case "ArrowLeft":
      return day - DAY;
    case "ArrowRight":
      return day + DAY;
    case "ArrowUp":
      return day - 7 * DAY;
    case "ArrowDown":
      return day + 7 * DAY;
    case "Home":
      return day - place * DAY;
    case "End":
      return day + (6 - place) * DAY;
    case "PageUp":
      return inMonths(day, -1);
    case "PageDown":
      return inMonths(day, 1);
    default:
      return null;
  }
}

/** The first day of the week as it's wished, or as it is where `locale` is spoken; 0 for Sunday. */
export function firstDay(wish: WeekStart, locale: string): number {
  const wished = { monday: 1, sunday: 0, saturday: 6 }[wish.toLowerCase()];
  if (wished !== undefined) return wished;
  try {
    // ISO counts from Monday, 1, to Sunday, 7; older browsers have it as a property
    const known = new Intl.Locale(locale) as Intl.Locale & {
      getWeekInfo?: () => { firstDay: number };
      weekInfo?: { firstDay: number };
    };
    return ((known.getWeekInfo?.() ?? known.weekInfo)?.firstDay ?? 1) % 7;
  } catch {
    return 1;
  }
}
