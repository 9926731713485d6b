// Asks the worker. Paths are relative to the page, so that any prefix works.
import type { Draft } from "./types";

/** The worker refused, or can't be reached; `message` is for people. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** Nobody answered at all. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

interface Known {
  tag: string;
  value: unknown;
}

const KNOWN_MAX = 200;
const known = new Map<string, Known>();
const underWay = new Map<string, Promise<unknown>>();

const EXTENSION = "api/ui/v1/";

/** A GET below /api/ui/v1. Two that ask for the same at the same time share one request. */
export function get<T>(path: string, query?: URLSearchParams): Promise<T> {
  const text = query?.toString();
  const url = EXTENSION + path + (text ? `?${text}` : "");
  const same = underWay.get(url);
  if (same) return same as Promise<T>;
  const asked = fetchKnown(url).finally(() => underWay.delete(url));
  underWay.set(url, asked);
  return asked as Promise<T>;
}

async function fetchKnown(url: string): Promise<unknown> {
  const before = known.get(url);
  const headers: Record<string, string> = before ? { "If-None-Match": before.tag } : {};
  const response = await ask(url, { headers, cache: "no-store" });
  if (response.status === 304 && before) return before.value;
  const value: unknown = await response.json();
  const tag = response.headers.get("ETag");
  known.delete(url);
  if (tag) known.set(url, { tag, value });
  const oldest = known.keys().next().value;
  if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
  return value;
}

/** A POST below /api/ui/v1 that changes nothing. */
export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await ask(EXTENSION + path, { ...json(body), ...(signal ? { signal } : {}) });
  return (await response.json()) as T;
}

/** Makes or changes a silence; its id. */
export async function setSilence(draft: Draft): Promise<string> {
  const response = await ask("api/v2/silences", json(draft));
  const answer = (await response.json()) as { silenceID: string };
  return answer.silenceID;
}

/** Ends a silence. */
export async function expireSilence(id: string): Promise<void> {
  await ask(`api/v2/silence/${encodeURIComponent(id)}`, { method: "DELETE" });
}

function json(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, "the worker can't be reached");
  }
  if (response.ok || response.status === 304) return response;
  throw new Refused(response.status, await reason(response));
}

/** Refusals are a JSON text, an object with `message`, or plain text. */
async function reason(response: Response): Promise<string> {
  const text = (await response.text()).trim();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "string") return value;
    if (value && typeof value === "object" && "message" in value) return String(value.message);
  } catch {
    // plain text
  }
  return text || `the worker answers ${response.status}`;
}
