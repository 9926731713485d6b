// Silences that are made again and again, kept by the browser under a name.
import { templates } from "./prefs";
import type { Prefill } from "./router";

export interface Template {
  name: string;
  /** The link of a form that is filled in so. */
  prefill: Prefill;
}

/** Those that there are, by name. */
export function all(): Template[] {
  try {
    const list: unknown = JSON.parse(templates.value);
    return Array.isArray(list) ? list.filter(whole).toSorted((a, b) => a.name.localeCompare(b.name)) : [];
  } catch {
    return [];
  }
}

export function keep(name: string, prefill: Prefill): void {
  templates.value = JSON.stringify([...all().filter((one) => one.name !== name), { name, prefill }]);
}

export function forget(name: string): void {
  templates.value = JSON.stringify(all().filter((one) => one.name !== name));
}

// it may have been written by hand, or by another version
function whole(value: unknown): value is Template {
  const { name, prefill } = (value ?? {}) as Partial<Template>;
  const texts = [name, prefill?.comment, prefill?.createdBy, prefill?.duration];
  return texts.every((text) => typeof text === "string") && Array.isArray(prefill?.matchers);
}
