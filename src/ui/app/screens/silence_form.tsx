// A new silence, or a changed one, with what it would keep quiet beside it.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post, setSilence, type Refused } from "../api/client";
import { told } from "../api/live";
import type { Draft, Op, Preview, Silence, Silences } from "../api/types";
import { print, type Matcher } from "../matcher/parse";
import { Calendar } from "../parts/calendar";
import { asRefused, LabelChip, Problem, say, summaryOf, useKeys } from "../parts/basics";
import { author, creator, identity, recentComments, rememberComment, zone } from "../prefs";
import { go, prefillHash, type Prefill } from "../router";
import * as templates from "../templates";
import { now, parseEnd, span, stamp } from "../time";

const OPS: Op[] = ["=", "!=", "=~", "!~"];
const LENGTHS = ["30m", "2h", "4h", "1d", "1w"];
const PAUSE_MS = 200;

export function SilenceForm({ id, prefill }: { id: string | null; prefill: Prefill }) {
  const [old, setOld] = useState<Silence | null>(null);
  const [matchers, setMatchers] = useState<Matcher[]>(prefill.matchers.length > 0 ? prefill.matchers : [{ name: "", op: "=", value: "" }]);
  const [start, setStart] = useState("");
  const [length, setLength] = useState(prefill.duration || "2h");
  const [by, setBy] = useState(prefill.createdBy || author());
  const [comment, setComment] = useState(prefill.comment);
  const [annotations, setAnnotations] = useState<[string, string][]>([]);
  const [error, setError] = useState<Refused | null>(null);
  const [missing, setMissing] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!by && identity.value) setBy(identity.value);
  }, [identity.value]);
  useEffect(() => {
    if (!id) {
      first.current?.focus();
      return;
    }
    get<Silences>("silences", new URLSearchParams({ q: id })).then(
      ({ silences }) => {
        const silence = silences.find((one) => one.id === id);
        if (!silence) return;
        setOld(silence);
        setMatchers(silence.matchers);
        setStart(stamp(silence.startsAt, "utc").replace(/ UTC$/, "Z"));
        setLength(stamp(silence.endsAt, "utc").replace(/ UTC$/, "Z"));
        setBy(silence.createdBy);
        setComment(silence.comment);
        setAnnotations(Object.entries(silence.annotations));
      },
      (refused: unknown) => setError(asRefused(refused)),
    );
  }, [id]);

  const startsAt = start.trim() === "" ? now.value : parseEnd(start, now.value, zone.value);
  const endsAt = startsAt === null ? null : parseEnd(length, startsAt, zone.value);
  const complete = matchers.filter(({ name }) => name.trim() !== "");
  const { preview, problem } = usePreview(complete);
  const change = (at: number, part: Partial<Matcher>) => setMatchers(matchers.map((m, index) => (index === at ? { ...m, ...part } : m)));

  const submit = async () => {
    const lacks = [
      complete.length === 0 ? "a matcher" : "",
      startsAt === null ? "a start" : "",
      endsAt === null ? "an end" : "",
      by.trim() === "" ? "who makes it" : "",
      comment.trim() === "" ? "a comment" : "",
    ].filter(Boolean);
    setMissing(lacks);
    if (lacks.length > 0 || busy || startsAt === null || endsAt === null) return;
    setBusy(true);
    setError(null);
    const draft: Draft = {
      ...(id ? { id } : {}),
      matchers: complete.map(({ name, op, value }) => ({
        name,
        value,
        isRegex: op === "=~" || op === "!~",
        isEqual: op === "=" || op === "=~",
      })),
      startsAt: new Date(start.trim() === "" ? Date.now() : startsAt).toISOString(),
      endsAt: new Date(start.trim() === "" ? (parseEnd(length, Date.now(), zone.value) ?? endsAt) : endsAt).toISOString(),
      createdBy: by.trim(),
      comment: comment.trim(),
      annotations: Object.fromEntries(annotations.map(([name, text]) => [name.trim(), text]).filter(([name]) => name !== "")),
    };
    try {
      const made = await setSilence(draft);
      creator.value = by.trim();
      rememberComment(comment.trim());
      say(id === made ? "silence changed" : id ? "silence replaced by a new one" : "silence made");
      go(`#/silences/${made}`);
    } catch (refused) {
      setError(asRefused(refused));
      setBusy(false);
    }
  };
  useKeys([
      { keys: ["Ctrl+Enter"], title: id ? "Save the silence" : "Make the silence", run: () => void submit() },
      { keys: ["Escape"], title: "Leave the form", run: () => leave(id), quiet: true },
    ]);
  const replaces = old !== null && willReplace(old, complete);
  return (
    <section class="page form">
      <div class="titled">
        <h1>{id ? "Edit silence" : "New silence"}</h1>
        {!id && <Templates draft={{ matchers: complete, comment: comment.trim(), createdBy: "", duration: length.trim() }} />}
      </div>
      <div class="columns">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          <fieldset>
            <legend>Matchers</legend>
            {matchers.map((matcher, at) => (
              <div class="matcher">
                <input
                  ref={at === 0 ? first : undefined}
                  type="text"
                  aria-label={`Label ${at + 1}`}
                  placeholder="label"
                  spellcheck={false}
                  value={matcher.name}
                  onInput={(event) => change(at, { name: event.currentTarget.value })}
                />
                <select aria-label={`Operator ${at + 1}`} value={matcher.op} onChange={(event) => change(at, { op: event.currentTarget.value as Op })}>
                  {OPS.map((op) => (
                    <option value={op}>{op}</option>
                  ))}
                </select>
                <input
                  type="text"
                  aria-label={`Value ${at + 1}`}
                  placeholder="value"
                  spellcheck={false}
                  value={matcher.value}
                  onInput={(event) => change(at, { value: event.currentTarget.value })}
                />
                <span class="count" title="alerts that this matcher lets pass">
                  {preview?.matchers.find((m) => print(m) === print(matcher))?.alerts ?? ""}
                </span>
                <button
                  type="button"
                  aria-label={`Remove matcher ${at + 1}`}
                  disabled={matchers.length === 1}
                  onClick={() => setMatchers(matchers.toSpliced(at, 1))}
                >
                  ×
                </button>
              </div>
            ))}
            <button type="button" onClick={() => setMatchers([...matchers, { name: "", op: "=", value: "" }])}>
              Add matcher
            </button>
          </fieldset>
          <fieldset>
            <legend>When</legend>
            <div class="dated">
              <label>
                From
                <input type="text" placeholder="now" value={start} onInput={(event) => setStart(event.currentTarget.value)} />
              </label>
              <Calendar of="start" at={startsAt ?? now.value} onPick={setStart} />
            </div>
            <div class="dated">
              <label>
                For, or until
                <input
                  type="text"
                  placeholder="2h, fri 18:00, 2026-12-01 09:00"
                  value={length}
                  aria-invalid={endsAt === null}
                  onInput={(event) => setLength(event.currentTarget.value)}
                />
              </label>
              <Calendar of="end" at={endsAt ?? now.value} onPick={setLength} />
            </div>
            <div class="quick" role="group" aria-label="Length">
              {LENGTHS.map((text) => (
                <button type="button" aria-pressed={length === text} onClick={() => setLength(text)}>
                  {text}
                </button>
              ))}
            </div>
            <p class="faint">
              {endsAt === null || startsAt === null
                ? "no time that is understood: 3h, 18:00, fri 18:00, or 2026-12-01 09:00"
                : `until ${stamp(endsAt, zone.value)}, ${span(endsAt - startsAt)} in all`}
            </p>
          </fieldset>
          <fieldset>
            <legend>Who and why</legend>
            <label>
              By
              <input type="text" autocomplete="username" value={by} onInput={(event) => setBy(event.currentTarget.value)} />
            </label>
            <label>
              Comment
              <input type="text" list="comments" value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
            </label>
            <datalist id="comments">
              {recentComments().map((text) => (
                <option value={text} />
              ))}
            </datalist>
          </fieldset>
          <Annotations list={annotations} onChange={setAnnotations} />
          {missing.length > 0 && (
            <p class="problem" role="alert">
              Still missing: {missing.join(", ")}
            </p>
          )}
          <Problem error={error} />
          {replaces && <p class="note">Its matchers change: it ends, and a new one with another id takes its place.</p>}
          <div class="actions">
            <button type="submit" class="primary" disabled={busy}>
              {id ? "Save" : "Create"} <kbd>Ctrl Enter</kbd>
            </button>
            <button type="button" onClick={() => leave(id)}>
              Cancel
            </button>
          </div>
        </form>
        <Affected preview={preview} problem={problem} />
      </div>
    </section>
  );
}

/** What else a silence says, for people and programs: a ticket, a team. */
function Annotations({ list, onChange }: { list: [string, string][]; onChange: (list: [string, string][]) => void }) {
  const change = (at: number, to: [string, string]) => onChange(list.map((one, index) => (index === at ? to : one)));
  return (
    <details class="annotations" open={list.length > 0}>
      <summary>Annotations{list.length > 0 ? ` (${list.length})` : ""}</summary>
      {list.map(([name, text], at) => (
        <div class="matcher">
          <input
            type="text"
            aria-label={`Annotation ${at + 1}`}
            placeholder="ticket"
            value={name}
            onInput={(event) => change(at, [event.currentTarget.value, text])}
          />
          <span>=</span>
          <input
            type="text"
            aria-label={`Text of annotation ${at + 1}`}
            value={text}
            onInput={(event) => change(at, [name, event.currentTarget.value])}
          />
          <span />
          <button type="button" aria-label={`Remove annotation ${at + 1}`} onClick={() => onChange(list.toSpliced(at, 1))}>
            ×
          </button>
        </div>
      ))}
      <button type="button" onClick={() => onChange([...list, ["", ""]])}>
        Add annotation
      </button>
    </details>
  );
}

/** Silences that were given a name, to begin with one of them. */
function Templates({ draft }: { draft: Prefill }) {
  const [name, setName] = useState("");
  const known = templates.all();
  const keep = (event: Event) => {
    event.preventDefault();
    if (name.trim() === "") return;
    templates.keep(name.trim(), draft);
    setName("");
    say("kept as a template");
  };
  return (
    <details class="saved">
      <summary>Templates{known.length > 0 ? ` (${known.length})` : ""}</summary>
      <div>
        <ul>
          {known.map((template) => (
            <li>
              <a href={prefillHash(template.prefill)}>{template.name}</a>
              <button type="button" aria-label={`Forget ${template.name}`} onClick={() => templates.forget(template.name)}>
                ×
              </button>
            </li>
          ))}
        </ul>
        <form onSubmit={keep}>
          <input type="text" aria-label="Name of the template" placeholder="keep this one as" value={name} onInput={(event) => setName(event.currentTarget.value)} />
          <button type="submit">Keep</button>
        </form>
      </div>
    </details>
  );
}

function leave(id: string | null): void {
  go(id ? `#/silences/${id}` : "#/silences");
}

/** The worker makes a new one when what is matched changes. */
function willReplace(old: Silence, matchers: Matcher[]): boolean {
  const texts = (list: Matcher[]) => list.map(print).toSorted().join("\n");
  return old.state !== "pending" && texts(old.matchers) !== texts(matchers);
}

function usePreview(matchers: Matcher[]): { preview: Preview | null; problem: Refused | null } {
  const [state, set] = useState<{ preview: Preview | null; problem: Refused | null }>({ preview: null, problem: null });
  const text = matchers.map(print).join("\n");
  const version = told.value?.version;
  useEffect(() => {
    if (matchers.length === 0) return set({ preview: null, problem: null });
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const body = {
        matchers: matchers.map(({ name, op, value }) => ({
          name,
          value,
          isRegex: op === "=~" || op === "!~",
          isEqual: op === "=" || op === "=~",
        })),
      };
      post<Preview>("silences/preview", body, abort.signal).then(
        (preview) => set({ preview, problem: null }),
        (error: unknown) => abort.signal.aborted || set({ preview: null, problem: asRefused(error) }),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, version]);
  return state;
}

function Affected({ preview, problem }: { preview: Preview | null; problem: Refused | null }) {
  return (
    <aside class="affected" aria-label="Preview" aria-live="polite">
      <h2>{preview ? `Would silence ${preview.alerts} of ${preview.all} now` : "Would silence"}</h2>
      <Problem error={problem} />
      {preview?.warnings.map(({ text, code }) => (
        <p class="warning" data-code={code}>
          ⚠ {text}
        </p>
      ))}
      {preview && preview.alerts > 0 && (
        <>
          <p>
            {Object.entries(preview.receivers)
              .map(([name, count]) => `${name} ${count}`)
              .join(" · ")}
            {preview.alreadySilenced > 0 && ` · already silenced: ${preview.alreadySilenced}`}
          </p>
          <ul>
            {preview.rows.map((row) => (
              <li>
                <a href={`#/alert/${row.fingerprint}`}>
                  <bdi>{row.labels.alertname ?? row.fingerprint}</bdi>
                </a>{" "}
                {Object.entries(row.labels)
                  .filter(([name]) => name !== "alertname")
                  .slice(0, 4)
                  .map(([name, value]) => (
                    <LabelChip name={name} value={value} />
                  ))}{" "}
                <bdi class="faint">{summaryOf(row)}</bdi>
              </li>
            ))}
          </ul>
          {preview.alerts > preview.rows.length && <p class="faint">and {preview.alerts - preview.rows.length} more</p>}
        </>
      )}
      {!preview && !problem && <p class="faint">Give a matcher to see what it hits.</p>}
    </aside>
  );
}
