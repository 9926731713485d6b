import { useEffect, useState } from "preact/hooks";
import { expireSilence, get, setSilence } from "../api/client";
import { told } from "../api/live";
import type { Silence, SilenceState, Silences as SilencesAnswer } from "../api/types";
import { print, printAll } from "../matcher/parse";
import { Age, copy, Linked, Problem, say, Time, useKeys, useLoaded } from "../parts/basics";
import { alertsHash, go, read, silencesHash } from "../router";
import { now, parseSpan } from "../time";
import { draftOf, each, expire, extend } from "./silence_actions";

const STATES: SilenceState[] = ["active", "pending", "expired"];
const EXTENSIONS = ["1h", "4h", "1d"];
const SOON_MS = 3_600_000;
const PAGE = 200;

export function Silences({ state, by, text }: { state: string; by: string; text: string }) {
  const [count, setCount] = useState(PAGE);
  const [asked, again] = useState(0);
  const [cursor, setCursor] = useState(0);
  const [selected, select] = useState<Set<string>>(new Set());
  const params = new URLSearchParams({ state, limit: String(Math.min(count, 1000)) });
  if (by) params.set("by", by);
  if (text) params.set("q", text);
  const { value, error } = useLoaded(
    () => get<SilencesAnswer>("silences", params),
    [params.toString(), told.value?.version, asked],
  );
  const reload = () => again((before) => before + 1);
  const rows = value?.silences ?? [];
  const here = rows[Math.min(cursor, rows.length - 1)];
  const change = (to: { state?: string; by?: string; text?: string }) =>
    go(silencesHash(to.state ?? state, to.by ?? by, to.text ?? text), true);
  useEffect(() => {
    setCursor(0);
    select(new Set());
  }, [state, by, text]);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setCursor(next);
    document.getElementById(`silence-${next}`)?.focus();
  };
  const pick = (silence: Silence) => {
    const next = new Set(selected);
    if (!next.delete(silence.id)) next.add(silence.id);
    select(next);
  };
  const chosen = rows.filter(({ id }) => selected.has(id));
  const doExtend = async (silence: Silence, length: string) => (await extend(silence, length)) && reload();
  const doExpire = async (silence: Silence) => (await expire(silence, reload)) && reload();
  useKeys([
      { keys: ["j", "ArrowDown"], title: "Next silence", run: () => move(cursor + 1), quiet: true },
      { keys: ["k", "ArrowUp"], title: "Previous silence", run: () => move(cursor - 1), quiet: true },
      { keys: ["Enter"], title: "Open the silence", run: () => here && go(`#/silences/${here.id}`), quiet: true },
      { keys: ["x"], title: "Select or deselect", run: () => here && pick(here), quiet: true },
      { keys: ["e"], title: "Extend the silence by an hour", run: () => here && void doExtend(here, "1h") },
      { keys: ["E"], title: "Expire the silence", run: () => here && void doExpire(here) },
      { keys: ["/", "f"], title: "Search silences", run: () => document.getElementById("silence-search")?.focus() },
      { keys: ["Escape"], title: "Deselect", run: () => select(new Set()), quiet: true },
    ]);
  const bulk = async (act: (silence: Silence) => Promise<unknown>) => {
    await each(chosen, act);
    select(new Set());
    reload();
  };
  const soon = state === "active" ? rows.filter(({ endsAt }) => new Date(endsAt).getTime() - now.value < SOON_MS) : [];
  return (
    <section class="page silences">
      <h1 class="hidden">Silences</h1>
      <div class="bar">
        <div class="toggles" role="group" aria-label="States">
          {STATES.map((name) => (
            <button type="button" aria-pressed={name === state} onClick={() => change({ state: name })}>
              {name} <span class="count">{value?.states[name] ?? "…"}</span>
            </button>
          ))}
        </div>
        <input
          id="silence-search"
          type="search"
          aria-label="Search silences"
          placeholder="text, author, matcher or id"
          value={text}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
        <label class="choice">
          By
          <select value={by} onChange={(event) => change({ by: event.currentTarget.value })}>
            <option value="">anyone</option>
            {Object.entries(value?.authors ?? {}).map(([name, number]) => (
              <option value={name}>
                {name} ({number})
              </option>
            ))}
          </select>
        </label>
        <a class="button primary" href="#/silences/new">
          New silence <kbd>n</kbd>
        </a>
      </div>
      <Problem error={error} stale={value !== null} />
      {value && rows.length === 0 && (
        <div class="nothing">
          <p>
            No {state} silences{text || by ? " like that" : ""}.
          </p>
          {STATES.filter((name) => name !== state && value.states[name] > 0).map((name) => (
            <button type="button" onClick={() => change({ state: name })}>
              {value.states[name]} {name}
            </button>
          ))}
        </div>
      )}
      {rows.length > 0 && (
        <table class="silences">
          <thead>
            <tr>
              <th>
                <span class="hidden">Selected</span>
              </th>
              <th>{state === "expired" ? "ended" : state === "pending" ? "starts" : "ends"}</th>
              <th>matchers</th>
              <th class="number">hits</th>
              <th>by</th>
              <th>comment</th>
              <th>
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((silence, at) => (
              <>
                {at === 0 && soon.length > 0 && <Divider text="ending within 1 h" />}
                {at === soon.length && soon.length > 0 && <Divider text="later" />}
                <SilenceLine
                  key={silence.id}
                  at={at}
                  silence={silence}
                  focused={at === cursor}
                  selected={selected.has(silence.id)}
                  onFocus={() => setCursor(at)}
                  onPick={pick}
                  onExtend={doExtend}
                  onExpire={doExpire}
                />
              </>
            ))}
          </tbody>
        </table>
      )}
      {value && value.total > rows.length && (
        <button type="button" onClick={() => setCount(count + PAGE)}>
          Show more: {value.total - rows.length} are left
        </button>
      )}
      {chosen.length > 0 && (
        <div class="selection sticky" role="toolbar" aria-label="Selection">
          {chosen.length} selected
          {state !== "expired" &&
            EXTENSIONS.map((length) => (
              <button type="button" onClick={() => void bulk((silence) => setSilence({ ...draftOf(silence), endsAt: later(silence, length) }))}>
                +{length}
              </button>
            ))}
          {state !== "expired" && (
            <button type="button" onClick={() => void bulk((silence) => expireSilence(silence.id))}>
              Expire
            </button>
          )}
          <button type="button" onClick={() => copy(chosen.map((silence) => printAll(silence.matchers)).join("\n"))}>
            Copy matchers
          </button>
          <button type="button" onClick={() => select(new Set())}>
            Clear
          </button>
        </div>
      )}
    </section>
  );
}

function later(silence: Silence, length: string): string {
  return new Date(new Date(silence.endsAt).getTime() + (parseSpan(length) ?? 0)).toISOString();
}

function Divider({ text }: { text: string }) {
  return (
    <tr class="divider">
      <td colSpan={7}>{text}</td>
    </tr>
  );
}

interface LineProps {
  at: number;
  silence: Silence;
  focused: boolean;
  selected: boolean;
  onFocus: () => void;
  onPick: (silence: Silence) => void;
  onExtend: (silence: Silence, length: string) => void;
  onExpire: (silence: Silence) => void;
}

function SilenceLine({ at, silence, focused, selected, onFocus, onPick, onExtend, onExpire }: LineProps) {
  const over = silence.state === "expired";
  const [when] = silence.state === "pending" ? [silence.startsAt] : [silence.endsAt];
  return (
    <tr id={`silence-${at}`} tabIndex={focused ? 0 : -1} onFocus={onFocus} class={selected ? "selected" : ""}>
      <td>
        <input type="checkbox" checked={selected} aria-label={`Select the silence of ${silence.createdBy}`} onChange={() => onPick(silence)} />
      </td>
      <td class="when">
        {over ? "" : "in "}
        <Age at={when} />
        {over ? " ago" : ""}
      </td>
      <td>
        <a href={`#/silences/${silence.id}`} class="matchers">
          {silence.matchers.map((matcher) => (
            <bdi class="label">{print(matcher)}</bdi>
          ))}
        </a>
      </td>
      <td class="number">{over ? "" : silence.hits === 0 ? <span title="matches no alert now">0 ⚠</span> : silence.hits}</td>
      <td>{silence.createdBy}</td>
      <td>
        <Linked text={silence.comment} />
      </td>
      <td class="tools">
        {over ? (
          <a class="button" href={recreateHash(silence)}>
            Make again
          </a>
        ) : (
          <>
            {EXTENSIONS.map((length) => (
              <button type="button" onClick={() => onExtend(silence, length)} aria-label={`Extend by ${length}`}>
                +{length}
              </button>
            ))}
            <a class="button" href={`#/silences/${silence.id}/edit`} aria-label="Edit">
              ✎
            </a>
            <button type="button" onClick={() => onExpire(silence)} aria-label="Expire">
              ✕
            </button>
          </>
        )}
      </td>
    </tr>
  );
}

function recreateHash(silence: Silence): string {
  const params = new URLSearchParams({ filter: printAll(silence.matchers), comment: silence.comment, createdBy: silence.createdBy });
  return `#/silences/new?${params}`;
}

/** One silence. */
export function SilenceScreen({ id }: { id: string }) {
  const [asked, again] = useState(0);
  const { value: list, error } = useLoaded(
    () => get<SilencesAnswer>("silences", new URLSearchParams({ q: id })),
    [id, told.value?.version, asked],
  );
  const silence = list?.silences.find((one) => one.id === id) ?? null;
  const reload = () => again((before) => before + 1);
  const over = silence?.state === "expired";
  useKeys([
      { keys: ["e"], title: "Extend the silence by an hour", run: () => silence && void extend(silence, "1h").then(reload) },
      { keys: ["E"], title: "Expire the silence", run: () => silence && void expire(silence, reload).then(reload) },
      { keys: ["Enter"], title: "Edit the silence", run: () => silence && go(`#/silences/${id}/edit`), quiet: true },
      { keys: ["y"], title: "Copy the link to this silence", run: () => copy(location.href) },
      { keys: ["Escape"], title: "Back", run: () => history.back(), quiet: true },
    ]);
  if (!silence) {
    return (
      <section class="page">
        <h1>Silence</h1>
        <Problem error={error} />
        {list && (
          <p>
            No silence <code>{id}</code> is known to this member. <a href="#/silences">All silences</a>
          </p>
        )}
      </section>
    );
  }
  const affected = read("#/alerts");
  const alerts =
    affected.name === "alerts"
      ? alertsHash({ ...affected.view, matchers: silence.matchers, silenced: true, inhibited: true, muted: true })
      : "#/alerts";
  return (
    <section class="page silence">
      <h1>
        Silence <span class="faint">{silence.state}</span>
      </h1>
      <p class="matchers">
        {silence.matchers.map((matcher) => (
          <bdi class="label">{print(matcher)}</bdi>
        ))}
      </p>
      <dl class="facts">
        <dt>comment</dt>
        <dd>
          <Linked text={silence.comment} />
        </dd>
        <dt>by</dt>
        <dd>{silence.createdBy}</dd>
        <dt>starts</dt>
        <dd>
          <Time at={silence.startsAt} />
        </dd>
        <dt>{over ? "ended" : "ends"}</dt>
        <dd>
          <Time at={silence.endsAt} />
          {over ? "" : <span class="faint"> in <Age at={silence.endsAt} /></span>}
        </dd>
        <dt>changed</dt>
        <dd>
          <Time at={silence.updatedAt} />
        </dd>
        <dt>id</dt>
        <dd>
          <code>{silence.id}</code>
        </dd>
        {Object.entries(silence.annotations).map(([name, text]) => (
          <>
            <dt>{name}</dt>
            <dd>
              <Linked text={text} />
            </dd>
          </>
        ))}
        <dt>{silence.state === "pending" ? "will hit" : "hits"}</dt>
        <dd>
          <a href={alerts}>{silence.hits} alerts</a>
        </dd>
      </dl>
      <div class="actions">
        {over ? (
          <a class="button primary" href={recreateHash(silence)}>
            Make again
          </a>
        ) : (
          <>
            {EXTENSIONS.map((length) => (
              <button type="button" onClick={() => void extend(silence, length).then(reload)}>
                +{length}
              </button>
            ))}
            <a class="button" href={`#/silences/${id}/edit`}>
              Edit
            </a>
            <button type="button" class="danger" onClick={() => void expire(silence, reload).then(reload)}>
              Expire <kbd>E</kbd>
            </button>
          </>
        )}
        <button type="button" onClick={() => copy(location.href)}>
          Copy link
        </button>
        <button
          type="button"
          onClick={() => {
            copy(`amtool silence expire ${id}`);
            say("copied");
          }}
        >
          Copy amtool
        </button>
      </div>
    </section>
  );
}
