// Every view is a URL, and those of the reference's page are the canonical ones.
import { computed, signal } from "@preact/signals";
import { severities } from "./prefs";
import { parseAll, printAll, type Matcher } from "./matcher/parse";

export type Screen =
  | { name: "alerts"; view: AlertsView }
  | { name: "alert"; fingerprint: string }
  | { name: "silences"; state: string; by: string; text: string }
  | { name: "silence"; id: string }
  | { name: "silence-form"; id: string | null; prefill: Prefill }
  | { name: "routing"; labels: string[]; at: string }
  | { name: "cluster" }
  | { name: "status"; line: number | null }
  | { name: "settings" }
  | { name: "unknown"; path: string };

/** What the list of alerts shows. */
export interface AlertsView {
  matchers: Matcher[];
  /** Parts of the filter that are no matchers. */
  broken: string[];
  receivers: string[];
  text: string;
  active: boolean;
  silenced: boolean;
  inhibited: boolean;
  muted: boolean;
  /** `null`: as notified; else by these labels, by none if empty. */
  groupBy: string[] | null;
  sort: string;
  peek: string;
}

/** What a new silence begins with. */
export interface Prefill {
  matchers: Matcher[];
  comment: string;
  createdBy: string;
  duration: string;
}

export const STATES = ["active", "silenced", "inhibited", "muted"] as const;
export type State = (typeof STATES)[number];

export const hash = signal(location.hash);
export const screen = computed(() => read(hash.value));

export function startRouter(): void {
  addEventListener("hashchange", () => {
    hash.value = location.hash;
  });
}

/** Goes to another view. `replace`: the view is the same, only seen otherwise; Back doesn't stop there. */
export function go(to: string, replace = false): void {
  if (to === location.hash) return;
  if (replace) {
    history.replaceState(null, "", to);
    hash.value = to;
  } else {
    location.hash = to;
  }
}

/** What the fragment of a URL means. */
export function read(fragment: string): Screen {
  const text = fragment.replace(/^#/, "").replace(/^\//, "");
  const at = text.indexOf("?");
  const [path, query] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  // spaces come as `+` from the reference's templates
  const params = new URLSearchParams(query);
  const parts = path.split("/").filter((part) => part !== "").map(decode);
  const [first, second, third] = parts;
  switch (first) {
    case undefined:
    case "alerts":
      return { name: "alerts", view: readAlerts(params) };
    case "alert":
      if (second) return { name: "alert", fingerprint: second };
      break;
    case "silences":
      if (second === "new") return { name: "silence-form", id: null, prefill: readPrefill(params) };
      if (second && third === "edit") return { name: "silence-form", id: second, prefill: readPrefill(params) };
      if (second && !third) return { name: "silence", id: second };
      if (!second) return readSilences(params);
      break;
    case "routing":
      return { name: "routing", labels: params.getAll("label"), at: params.get("at") ?? "" };
    case "cluster":
      return { name: "cluster" };
    case "status":
      return { name: "status", line: Number(params.get("line")) || null };
    case "settings":
      return { name: "settings" };
  }
  return { name: "unknown", path: text };
}

function readAlerts(params: URLSearchParams): AlertsView {
  const { matchers, broken } = parseAll(params.get("filter") ?? "");
  // absent is no, present is yes unless it says no
  const flag = (name: string) => params.has(name) && params.get(name)?.toLowerCase() !== "false";
  const names = (params.get("group") ?? "alertname").split(",").filter((name) => name !== "");
  return {
    matchers,
    broken,
    receivers: params.getAll("receiver").filter((name) => name !== ""),
    text: params.get("q") ?? "",
    active: params.has("active") ? flag("active") : true,
    silenced: flag("silenced"),
    inhibited: flag("inhibited"),
    muted: flag("muted"),
    groupBy: params.has("customGrouping") ? names : null,
    sort: params.get("sort") ?? "severity",
    peek: params.get("peek") ?? "",
  };
}

/** The fragment of a view, shortest form. */
export function alertsHash(view: AlertsView): string {
  const params = new URLSearchParams();
  if (view.matchers.length > 0) params.set("filter", printAll(view.matchers));
  for (const name of view.receivers) params.append("receiver", name);
  if (view.text) params.set("q", view.text);
  for (const state of STATES) {
    if (view[state] !== (state === "active")) params.set(state, String(view[state]));
  }
  if (view.groupBy) {
    params.set("customGrouping", "true");
    if (view.groupBy.join(",") !== "alertname") params.set("group", view.groupBy.join(","));
  }
  if (view.sort !== "severity") params.set("sort", view.sort);
  if (view.peek) params.set("peek", view.peek);
  return `#/alerts${tail(params)}`;
}

/** The same as a question to the worker. */
export function alertsQuery(view: AlertsView): URLSearchParams {
  const params = new URLSearchParams();
  for (const matcher of view.matchers) params.append("filter", printAll([matcher]).slice(1, -1));
  for (const name of view.receivers) params.append("receiver", name);
  if (view.text) params.set("q", view.text);
  for (const state of STATES) if (!view[state]) params.set(state, "false");
  if (view.groupBy) {
    params.set("group", view.groupBy.length > 0 ? "labels" : "none");
    if (view.groupBy.length > 0) params.set("group_by", view.groupBy.join(","));
  }
  if (view.sort !== "severity") params.set("sort", view.sort);
  else if (severities.value.trim() !== "") params.set("severities", severities.value);
  return params;
}

function readSilences(params: URLSearchParams): Screen {
  const { matchers } = parseAll(params.get("filter") ?? "");
  const text = params.get("q") ?? matchers.map((matcher) => printAll([matcher]).slice(1, -1)).join(" ");
  return { name: "silences", state: params.get("state") ?? "active", by: params.get("by") ?? "", text };
}

export function silencesHash(state: string, by: string, text: string): string {
  const params = new URLSearchParams();
  if (state !== "active") params.set("state", state);
  if (by) params.set("by", by);
  if (text) params.set("q", text);
  return `#/silences${tail(params)}`;
}

function readPrefill(params: URLSearchParams): Prefill {
  return {
    matchers: parseAll(params.get("filter") ?? "").matchers,
    comment: params.get("comment") ?? "",
    createdBy: params.get("createdBy") ?? "",
    duration: params.get("duration") ?? "",
  };
}

/** The fragment of a form that is filled in. */
export function prefillHash({ matchers, comment, createdBy, duration }: Prefill): string {
  const params = new URLSearchParams();
  if (matchers.length > 0) params.set("filter", printAll(matchers));
  if (comment) params.set("comment", comment);
  if (createdBy) params.set("createdBy", createdBy);
  if (duration) params.set("duration", duration);
  return `#/silences/new${tail(params)}`;
}

export function newSilenceHash(matchers: Matcher[], comment = ""): string {
  return prefillHash({ matchers, comment, createdBy: "", duration: "" });
}

function tail(params: URLSearchParams): string {
  const text = params.toString();
  return text ? `?${text}` : "";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
