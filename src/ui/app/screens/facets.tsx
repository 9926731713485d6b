// Where the fire is: the most frequent values of each label.
import { useState } from "preact/hooks";
import { get } from "../api/client";
import type { Facets } from "../api/types";
import type { Matcher } from "../matcher/parse";
import { useLoaded } from "../parts/basics";

interface Props {
  query: string;
  /** Another one: asked anew. */
  version: string;
  receivers: string[];
  /** `more`: beside what is there. */
  onAdd: (matcher: Matcher, more: boolean) => void;
  onReceiver: (name: string, more: boolean) => void;
}

const VALUES = 6;

export function FacetPanel({ query, version, receivers, onAdd, onReceiver }: Props) {
  const params = new URLSearchParams(query);
  params.set("limit", String(VALUES));
  const { value } = useLoaded(() => get<Facets>("facets", params), [query, version]);
  const [all, showAll] = useState(false);
  if (!value) return <aside class="facets" aria-label="Labels" />;
  const labels = value.labels.filter(({ distinct }) => all || distinct > 1).slice(0, all ? undefined : 8);
  const add = (event: MouseEvent, name: string, text: string) =>
    onAdd({ name, op: event.altKey ? "!=" : "=", value: text }, event.shiftKey);
  return (
    <aside class="facets" aria-label="Labels">
      {Object.keys(value.receivers).length > 1 && (
        <section>
          <h2>receiver</h2>
          <ul>
            {Object.entries(value.receivers).map(([name, alerts]) => (
              <li>
                <button
                  type="button"
                  aria-pressed={receivers.includes(name)}
                  title="Click: only this one. Shift: this one, too."
                  onClick={(event) => onReceiver(name, event.shiftKey)}
                >
                  <bdi>{name}</bdi> <span class="count">{alerts}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {labels.map(({ name, values, distinct }) => (
        <section>
          <h2>{name}</h2>
          <ul>
            {values.map(({ value: text, alerts }) => (
              <li>
                <button
                  type="button"
                  title="Click: only these. Shift: these, too. Alt: not these."
                  onClick={(event) => add(event, name, text)}
                >
                  <bdi>{text}</bdi> <span class="count">{alerts}</span>
                </button>
              </li>
            ))}
          </ul>
          {distinct > values.length && <span class="faint">and {distinct - values.length} more</span>}
        </section>
      ))}
      <button type="button" onClick={() => showAll(!all)}>
        {all ? "Fewer labels" : "All labels"}
      </button>
    </aside>
  );
}
