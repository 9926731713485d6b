// Times as people read and type them.
import { signal } from "@preact/signals";
import type { Zone } from "./prefs";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** Ticks, so that ages on the page go on. */
export const now = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, SECOND);
}

/** `2h14m`, the two largest units. */
export function span(milliseconds: number): string {
  const units: [string, number][] = [
    ["w", WEEK],
    ["d", DAY],
    ["h", HOUR],
    ["m", MINUTE],
    ["s", SECOND],
  ];
  const left = Math.max(0, Math.floor(milliseconds / SECOND) * SECOND);
  const at = units.findIndex(([, size]) => left >= size);
  if (at < 0) return "0s";
  const [name, size] = units[at] as [string, number];
  const next = units[at + 1];
  const rest = next ? Math.floor((left % size) / next[1]) : 0;
  return `${Math.floor(left / size)}${name}${next && rest > 0 ? `${rest}${next[0]}` : ""}`;
}

/** `2026-11-21 15:04:05 UTC`; the zone is always printed. */
export function stamp(at: string | number | Date, zone: Zone): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const options: Intl.DateTimeFormatOptions = {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
    ...(zone === "utc" ? { timeZone: "UTC" } : {}),
  };
  const parts = new Map(new Intl.DateTimeFormat("en-GB", options).formatToParts(date).map((p) => [p.type, p.value]));
  const get = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? "";
  return `${get("year")}-${get("month")}-${get("day")} ${get("hour")}:${get("minute")}:${get("second")} ${get("timeZoneName")}`;
}

/** `90m`, `1d12h`, `2w`: milliseconds, or nothing if it's none. */
export function parseSpan(text: string): number | null {
  const sizes: Record<string, number> = { w: WEEK, d: DAY, h: HOUR, m: MINUTE, s: SECOND };
  const trimmed = text.trim().toLowerCase();
  if (!/^(\d+(\.\d+)?[wdhms]\s*)+$/.test(trimmed)) return null;
  let sum = 0;
  for (const [, number, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)([wdhms])/g)) {
    sum += Number(number) * (sizes[unit as string] ?? 0);
  }
  return sum > 0 ? sum : null;
}

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/**
 * When something ends that begins at `start`: a span (`3h`), a time of day (`18:00`, the next one), a day and a time
 * (`fri 18:00`), `tomorrow 9:00`, or a date (`2026-11-21 18:00`). Nothing if it's none of these.
 */
export function parseEnd(text: string, start: number, zone: Zone): number | null {
  const length = parseSpan(text);
  if (length !== null) return start + length;
  const trimmed = text.trim().toLowerCase();
  const absolute = /^(\d{4})-(\d{2})-(\d{2})(?:[t ](\d{1,2}):(\d{2})(?::(\d{2}))?)?(?:\s*(utc|z))?$/.exec(trimmed);
  if (absolute) {
    const [, year, month, day, hour = "0", minute = "0", second = "0", utc] = absolute;
    const numbers = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number];
    return moment(numbers, utc ? "utc" : zone);
  }
  const relative = /^(?:(sun|mon|tue|wed|thu|fri|sat|tomorrow|today)[a-z]*\s+)?(\d{1,2}):(\d{2})$/.exec(trimmed);
  if (!relative) return null;
  const [, day, hour, minute] = relative;
  const from = new Date(start);
  const utc = zone === "utc";
  const date = (plus: number) =>
    moment(
      [
        utc ? from.getUTCFullYear() : from.getFullYear(),
        (utc ? from.getUTCMonth() : from.getMonth()) + 1,
        (utc ? from.getUTCDate() : from.getDate()) + plus,
        Number(hour),
        Number(minute),
        0,
      ],
      zone,
    );
  if (Number(hour) > 23 || Number(minute) > 59) return null;
  if (day === "tomorrow") return date(1);
  if (!day || day === "today") {
    const today = date(0);
    return today !== null && today > start ? today : day ? null : date(1);
  }
  const ahead = (DAYS.indexOf(day) - (utc ? from.getUTCDay() : from.getDay()) + 7) % 7;
  const soon = date(ahead);
  return soon !== null && soon > start ? soon : date(ahead + 7);
}

function moment([year, month, day, hour, minute, second]: [number, number, number, number, number, number], zone: Zone): number | null {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return null;
  const at =
    zone === "utc"
      ? Date.UTC(year, month - 1, day, hour, minute, second)
      : new Date(year, month - 1, day, hour, minute, second).getTime();
  return Number.isNaN(at) ? null : at;
}
