// What a user has chosen, kept by the browser. `defaultCreator` and `groupExpandAll` are keys of the reference's page: who
// moves here keeps their settings.
import { effect, signal, type Signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
export type Zone = "utc" | "local";
/** Empty: as where the browser is. */
export type WeekStart = "" | "Monday" | "Sunday" | "Saturday";

function kept<T extends string>(key: string, otherwise: T): Signal<T> {
  const value = signal<T>((read(key) as T | null) ?? otherwise);
  let first = true;
  effect(() => {
    const now = value.value;
    if (!first) write(key, now);
    first = false;
  });
  return value;
}

export const creator = kept<string>("defaultCreator", "");
/** Who a password or a proxy says the user is: for the author of silences it comes before what was typed once. */
export const identity = signal("");
export const author = (): string => identity.value || creator.value;
export const expandAll = kept<string>("groupExpandAll", "false");
export const theme = kept<Theme>("theme", "auto");
export const zone = kept<Zone>("zone", "utc");
export const views = kept<string>("savedViews", "[]");
export const comments = kept<string>("recentComments", "[]");
/** Values of the label `severity`, the worst first, separated by commas. */
export const severities = kept<string>("severityOrder", "");
// the reference's page has it with quotes
export const weekStart = kept<WeekStart>("firstDayOfWeek", "");
weekStart.value = weekStart.value.replace(/"/g, "") as WeekStart;
export const templates = kept<string>("silenceTemplates", "[]");

/** All that can be taken to another browser. */
const PORTABLE: Record<string, Signal<string>> = {
  defaultCreator: creator,
  groupExpandAll: expandAll,
  theme: theme as Signal<string>,
  zone: zone as Signal<string>,
  savedViews: views,
  severityOrder: severities,
  firstDayOfWeek: weekStart as Signal<string>,
  silenceTemplates: templates,
};

/** The settings as text. */
export function exported(): string {
  return JSON.stringify(Object.fromEntries(Object.entries(PORTABLE).map(([key, { value }]) => [key, value])), null, 2);
}

/** Takes settings over; what is wrong with them if they can't be. */
export function imported(text: string): string | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return `that is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) return "that is no object with settings";
  const entries = Object.entries(read);
  const odd = entries.find(([key, value]) => !(key in PORTABLE) || typeof value !== "string");
  if (odd) return `“${odd[0]}” is no setting of this page, or none with such a value`;
  for (const [key, value] of entries) {
    const setting = PORTABLE[key];
    if (setting) setting.value = value as string;
  }
  return null;
}

const COMMENTS_MAX = 10;

/** Those of a list that is kept as JSON that are what they should be: it may have been written by hand, or by another version. */
export function listed<T>(json: string, whole: (value: unknown) => value is T): T[] {
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) ? list.filter(whole) : [];
  } catch {
    return [];
  }
}

/** The comments used last, newest first. */
export function recentComments(): string[] {
  return listed(comments.value, (text) => typeof text === "string");
}

export function rememberComment(text: string): void {
  const others = recentComments().filter((other) => other !== text);
  comments.value = JSON.stringify([text, ...others].slice(0, COMMENTS_MAX));
}

/** A list of alerts that was given a name. */
export interface SavedView {
  name: string;
  hash: string;
}

export function savedViews(): SavedView[] {
  return listed(views.value, (value): value is SavedView => {
    const view = value as Partial<SavedView> | null;
    return typeof view?.name === "string" && view.hash?.startsWith("#/alerts") === true;
  });
}

export function saveView(name: string, hash: string): void {
  views.value = JSON.stringify([...savedViews().filter((view) => view.name !== name), { name, hash }]);
}

export function forgetView(name: string): void {
  views.value = JSON.stringify(savedViews().filter((view) => view.name !== name));
}

/** Shows the theme that is chosen; `auto` is what the system has. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}

// storage may be forbidden or full: the choice then lasts as long as the page
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see above
  }
}
