import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { get } from "../api/client";
import { told } from "../api/live";
import type { Facets, Header, Labels, Row } from "../api/types";
import { List, type Line } from "../list/store";
import { LINE_PX, useViewport } from "../list/viewport";
import { Filter } from "../matcher/filter";
import { merge, print, type Matcher } from "../matcher/parse";
import { Age, copy, LabelChip, Problem, Quiet, Severity, summaryOf, useKeys, useLoaded } from "../parts/basics";
import { expandAll, forgetView, savedViews, saveView } from "../prefs";
import { alertsHash, alertsQuery, go, newSilenceHash, STATES, type AlertsView } from "../router";
import { now, span } from "../time";
import { Alert } from "./alert";
import { FacetPanel } from "./facets";

/** What is narrowed to when no label is pointed at. */
const NAME = "alertname";

const SORTS: Record<string, string> = { severity: "worst first", newest: "newest first", oldest: "oldest first", name: "by name" };

export function Alerts({ view }: { view: AlertsView }) {
  const query = alertsQuery(view).toString();
  const flat = view.groupBy?.length === 0;
  const list = useMemo(() => new List(query, flat, expandAll.value === "true"), [query, flat]);
  // so that it's drawn again whenever something came
  void list.changes.value;
  const summary = list.summary.value;
  const length = list.length;
  const port = useViewport(length);
  const [cursor, setCursor] = useState(0);
  const [selected, select] = useState<Map<string, Labels>>(new Map());
  const [held, hold] = useState(false);
  const change = (part: Partial<AlertsView>) => go(alertsHash({ ...view, ...part }), true);

  useEffect(() => {
    setCursor(0);
    select(new Map());
    port.scrollTo(0);
  }, [list]);
  useEffect(() => list.show(port.from, port.to), [list, port.from, port.to, list.changes.value]);

  const refresh = () => {
    hold(false);
    void list.refresh(port.from, port.to);
  };
  const version = told.value?.version;
  useEffect(() => {
    if (!version || !summary || version === summary.version) return;
    // what is being read doesn't move by itself
    if (port.atTop && selected.size === 0) refresh();
    else hold(true);
  }, [version, list]);

  const lines: { at: number; line: Line }[] = [];
  for (let at = port.from; at < Math.min(port.to, length); at += 1) lines.push({ at, line: list.line(at) });
  const focusRow = useRef(false);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(length - 1, to));
    setCursor(next);
    port.scrollTo(next);
    focusRow.current = true;
  };
  // before the next key: a focus that comes late would take the cursor back
  useLayoutEffect(() => {
    if (!focusRow.current) return;
    focusRow.current = false;
    document.getElementById(`line-${cursor}`)?.focus({ preventScroll: true });
  });
  const here = length > 0 ? list.line(Math.min(cursor, length - 1)) : null;
  const toggleGroup = (open?: boolean) => {
    if (here?.kind === "group" && here.header) list.toggle(here.header, here.index, open);
    if (here?.kind === "row" && open === false) {
      const at = list.lineOf(here.group);
      const line = at >= 0 ? list.line(at) : null;
      if (line?.kind === "group" && line.header) {
        list.toggle(line.header, line.index, false);
        move(at);
      }
    }
  };
  const pick = (row: Row) => {
    const next = new Map(selected);
    if (!next.delete(row.fingerprint)) next.set(row.fingerprint, row.labels);
    select(next);
  };
  /** From here to the next or previous alert, both in the selection. */
  const extend = (step: number) => {
    const next = new Map(selected);
    const take = (line: Line) => line.kind === "row" && line.row && next.set(line.row.fingerprint, line.row.labels);
    let at = cursor + step;
    while (at > 0 && at < length - 1 && list.line(at).kind !== "row") at += step;
    if (here) take(here);
    if (at >= 0 && at < length) take(list.line(at));
    select(next);
    move(at);
  };
  const selectShown = () => {
    const shown = lines.flatMap(({ line }) => (line.kind === "row" && line.row ? [line.row] : []));
    select(new Map([...selected, ...shown.map((row) => [row.fingerprint, row.labels] as const)]));
  };
  /** The label that is pointed at, else the name of the alert or what the group has in common: only those, or none of them. */
  const narrow = (op: "=" | "!=") => {
    const pointed = document.querySelector<HTMLElement>(".label:hover");
    const { name, value } = pointed?.dataset ?? {};
    const labels = (here?.kind === "group" ? here.header?.labels : here?.row?.labels) ?? {};
    const first = NAME in labels ? NAME : (Object.keys(labels)[0] ?? "");
    const matcher: Matcher = { name: name ?? first, op, value: value ?? labels[first] ?? "" };
    if (matcher.name === "") return;
    change({ matchers: op === "=" ? [...view.matchers.filter((m) => m.name !== matcher.name), matcher] : merge(view.matchers, matcher) });
  };
  const silence = () => {
    if (selected.size > 0) go(newSilenceHash(matchersOf([...selected.values()])));
    else if (here?.kind === "row" && here.row) go(newSilenceHash(matchersOf([here.row.labels])));
    else if (here?.kind === "group" && here.header) go(newSilenceHash(matchersOf([here.header.labels])));
  };
  const open = () => {
    if (here?.kind === "row" && here.row) go(`#/alert/${here.row.fingerprint}`);
    else toggleGroup();
  };
  const peek = () => {
    if (here?.kind === "row" && here.row) change({ peek: view.peek === here.row.fingerprint ? "" : here.row.fingerprint });
    else toggleGroup();
  };
  const nextGroup = (step: number) => {
    let at = cursor + step;
    while (at > 0 && at < length - 1 && list.line(at).kind !== "group") at += step;
    move(at);
  };
  const escape = () => {
    if (view.peek) change({ peek: "" });
    else if (selected.size > 0) select(new Map());
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  };
  useKeys([
      { keys: ["j", "ArrowDown"], title: "Next line", run: () => move(cursor + 1), quiet: true },
      { keys: ["k", "ArrowUp"], title: "Previous line", run: () => move(cursor - 1), quiet: true },
      { keys: ["J"], title: "Next group", run: () => nextGroup(1), quiet: true },
      { keys: ["K"], title: "Previous group", run: () => nextGroup(-1), quiet: true },
      { keys: ["Home"], title: "First line", run: () => move(0), quiet: true },
      { keys: ["End"], title: "Last line", run: () => move(length - 1), quiet: true },
      { keys: ["Enter"], title: "Open", run: open, quiet: true },
      { keys: ["Space"], title: "Peek, or close the peek", run: peek, quiet: true },
      { keys: ["ArrowRight"], title: "Open the group", run: () => toggleGroup(true), quiet: true },
      { keys: ["ArrowLeft"], title: "Close the group", run: () => toggleGroup(false), quiet: true },
      { keys: ["Shift+ArrowRight"], title: "Open all groups", run: () => list.toggleAll(true) },
      { keys: ["Shift+ArrowLeft"], title: "Close all groups", run: () => list.toggleAll(false) },
      { keys: ["x"], title: "Select or deselect", run: () => here?.kind === "row" && here.row && pick(here.row), quiet: true },
      { keys: ["Shift+ArrowDown"], title: "Select down to the next alert", run: () => extend(1), quiet: true },
      { keys: ["Shift+ArrowUp"], title: "Select up to the previous alert", run: () => extend(-1), quiet: true },
      { keys: ["Ctrl+a"], title: "Select all alerts in view", run: selectShown },
      { keys: ["+"], title: "Only what has the label under the pointer, or this name", run: () => narrow("=") },
      { keys: ["-"], title: "Without what has the label under the pointer, or this name", run: () => narrow("!=") },
      { keys: ["s"], title: "Silence the selection, the alert or the group", run: silence },
      { keys: ["y"], title: "Copy the link to this list", run: () => copy(location.href) },
      { keys: ["."], title: "Show what is new", run: refresh },
      ...STATES.map((state, at) => ({
        keys: [String(at + 1)],
        title: `Show or hide ${state} alerts`,
        run: () => change({ [state]: !view[state] }),
      })),
      { keys: ["Escape"], title: "Close, deselect, leave", run: escape, quiet: true },
    ]);

  const error = list.error.value;
  return (
    <div class={`alerts ${view.peek ? "peeking" : ""}`}>
      <h1 class="hidden">Alerts</h1>
      <div class="bar">
        <Filter
          matchers={view.matchers}
          text={view.text}
          query={alertsQuery({ ...view, active: true, silenced: true, inhibited: true, muted: true })}
          onChange={(matchers, text) => change({ matchers, text })}
        />
        <div class="toggles" role="group" aria-label="States">
          {STATES.map((state, at) => (
            <button
              type="button"
              class={state}
              aria-pressed={view[state]}
              title={`${view[state] ? "Hide" : "Show"} ${state} alerts (${at + 1})`}
              onClick={() => change({ [state]: !view[state] })}
            >
              {state} <span class="count">{summary?.states[state] ?? "…"}</span>
            </button>
          ))}
        </div>
        <Grouping view={view} change={change} />
        <label class="choice">
          Sort
          <select value={view.sort} onChange={(event) => change({ sort: event.currentTarget.value })}>
            {Object.entries(SORTS).map(([value, words]) => (
              <option value={value}>{words}</option>
            ))}
          </select>
        </label>
        <Saved hash={alertsHash({ ...view, peek: "" })} />
        {view.receivers.length > 0 && (
          <span class="chip">
            <span>receiver {view.receivers.join(", ")}</span>
            <button type="button" aria-label="All receivers" onClick={() => change({ receivers: [] })}>
              ×
            </button>
          </span>
        )}
      </div>
      {view.broken.length > 0 && (
        <p class="problem" role="alert">
          Not understood, and left out: {view.broken.join(", ")}
        </p>
      )}
      <Problem error={error} stale={summary !== null} />
      <div class="split">
        <div class="list">
          {held && (
            <button type="button" class="pill" onClick={refresh}>
              The list has changed · press .
            </button>
          )}
          {summary && length === 0 && !error ? (
            <Nothing view={view} all={summary.all} states={summary.states} change={change} />
          ) : (
            <div
              ref={port.ref}
              class="scroller"
              role="treegrid"
              aria-label="Alerts in groups"
              aria-rowcount={length}
              aria-multiselectable="true"
            >
              <div class="space" role="presentation" style={{ height: `${port.height}px` }}>
                {lines.map(({ at, line }) => (
                  <LineView
                    key={line.kind === "group" ? `g${line.header?.id ?? line.index}` : `r${line.group}${line.row?.fingerprint ?? line.index}`}
                    at={at}
                    top={port.top(at)}
                    line={line}
                    flat={flat}
                    focused={at === cursor}
                    open={line.kind === "group" && line.header !== null && list.isOpen(line.header.id)}
                    selected={line.kind === "row" && line.row !== null && selected.has(line.row.fingerprint)}
                    onFocus={() => setCursor(at)}
                    onToggle={(header, index) => list.toggle(header, index)}
                    onPick={pick}
                  />
                ))}
              </div>
            </div>
          )}
          <footer>
            {selected.size > 0 ? (
              <div class="selection" role="toolbar" aria-label="Selection">
                {selected.size} selected
                <button type="button" onClick={silence}>
                  Silence… <kbd>s</kbd>
                </button>
                <button type="button" onClick={() => select(new Map())}>
                  Clear <kbd>Esc</kbd>
                </button>
              </div>
            ) : (
              <span aria-live="polite">
                {summary ? `${summary.alerts} of ${summary.all} alerts${flat ? "" : ` in ${summary.total} groups`}` : "…"}
              </span>
            )}
          </footer>
        </div>
        {view.peek ? (
          <aside class="peek" aria-label="Alert">
            <button type="button" class="close" aria-label="Close" onClick={() => change({ peek: "" })}>
              ×
            </button>
            <Alert fingerprint={view.peek} key={view.peek} peek />
          </aside>
        ) : (
          <FacetPanel
            query={query}
            version={summary?.version ?? ""}
            receivers={view.receivers}
            onAdd={(matcher, more) =>
              change({ matchers: more ? merge(view.matchers, matcher) : [...view.matchers.filter((m) => m.name !== matcher.name), matcher] })
            }
            onReceiver={(name, more) =>
              change({
                receivers: view.receivers.includes(name)
                  ? view.receivers.filter((other) => other !== name)
                  : more
                    ? [...view.receivers, name]
                    : [name],
              })
            }
          />
        )}
      </div>
    </div>
  );
}

/** Views that this browser keeps by name. */
function Saved({ hash }: { hash: string }) {
  const views = savedViews();
  const [name, setName] = useState("");
  const save = (event: Event) => {
    event.preventDefault();
    if (name.trim() === "") return;
    saveView(name.trim(), hash);
    setName("");
  };
  return (
    <details class="saved">
      <summary>Saved{views.length > 0 ? ` (${views.length})` : ""}</summary>
      <div>
        <ul>
          {views.map((view) => (
            <li>
              <a href={view.hash} aria-current={view.hash === hash ? "true" : undefined}>
                {view.name}
              </a>
              <button type="button" aria-label={`Forget ${view.name}`} onClick={() => forgetView(view.name)}>
                ×
              </button>
            </li>
          ))}
        </ul>
        <form onSubmit={save}>
          <input type="text" aria-label="Name of this view" placeholder="name of this view" value={name} onInput={(event) => setName(event.currentTarget.value)} />
          <button type="submit">Save</button>
        </form>
      </div>
    </details>
  );
}

/** How alerts are put together. */
function Grouping({ view, change }: { view: AlertsView; change: (part: Partial<AlertsView>) => void }) {
  const mode = view.groupBy === null ? "notified" : view.groupBy.length > 0 ? "labels" : "none";
  const choose = (to: string) => change({ groupBy: to === "notified" ? null : to === "none" ? [] : ["alertname"] });
  return (
    <>
      <label class="choice">
        Group
        <select value={mode} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="notified">as notified</option>
          <option value="labels">by labels</option>
          <option value="none">not at all</option>
        </select>
      </label>
      {mode === "labels" && (
        <input
          type="text"
          aria-label="Labels to group by, separated by commas"
          value={view.groupBy?.join(",")}
          onChange={(event) => change({ groupBy: event.currentTarget.value.split(",").map((name) => name.trim()).filter(Boolean) })}
        />
      )}
    </>
  );
}

interface LineProps {
  at: number;
  top: number;
  line: Line;
  flat: boolean;
  focused: boolean;
  open: boolean;
  selected: boolean;
  onFocus: () => void;
  onToggle: (header: Header, index: number) => void;
  onPick: (row: Row) => void;
}

function LineView({ at, top, line, flat, focused, open, selected, onFocus, onToggle, onPick }: LineProps) {
  const common = {
    id: `line-${at}`,
    role: "row" as const,
    tabIndex: focused ? 0 : -1,
    "aria-rowindex": at + 1,
    onFocus,
    style: { transform: `translateY(${top}px)`, height: `${LINE_PX}px` },
  };
  if (line.kind === "group") {
    const { header } = line;
    return (
      <div
        {...common}
        class="line group"
        aria-level={1}
        aria-expanded={open}
        onClick={() => header && onToggle(header, line.index)}
      >
        {header ? <GroupHeader header={header} open={open} /> : <span role="gridcell" class="skeleton" />}
      </div>
    );
  }
  const { row } = line;
  return (
    <div {...common} class={`line row ${row && !isActive(row) ? "suppressed" : ""}`} aria-level={flat ? 1 : 2} aria-selected={selected}>
      {row ? <AlertLine row={row} common={line.common} selected={selected} onPick={onPick} /> : <span role="gridcell" class="skeleton" />}
    </div>
  );
}

function GroupHeader({ header, open }: { header: Header; open: boolean }) {
  const { states } = header;
  const labels = Object.entries(header.labels);
  const until = header.nextFlush ? new Date(header.nextFlush).getTime() - now.value : null;
  const worst = Object.entries(header.severities);
  return (
    <>
      <span role="gridcell" class="main">
        <span class="twist" aria-hidden="true">
          {open ? "▾" : "▸"}
        </span>
        {header.receiver !== undefined && <b class="receiver">{header.receiver}</b>}
        {labels.map(([name, value]) => (
          <LabelChip name={name} value={value} />
        ))}
        {labels.length === 0 && <span class="faint">no group labels</span>}
      </span>
      <span role="gridcell" class="counts">
        {worst.map(([value, count]) => (
          <Severity value={value} count={count} />
        ))}
        {STATES.slice(1).map((state) => states[state] > 0 && <span class="faint">{`${states[state]} ${state}`}</span>)}
      </span>
      <span role="gridcell" class="when faint">
        {header.mutedBy.length > 0
          ? `muted by ${header.mutedBy.join(", ")}`
          : until !== null && until > 0
            ? `next flush ${span(until)}`
            : ""}
      </span>
    </>
  );
}

function AlertLine({ row, common, selected, onPick }: { row: Row; common: Labels; selected: boolean; onPick: (row: Row) => void }) {
  const differing = Object.entries(row.labels).filter(
    ([name, value]) => name !== "alertname" && name !== "severity" && common[name] !== value,
  );
  const severity = row.labels.severity ?? "";
  return (
    <>
      <span role="gridcell" class="pick">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={selected}
          aria-label={`Select ${row.labels.alertname ?? row.fingerprint}`}
          onChange={() => onPick(row)}
        />
      </span>
      <span role="gridcell" class="main">
        <Severity value={severity || "none"} />
        <a class="name" href={`#/alert/${row.fingerprint}`} tabIndex={-1}>
          <bdi>{row.labels.alertname ?? row.fingerprint}</bdi>
        </a>
        {differing.map(([name, value]) => (
          <LabelChip name={name} value={value} />
        ))}
        <bdi class="summary">{summaryOf(row)}</bdi>
      </span>
      <span role="gridcell" class="why">
        <Quiet row={row} />
      </span>
      <span role="gridcell" class="when">
        <Age at={row.startsAt} />
      </span>
    </>
  );
}

function isActive(row: Row): boolean {
  return row.silencedBy.length === 0 && row.inhibitedBy.length === 0 && row.mutedBy.length === 0;
}

/** A list without lines says why, and how it would have some. */
function Nothing({
  view,
  all,
  states,
  change,
}: {
  view: AlertsView;
  all: number;
  states: { active: number; silenced: number; inhibited: number; muted: number };
  change: (part: Partial<AlertsView>) => void;
}) {
  const hidden = STATES.filter((state) => !view[state] && states[state] > 0);
  const filtered = view.matchers.length > 0 || view.text !== "" || view.receivers.length > 0;
  return (
    <div class="nothing">
      {all === 0 ? (
        <p>All quiet: no alert is firing.</p>
      ) : hidden.length > 0 ? (
        <>
          <p>Nothing of that is {view.active ? "active" : "shown"}.</p>
          {hidden.map((state) => (
            <button type="button" onClick={() => change({ [state]: true })}>
              Show {states[state]} {state}
            </button>
          ))}
        </>
      ) : (
        <>
          <p>0 of {all} alerts pass the filter.</p>
          {view.matchers.map((matcher, at) => (
            <Without view={view} matcher={matcher} at={at} change={change} />
          ))}
        </>
      )}
      {filtered && (
        <button type="button" onClick={() => change({ matchers: [], text: "", receivers: [] })}>
          Clear the filter
        </button>
      )}
    </div>
  );
}

function Without({ view, matcher, at, change }: { view: AlertsView; matcher: Matcher; at: number; change: (part: Partial<AlertsView>) => void }) {
  const rest = { ...view, matchers: view.matchers.toSpliced(at, 1) };
  const params = alertsQuery(rest);
  params.set("limit", "1");
  const { value } = useLoaded(() => get<Facets>("facets", params), [params.toString()]);
  if (!value || value.alerts === 0) return null;
  return (
    <button type="button" onClick={() => change({ matchers: rest.matchers })}>
      Without {print(matcher)}: {value.alerts}
    </button>
  );
}

/** What all of them have, and for what differs an expression that matches each. */
function matchersOf(labels: Labels[]): Matcher[] {
  const [first, ...others] = labels;
  if (!first) return [];
  return Object.keys(first).flatMap((name): Matcher[] => {
    const values = [first, ...others].map((set) => set[name]);
    if (values.some((value) => value === undefined)) return [];
    const distinct = [...new Set(values as string[])];
    return distinct.reduce<Matcher[]>((matchers, value) => merge(matchers, { name, op: "=", value }), []);
  });
}
