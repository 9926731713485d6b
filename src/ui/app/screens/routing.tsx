// The routing tree with what lands where now, and where other labels would land.
import { useState } from "preact/hooks";
import { get } from "../api/client";
import { told } from "../api/live";
import type { RouteNode, Tested, Tree } from "../api/types";
import { parseAll, print, printAll } from "../matcher/parse";
import { Problem, useLoaded } from "../parts/basics";
import { alertsHash, go, read } from "../router";

export function Routing({ labels, at }: { labels: string[]; at: string }) {
  const { value, error } = useLoaded(() => get<Tree>("routes"), [told.value?.version]);
  const tested = useTest(labels, at);
  const hit = new Set(tested.value?.matches.flatMap(({ path }) => path) ?? []);
  const last = new Set(tested.value?.matches.map(({ route }) => route) ?? []);
  return (
    <section class="page routing">
      <h1 class="hidden">Routing</h1>
      <Problem error={error} stale={value !== null} />
      <div class="columns">
        <div>
          <h2>
            Tree <span class="faint">{value ? `${value.routes.length} routes, config ${value.configHash.slice(0, 8)}` : ""}</span>
          </h2>
          <ul class="tree" role="tree" aria-label="Routes">
            {value?.routes.map((route) => (
              <Route route={route} all={value.routes} mark={last.has(route.id) ? "last" : hit.has(route.id) ? "hit" : ""} />
            ))}
          </ul>
          {value && <Rules tree={value} />}
        </div>
        <Tester labels={labels} at={at} tested={tested.value} error={tested.error} tree={value} />
      </div>
    </section>
  );
}

function useTest(labels: string[], at: string) {
  const params = new URLSearchParams();
  for (const label of labels) params.append("label", label);
  if (at) params.set("at", at);
  return useLoaded(
    () => (labels.length > 0 ? get<Tested>("routes/test", params) : Promise.resolve(null)),
    [params.toString(), told.value?.configHash],
  );
}

function Route({ route, all, mark }: { route: RouteNode; all: RouteNode[]; mark: string }) {
  const parent = route.parent === undefined ? undefined : all[route.parent];
  const own = (name: "groupWait" | "groupInterval" | "repeatInterval") => parent?.[name] !== route[name];
  const timings = (["groupWait", "groupInterval", "repeatInterval"] as const).map((name) => (
    <span class={own(name) ? "" : "faint"} title={`${name}${own(name) ? "" : ", inherited"}`}>
      {route[name]}
    </span>
  ));
  const by = route.groupBy.join(", ");
  const shown = read("#/alerts");
  const link =
    shown.name === "alerts"
      ? alertsHash({ ...shown.view, receivers: [route.receiver], silenced: true, inhibited: true, muted: true })
      : "#/alerts";
  return (
    <li role="treeitem" aria-level={route.depth + 1} class={mark} style={{ paddingLeft: `${route.depth * 20}px` }}>
      <span class="matchers">
        {route.matchers.length > 0
          ? route.matchers.map((matcher) => <bdi class="label">{matcher}</bdi>)
          : route.parent === undefined
            ? <b>root</b>
            : <span class="label">everything</span>}
      </span>
      <span aria-label="goes to">→</span> <b>{route.receiver}</b>
      {route.continue && <span title="continue: later siblings are tried, too"> ↷ continue</span>}
      <span class="facts">
        {by === "..." ? "by all labels" : by ? `by ${by}` : "one group"} · {timings[0]} / {timings[1]} / {timings[2]}
      </span>
      {route.muted && (
        <span class="muted-now">muted now by {[...route.muteTimeIntervals, ...route.activeTimeIntervals].join(", ")}</span>
      )}
      {route.alerts > 0 && (
        <a href={link} class="count">
          {many(route.alerts, "alert")} in {many(route.groups, "group")}
        </a>
      )}
      {route.shadowedBy !== undefined && (
        <span class="warning">⚠ never reached: {all[route.shadowedBy]?.matchers.join(", ") || "an earlier route"} takes it all</span>
      )}
    </li>
  );
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function Rules({ tree }: { tree: Tree }) {
  return (
    <>
      <details open={tree.inhibitRules.length > 0}>
        <summary>Inhibit rules ({tree.inhibitRules.length})</summary>
        <ol class="rules" start={0}>
          {tree.inhibitRules.map(({ name, source, target, equal }) => (
            <li>
              {name && <b>{name}: </b>}
              <bdi class="label">{source.join(", ")}</bdi> keeps <bdi class="label">{target.join(", ")}</bdi> quiet
              {equal.length > 0 && <> where {equal.join(", ")} are equal</>}
            </li>
          ))}
        </ol>
      </details>
      <details>
        <summary>Time intervals ({tree.timeIntervals.length})</summary>
        <ul>
          {tree.timeIntervals.map(({ name, holds }) => (
            <li>
              {name}: {holds ? "holds now" : "doesn't hold now"}
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

interface TesterProps {
  labels: string[];
  at: string;
  tested: Tested | null;
  error: Parameters<typeof Problem>[0]["error"];
  tree: Tree | null;
}

function Tester({ labels, at, tested, error, tree }: TesterProps) {
  const [typed, setTyped] = useState(labels.join("\n"));
  const [when, setWhen] = useState(at);
  const [broken, setBroken] = useState<string[]>([]);
  const test = () => {
    const { matchers, broken: bad } = parseAll(typed.replace(/\n/g, ","));
    const wrong = matchers.filter(({ op }) => op !== "=").map(print);
    setBroken([...bad, ...wrong]);
    if (bad.length > 0 || wrong.length > 0) return;
    const params = new URLSearchParams();
    for (const matcher of matchers) params.append("label", print(matcher));
    if (when) params.set("at", when);
    go(`#/routing?${params}`, true);
  };
  return (
    <form
      class="tester"
      onSubmit={(event) => {
        event.preventDefault();
        test();
      }}
    >
      <h2>Test</h2>
      <label>
        Labels
        <textarea
          rows={4}
          spellcheck={false}
          placeholder={'team="db"\nseverity="critical"'}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              test();
            }
          }}
        />
      </label>
      <label>
        At
        <input type="text" placeholder="now, or 2026-12-01T09:00:00Z" value={when} onInput={(event) => setWhen(event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary">
        Test
      </button>
      {broken.length > 0 && (
        <p class="problem" role="alert">
          No label: {broken.join(", ")}. One per line: name="value".
        </p>
      )}
      <Problem error={error} />
      {tested && (
        <div aria-live="polite">
          {tested.matches.map((match, place) => (
            <article>
              <h3>
                {place > 0 ? "then " : ""}
                {match.receiver}
              </h3>
              <p>
                {match.path
                  .map((id) => {
                    const matchers = tree?.routes[id]?.matchers ?? [];
                    return id === 0 ? "root" : matchers.length > 0 ? matchers.join(" ") : "everything";
                  })
                  .join(" › ")}
              </p>
              <p>
                group {printAll(Object.entries(match.groupLabels).map(([name, value]) => ({ name, op: "=", value })))}, {match.groupWait} wait, then every{" "}
                {match.groupInterval}, again after {match.repeatInterval}
              </p>
              <p>{match.mutedBy.length > 0 ? `muted by ${match.mutedBy.join(", ")}` : "not muted by time"}</p>
              <p class="faint">{match.integrations.length > 0 ? match.integrations.join(", ") : "no integrations: tells nobody"}</p>
            </article>
          ))}
        </div>
      )}
      {!tested && !error && <p class="faint">Where would an alert with these labels go? Nothing leaves this worker.</p>}
    </form>
  );
}

