// Small things that all screens show.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../api/client";
import type { Labels, Row, Verdict } from "../api/types";
import { register, type Action } from "../keys";
import { zone } from "../prefs";
import { now, span, stamp } from "../time";

/** Actions of a screen, as long as it's shown: always those of its last drawing, however fast keys come. */
export function useKeys(actions: Action[]): void {
  const layer = useRef(actions);
  layer.current = actions;
  useEffect(() => register(layer), []);
}

export interface Loaded<T> {
  value: T | null;
  error: Refused | null;
  loading: boolean;
}

/** Loads again whenever something of `deps` changes; what was there stays until the new is. */
export function useLoaded<T>(load: () => Promise<T>, deps: unknown[]): Loaded<T> {
  const [state, set] = useState<Loaded<T>>({ value: null, error: null, loading: true });
  useEffect(() => {
    let current = true;
    set((before) => ({ ...before, loading: true }));
    load().then(
      (value) => current && set({ value, error: null, loading: false }),
      (error: unknown) => current && set((before) => ({ ...before, error: asRefused(error), loading: false })),
    );
    return () => {
      current = false;
    };
  }, deps);
  return state;
}

export function asRefused(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(0, error instanceof Error ? error.message : String(error));
}

/** What went wrong, and what of it can be read nevertheless. */
export function Problem({ error, stale }: { error: Refused | null; stale?: boolean }) {
  if (!error) return null;
  return (
    <p class="problem" role="alert">
      {error.message}
      {stale ? "; what is shown is older" : ""}
    </p>
  );
}

/** A moment, with how long ago on hover. */
export function Time({ at }: { at: string }) {
  const text = stamp(at, zone.value);
  const ago = now.value - new Date(at).getTime();
  return (
    <time dateTime={at} title={ago >= 0 ? `${span(ago)} ago` : `in ${span(-ago)}`}>
      {text}
    </time>
  );
}

/** How long ago, or how long until; the moment on hover. */
export function Age({ at }: { at: string }) {
  const ago = now.value - new Date(at).getTime();
  return (
    <time dateTime={at} title={stamp(at, zone.value)}>
      {span(Math.abs(ago))}
    </time>
  );
}

const RANKS: [string[], string, string][] = [
  [["critical", "crit", "emergency", "fatal", "disaster", "page", "p1", "sev1"], "critical", "■"],
  [["high", "error", "major", "p2", "sev2"], "high", "◆"],
  [["warning", "warn", "average", "medium", "minor", "p3", "sev3"], "warning", "▲"],
  [["info", "information", "informational", "notice", "low", "p4", "p5", "ticket"], "info", "●"],
];

/** Shape, colour and text: never colour alone. */
export function Severity({ value, count }: { value: string; count?: number }) {
  const [, look, shape] = RANKS.find(([names]) => names.includes(value.toLowerCase())) ?? [[], "none", "○"];
  return (
    <span class={`severity ${look}`}>
      <span aria-hidden="true">{shape}</span>
      {count === undefined ? value : <>{count}<span class="hidden"> {value || "without severity"}</span></>}
    </span>
  );
}

/** Only http and https become links: a label may say anything. */
export function safeUrl(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** Text in which URLs are links. */
export function Linked({ text }: { text: string }) {
  const parts = text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/);
  return (
    <>
      {parts.map((part) =>
        safeUrl(part) ? (
          <a href={safeUrl(part) ?? ""} target="_blank" rel="noopener noreferrer">
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </>
  );
}

/** An annotation or label that leads somewhere: runbook, dashboard. */
export function linksOf(labels: Labels, annotations: Labels): { name: string; url: string }[] {
  const all = [...Object.entries(annotations), ...Object.entries(labels)];
  return all.flatMap(([name, value]) => {
    const url = safeUrl(value.trim());
    return url ? [{ name: name.replace(/_?url$/i, "") || name, url }] : [];
  });
}

export function LabelChip({ name, value, children }: { name: string; value: string; children?: ComponentChildren }) {
  return (
    <span class="label" data-name={name} data-value={value}>
      <span class="name">{name}</span>
      <span class="eq">=</span>
      <bdi>{value}</bdi>
      {children}
    </span>
  );
}

/** The one sentence about an alert in a list. */
export function summaryOf(row: { labels: Labels; annotations: Labels }): string {
  const { summary, description, message, title } = row.annotations;
  return summary ?? title ?? message ?? description ?? "";
}

const SOON_MS = 900_000;

/** Whether it'll be heard of again in a quarter of an hour. */
function endsSoon(at: string): boolean {
  return new Date(at).getTime() - now.value < SOON_MS;
}

/** Why an alert in a list is quiet. */
export function Quiet({ row }: { row: Row }) {
  const [silence] = row.silencedBy;
  const [inhibitor] = row.inhibitedBy;
  return (
    <>
      {inhibitor && (
        <a class="quiet" href={`#/alert/${inhibitor.fingerprint}`}>
          inhibited by {inhibitor.labels?.alertname ?? inhibitor.fingerprint}
        </a>
      )}
      {row.mutedBy.length > 0 && <a class="quiet" href="#/routing">muted by {row.mutedBy.join(", ")}</a>}
      {silence && (
        <a class={endsSoon(silence.endsAt) ? "quiet warning" : "quiet"} href={`#/silences/${silence.id}`} title={silence.comment}>
          {endsSoon(silence.endsAt) ? "⚠ " : ""}silenced by {silence.createdBy}, ends in <Age at={silence.endsAt} />
          {row.silencedBy.length > 1 ? ` and ${row.silencedBy.length - 1} more` : ""}
        </a>
      )}
    </>
  );
}

/** How a verdict is marked. */
export function markOf(verdict: Verdict): { mark: string; look: string } {
  switch (verdict.code) {
    case "not_changed":
      return { mark: "✓", look: "good" };
    case "delivery_failed":
      return { mark: "!", look: "bad" };
    case "silenced":
    case "inhibited":
    case "time_muted":
    case "end_not_wanted":
    case "never_told":
      return { mark: "✗", look: "quieted" };
    default:
      return { mark: "…", look: "waiting" };
  }
}

export function copy(text: string): void {
  navigator.clipboard?.writeText(text).then(
    () => say("copied"),
    () => say("the browser doesn't allow copying"),
  );
}

/** Says something to who looks and who listens, for a moment; with something to undo, for longer. */
export function say(text: string, undo?: { title: string; run: () => void }): void {
  dispatchEvent(new CustomEvent("say", { detail: { text, undo } }));
}
