// One list of actions feeds keys, the command palette and the help.
import { signal } from "@preact/signals";

export interface Action {
  /** As pressed: `j`, `Shift+J`, `g a`, `Ctrl+Enter`; several that do the same. */
  keys: string[];
  title: string;
  run: () => void;
  /** Not offered by the palette: moving about. */
  quiet?: boolean;
}

/** What a part of the page offers now; it may change without being added anew. */
export interface Layer {
  current: Action[];
}

const layers = signal<Layer[]>([]);
let pending = "";
let pendingSince = 0;
const CHORD_MS = 1_500;
/** What these do to the text of a field is the browser's. */
const EDITING = ["Ctrl+a"];

/** Adds a layer until the result is called. Later ones go first. */
export function register(layer: Layer): () => void {
  layers.value = [...layers.value, layer];
  return () => {
    layers.value = layers.value.filter((other) => other !== layer);
  };
}

/** All that can be done now, the nearest first. */
export function actions(): Action[] {
  return layers.value.toReversed().flatMap((layer) => layer.current);
}

/** The name of a key with its modifiers; letters with Shift are upper case letters. */
export function keyName(event: KeyboardEvent): string {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && event.key.length > 1) parts.push("Shift");
  parts.push(event.key === " " ? "Space" : event.key);
  return parts.join("+");
}

export function startKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const name = keyName(event);
    const target = event.target instanceof Element ? event.target : null;
    const typing = target?.matches("input:not([type=checkbox]), textarea, select") ?? false;
    if (typing && ((!name.startsWith("Ctrl+") && name !== "Escape") || EDITING.includes(name))) return;
    // a button or link that is focused is pressed by these
    if ((name === "Enter" || name === "Space") && target?.matches("button, a, summary, input")) return;
    if (document.querySelector("dialog[open]") && name !== "Escape" && !name.startsWith("Ctrl+")) return;
    const chord = pending && Date.now() - pendingSince < CHORD_MS ? `${pending} ${name}` : "";
    pending = "";
    const all = actions();
    const found = all.find((action) => action.keys.includes(chord)) ?? all.find((action) => action.keys.includes(name));
    if (found) {
      event.preventDefault();
      found.run();
    } else if (all.some((action) => action.keys.some((key) => key.startsWith(`${name} `)))) {
      pending = name;
      pendingSince = Date.now();
    }
  });
}
