// Silences that are made again and again, kept by the browser under a name.
import { listed, templates } from "./prefs";
import type { Prefill } from "./router";

export interface Template {
  name: string;
  /** What the form of a new silence begins with. */
  prefill: Prefill;
}

/** Those that there are, by name. */
export function all(): Template[] {
  return listed(templates.value, whole).toSorted((a, b) => a.name.localeCompare(b.name));
}

export function keep(name: string, prefill: Prefill): void {
  templates.value = JSON.stringify([...all().filter((one) => one.name !== name), { name, prefill }]);
}

export function forget(name: string): void {
  templates.value = JSON.stringify(all().filter((one) => one.name !== name));
}

function whole(value: unknown): value is Template {
  const { name, prefill } = (value ?? {}) as Partial<Template>;
  const texts = [name, prefill?.comment, prefill?.createdBy, prefill?.duration];
  return texts.every((text) => typeof text === "string") && Array.isArray(prefill?.matchers);
}
