// Follows the worker's events: one stream while the page is visible, and a question now and then where streams don't pass.
import { signal } from "@preact/signals";
import { get } from "./client";
import type { Groups, Told } from "./types";

export type Liveness = "connecting" | "live" | "polling" | "lost" | "paused";

/** What the worker told last. */
export const told = signal<Told | null>(null);
/** How fresh that is. */
export const liveness = signal<Liveness>("connecting");
/** When the worker was heard of last, milliseconds. */
export const heardAt = signal(0);

const POLL_MS = 30_000;
const REFUSALS_BEFORE_POLLING = 3;

let stream: EventSource | null = null;
let refusals = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Starts, and stops while nobody looks. */
export function follow(): void {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  start();
}

/** Stops or goes on, as the user wishes. */
export function togglePause(): void {
  if (liveness.value === "paused") {
    liveness.value = "connecting";
    start();
  } else {
    stop();
    liveness.value = "paused";
  }
}

function start(): void {
  if (stream || liveness.value === "paused") return;
  stream = new EventSource("api/ui/v1/events");
  stream.addEventListener("changed", (event) => {
    refusals = 0;
    hear(JSON.parse((event as MessageEvent<string>).data) as Told);
    liveness.value = "live";
  });
  stream.addEventListener("open", () => {
    heardAt.value = Date.now();
    liveness.value = "live";
  });
  stream.addEventListener("error", () => {
    liveness.value = "lost";
    refusals += 1;
    // a browser gives up on a stream that is refused, and goes on trying one that breaks
    if (stream?.readyState === EventSource.CLOSED || refusals >= REFUSALS_BEFORE_POLLING) {
      stop();
      poll();
    }
  });
}

function stop(): void {
  stream?.close();
  stream = null;
  clearTimeout(timer);
}

async function poll(): Promise<void> {
  if (document.hidden) return;
  try {
    const all = await get<Groups>("groups", new URLSearchParams({ limit: "0" }));
    const { version, at, member, states, all: alerts } = all;
    hear({ version, at, member, states, alerts, configHash: null, settled: true, peers: 0 });
    liveness.value = "polling";
    refusals = 0;
    timer = setTimeout(() => (Math.random() < 0.5 ? start() : void poll()), POLL_MS);
  } catch {
    liveness.value = "lost";
    timer = setTimeout(start, 5_000);
  }
}

function hear(news: Told): void {
  heardAt.value = Date.now();
  told.value = news;
}
