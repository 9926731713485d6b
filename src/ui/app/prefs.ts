// What a user has chosen, kept by the browser. `defaultCreator` and `groupExpandAll` are keys of the reference's page: who
// moves here keeps their settings.
import { effect, signal, type Signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
export type Zone = "utc" | "local";

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

const COMMENTS_MAX = 10;

/** The comments used last, newest first. */
export function recentComments(): string[] {
  try {
    const list: unknown = JSON.parse(comments.value);
    return Array.isArray(list) ? list.filter((text): text is string => typeof text === "string") : [];
  } catch {
    return [];
  }
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
  try {
    const list: unknown = JSON.parse(views.value);
    const whole = (view: Partial<SavedView> | null) => typeof view?.name === "string" && view.hash?.startsWith("#/alerts");
    return Array.isArray(list) ? list.filter((view): view is SavedView => whole(view as Partial<SavedView>) === true) : [];
  } catch {
    return [];
  }
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
