// The filter of a list: a chip for each matcher, and a box that completes names and values from what there is.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { get } from "../api/client";
import type { Facets } from "../api/types";
import { useKeys } from "../parts/basics";
import { parse, print, type Matcher } from "./parse";

interface Props {
  matchers: Matcher[];
  text: string;
  /** For counts in suggestions. */
  query: URLSearchParams;
  onChange: (matchers: Matcher[], text: string) => void;
}

interface Suggestion {
  /** What the box says once it's taken. */
  becomes: string;
  count: number;
  /** It's whole. */
  done: boolean;
}

const SHOWN = 12;
const PAUSE_MS = 150;

export function Filter({ matchers, text, query, onChange }: Props) {
  const [typed, setTyped] = useState("");
  const [focused, setFocused] = useState(false);
  const [chosen, choose] = useState(-1);
  const box = useRef<HTMLInputElement>(null);
  const list = useId();
  const suggestions = useSuggestions(focused ? typed : null, query);
  useKeys([{ keys: ["/", "f"], title: "Filter alerts", run: () => box.current?.focus() }]);
  const submit = (what: string) => {
    const matcher = parse(what);
    if (matcher) onChange([...matchers, matcher], text);
    else onChange(matchers, what.trim());
    setTyped("");
    choose(-1);
  };
  const take = (suggestion: Suggestion) => {
    if (suggestion.done) submit(suggestion.becomes);
    else setTyped(suggestion.becomes);
    choose(-1);
    box.current?.focus();
  };
  const edit = () => {
    const last = matchers.at(-1);
    if (text) onChange(matchers, "");
    else if (last) onChange(matchers.slice(0, -1), text);
    setTyped(text || (last ? print(last) : ""));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const picked = suggestions[chosen];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(Math.max(-1, Math.min(suggestions.length - 1, chosen + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (picked) take(picked);
      else if (typed.trim()) submit(typed);
    } else if (event.key === "Tab" && picked) {
      event.preventDefault();
      take(picked);
    } else if (event.key === "Backspace" && typed === "" && (matchers.length > 0 || text)) {
      event.preventDefault();
      edit();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (chosen >= 0) choose(-1);
      else box.current?.blur();
    }
  };
  return (
    <div class="filter">
      {matchers.map((matcher, at) => (
        <span class="chip">
          <button
            type="button"
            title="Edit"
            onClick={() => {
              setTyped(print(matcher));
              onChange(matchers.toSpliced(at, 1), text);
              box.current?.focus();
            }}
          >
            <bdi>{print(matcher)}</bdi>
          </button>
          <button type="button" aria-label={`Remove ${print(matcher)}`} onClick={() => onChange(matchers.toSpliced(at, 1), text)}>
            ×
          </button>
        </span>
      ))}
      {text && (
        <span class="chip text">
          <span>contains “{text}”</span>
          <button type="button" aria-label={`Remove ${text}`} onClick={() => onChange(matchers, "")}>
            ×
          </button>
        </span>
      )}
      <span class="box">
        <input
          ref={box}
          type="text"
          role="combobox"
          aria-label="Filter"
          aria-expanded={focused && suggestions.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `${list}-${chosen}` : undefined}
          placeholder='filter: severity="critical", or any text'
          spellcheck={false}
          autocomplete="off"
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            choose(-1);
          }}
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
          onKeyDown={onKeyDown}
        />
        <ul id={list} role="listbox" aria-label="Suggestions" class={focused && suggestions.length > 0 ? "open" : ""}>
          {suggestions.map((suggestion, at) => (
            <li
              id={`${list}-${at}`}
              role="option"
              aria-selected={at === chosen}
              // before the box loses its focus
              onMouseDown={(event) => {
                event.preventDefault();
                take(suggestion);
              }}
            >
              <bdi>{suggestion.becomes}</bdi> <span class="count">{suggestion.count}</span>
            </li>
          ))}
        </ul>
      </span>
    </div>
  );
}

function useSuggestions(typed: string | null, query: URLSearchParams): Suggestion[] {
  const [suggestions, set] = useState<Suggestion[]>([]);
  const asked = query.toString();
  useEffect(() => {
    if (typed === null) return;
    let current = true;
    const timer = setTimeout(() => {
      complete(typed, new URLSearchParams(asked)).then(
        (found) => current && set(found),
        () => current && set([]),
      );
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [typed, asked]);
  return typed === null ? [] : suggestions;
}

async function complete(typed: string, query: URLSearchParams): Promise<Suggestion[]> {
  query.set("limit", String(SHOWN));
  const started = parse(typed);
  if (!started) {
    query.set("prefix", typed.trim());
    const { labels } = await get<Facets>("facets", query);
    return labels.slice(0, SHOWN).map(({ name, alerts }) => {
      const [quoted] = print({ name, op: "=", value: "" }).split(/=""$/);
      return { becomes: `${quoted}=`, count: alerts, done: false };
    });
  }
  // a text in quotes that isn't closed yet counts as it stands
  const value = started.value.replace(/^"/, "");
  query.set("label", started.name);
  query.set("prefix", started.op === "=" || started.op === "!=" ? value : "");
  const { labels } = await get<Facets>("facets", query);
  const values = labels[0]?.values ?? [];
  return values.map((found) => ({
    becomes: print({ ...started, value: found.value }),
    count: found.alerts,
    done: true,
  }));
}
