// The filter of a URL: `{a="b",c=~"d"}`, and one matcher as it is typed. The worker decides whether a matcher is valid; here
// texts are only taken apart and put together.
import type { Op } from "../api/types";

export interface Matcher {
  name: string;
  op: Op;
  value: string;
}

const OPS: Op[] = ["=~", "!~", "!=", "="];

/** `name="value"`, names in quotes where they need it. */
export function print(matcher: Matcher): string {
  const plain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(matcher.name);
  return `${plain ? matcher.name : quote(matcher.name)}${matcher.op}${quote(matcher.value)}`;
}

/** With braces, as in the reference's URLs. */
export function printAll(matchers: Matcher[]): string {
  return `{${matchers.map(print).join(",")}}`;
}

/** One matcher, or nothing if there is no operator in it. */
export function parse(text: string): Matcher | null {
  const trimmed = text.trim();
  const name = trimmed.startsWith('"') ? quoted(trimmed) : /^[^=!~"{},\s]+/.exec(trimmed)?.[0];
  if (name === undefined || name === null) return null;
  const [read, rest] = typeof name === "string" ? [name, trimmed.slice(name.length)] : [name.text, trimmed.slice(name.length)];
  const after = rest.trimStart();
  const op = OPS.find((candidate) => after.startsWith(candidate));
  if (!op || read === "") return null;
  const value = after.slice(op.length).trim();
  if (!value.startsWith('"')) return { name: read, op, value };
  const inner = quoted(value);
  return inner && inner.length === value.length ? { name: read, op, value: inner.text } : null;
}

/** All of a filter, with braces or without; what is none is left out and told of. */
export function parseAll(text: string): { matchers: Matcher[]; broken: string[] } {
  const trimmed = text.trim();
  const inside = trimmed.startsWith("{") && trimmed.endsWith("}") ? trimmed.slice(1, -1) : trimmed;
  const matchers: Matcher[] = [];
  const broken: string[] = [];
  for (const part of split(inside)) {
    if (part.trim() === "") continue;
    const matcher = parse(part);
    if (matcher) matchers.push(matcher);
    else broken.push(part.trim());
  }
  return { matchers, broken };
}

export function equal(a: Matcher, b: Matcher): boolean {
  return a.name === b.name && a.op === b.op && a.value === b.value;
}

/** One more value for the label: two values become one expression that matches both. */
export function merge(matchers: Matcher[], add: Matcher): Matcher[] {
  if (matchers.some((matcher) => equal(matcher, add))) return matchers;
  const positive = add.op === "=";
  const at = matchers.findIndex((m) => m.name === add.name && (positive ? m.op === "=" || m.op === "=~" : m.op === "!=" || m.op === "!~"));
  const old = matchers[at];
  if (!old || (add.op !== "=" && add.op !== "!=")) return [...matchers, add];
  const before = old.op === "=" || old.op === "!=" ? escape(old.value) : old.value;
  const value = `${before}|${escape(add.value)}`;
  return matchers.map((matcher, index) => (index === at ? { name: add.name, op: positive ? "=~" : "!~", value } : matcher));
}

/** For an expression that matches the text itself. */
export function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function quote(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}

/** A quoted text at the start: what it says, and how long it is as written. */
function quoted(text: string): { text: string; length: number } | null {
  let read = "";
  for (let at = 1; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '"') return { text: read, length: at + 1 };
    if (char !== "\\") {
      read += char;
      continue;
    }
    at += 1;
    const next = text[at];
    if (next === undefined) return null;
    // an escape that matchers don't know stands for itself
    read += next === "n" ? "\n" : next === '"' || next === "\\" ? next : `\\${next}`;
  }
  return null;
}

/** At commas outside of quotes. */
function split(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let inQuotes = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\\" && inQuotes) at += 1;
    else if (char === '"') inQuotes = !inQuotes;
    else if (char === "," && !inQuotes) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}
