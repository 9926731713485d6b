// One alert, and for each way in which it notifies: why it did, or didn't.
import { get } from "../api/client";
import { told } from "../api/live";
import type { Explained, GroupVerdict, Silence, Verdict } from "../api/types";
import { printAll } from "../matcher/parse";
import { Age, copy, Linked, linksOf, markOf, Problem, say, Severity, summaryOf, Time, useKeys, useLoaded } from "../parts/basics";
import { alertsHash, go, newSilenceHash, read } from "../router";
import { acknowledge, extend } from "./silence_actions";

export function Alert({ fingerprint, peek = false }: { fingerprint: string; peek?: boolean }) {
  const version = told.value?.version;
  const { value, error } = useLoaded(() => get<Explained>(`alerts/${encodeURIComponent(fingerprint)}`), [fingerprint, version]);
  const links = value ? linksOf(value.labels, value.annotations) : [];
  const runbook = links.find(({ name }) => name.toLowerCase().includes("runbook"));
  const matchers = value ? Object.entries(value.labels).map(([name, text]) => ({ name, op: "=" as const, value: text })) : [];
  const silence = () => value && go(newSilenceHash(matchers));
  // who hasn't said a name yet does so in the form
  const ack = async () => {
    if (value && !(await acknowledge(value.labels))) silence();
  };
  const openLink = (url: string | undefined, what: string) =>
    url ? window.open(url, "_blank", "noopener,noreferrer") : say(`this alert has no ${what}`);
  const link = `${location.origin}${location.pathname}#/alert/${fingerprint}`;
  useKeys(peek
      ? []
      : [
          { keys: ["s"], title: "Silence this alert", run: () => silence() },
          { keys: ["a"], title: "Acknowledge this alert: silence it for an hour", run: () => void ack() },
          { keys: ["o"], title: "Open the source", run: () => openLink(value?.generatorURL, "source") },
          { keys: ["r"], title: "Open the runbook", run: () => openLink(runbook?.url, "runbook") },
          { keys: ["y"], title: "Copy the link to this alert", run: () => copy(link) },
          { keys: ["e"], title: "Extend the silence by an hour", run: () => value?.silences[0] && extend(value.silences[0], "1h") },
          { keys: ["Escape"], title: "Back", run: () => history.back(), quiet: true },
        ]);
  if (error && !value) {
    return (
      <section class="page alert">
        <h1>Alert {fingerprint}</h1>
        <Problem error={error} />
        <p>
          This member knows of no such alert: it may have ended, or another member has it. <a href="#/alerts">All alerts</a>
        </p>
      </section>
    );
  }
  if (!value) return <section class="page alert" aria-busy="true" />;
  const name = value.labels.alertname ?? fingerprint;
  const firing = value.state === "firing";
  return (
    <section class="page alert">
      <div class="title">
        <h1>
          <bdi>{name}</bdi>
        </h1>
        <span>
          <Severity value={value.labels.severity ?? "none"} /> · {value.state} {firing ? <Age at={value.startsAt} /> : <Time at={value.endsAt} />}
        </span>
      </div>
      <p class="lead">
        <bdi>{summaryOf(value)}</bdi>
      </p>
      <div class="actions">
        <button type="button" onClick={silence}>
          Silence <kbd>s</kbd>
        </button>
        <button type="button" onClick={() => void ack()}>
          Acknowledge <kbd>a</kbd>
        </button>
        {value.generatorURL && (
          <a class="button" href={value.generatorURL} target="_blank" rel="noopener noreferrer">
            Source <kbd>o</kbd>
          </a>
        )}
        {links.map(({ name: text, url }) => (
          <a class="button" href={url} target="_blank" rel="noopener noreferrer">
            {text}
          </a>
        ))}
        <button type="button" onClick={() => copy(link)}>
          Copy link <kbd>y</kbd>
        </button>
        <button type="button" onClick={() => copy(JSON.stringify(value, null, 2))}>
          Copy JSON
        </button>
        <button type="button" onClick={() => copy(`amtool silence add ${matchers.map((m) => quoteShell(printAll([m]).slice(1, -1))).join(" ")}`)}>
          Copy amtool
        </button>
        {peek && (
          <a class="button" href={`#/alert/${fingerprint}`}>
            Open <kbd>Enter</kbd>
          </a>
        )}
      </div>
      <h2>Why</h2>
      {value.groups.length === 0 && <p>It is in no group any more: its end has been told to all that want to know.</p>}
      {value.groups.map((group) => (
        <Group alert={value} group={group} />
      ))}
      <div class="columns">
        <div>
          <h2>Labels</h2>
          <table class="pairs">
            <tbody>
              {Object.entries(value.labels).map(([label, text]) => (
                <tr>
                  <th scope="row">{label}</th>
                  <td>
                    <bdi>
                      <Linked text={text} />
                    </bdi>
                  </td>
                  <td class="tools">
                    <a href={withMatcher(label, "=", text)} aria-label={`Alerts with ${label} ${text}`}>
                      +
                    </a>
                    <a href={withMatcher(label, "!=", text)} aria-label={`Alerts without ${label} ${text}`}>
                      −
                    </a>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <div>
          <h2>Annotations</h2>
          <table class="pairs">
            <tbody>
              {Object.entries(value.annotations).map(([annotation, text]) => (
                <tr>
                  <th scope="row">{annotation}</th>
                  <td>
                    <bdi>
                      <Linked text={text} />
                    </bdi>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </section>
  );
}

function Group({ alert, group }: { alert: Explained; group: GroupVerdict }) {
  const labels = Object.entries(group.labels).map(([name, value]) => ({ name, op: "=" as const, value }));
  return (
    <article class="verdicts">
      <h3>{group.receiver}</h3>
      <ul>
        {group.integrations.map((verdict) => {
          const { mark, look } = markOf(verdict);
          return (
            <li class={look}>
              <span class="mark" aria-hidden="true">
                {mark}
              </span>
              <b>
                {verdict.integration}[{verdict.index}]
              </b>{" "}
              <span class="verdict">{verdict.text}</span> <code class="faint">{verdict.code}</code>
              <Cause alert={alert} verdict={verdict} />
              <History verdict={verdict} />
            </li>
          );
        })}
        {group.integrations.length === 0 && (
          <li class="quieted">
            <span class="mark" aria-hidden="true">
              ✗
            </span>
            this receiver has no integrations: it tells nobody
          </li>
        )}
      </ul>
      <details>
        <summary>In steps</summary>
        <Steps alert={alert} group={group} verdict={group.integrations[0]} />
        <p>
          <a href={alertsHash({ ...emptyView(), matchers: labels, receivers: [group.receiver], silenced: true, inhibited: true, muted: true })}>
            The whole group
          </a>
        </p>
      </details>
    </article>
  );
}

/** What became of the last notifications of the group: the answer of the receiver, or why there was none. */
function History({ verdict }: { verdict: Verdict }) {
  const [last, ...before] = verdict.history;
  if (!last) return null;
  const line = ({ at, outcome, text }: Verdict["history"][number]) => (
    <li class={outcome === "gave_up" ? "failed" : ""}>
      <Time at={at} /> {text}
    </li>
  );
  return (
    <div class="history">
      <ul>{line(last)}</ul>
      {before.length > 0 && (
        <details>
          <summary>
            {before.length} before {before.length === 1 ? "it" : "them"}
          </summary>
          <ul>{before.map(line)}</ul>
        </details>
      )}
    </div>
  );
}

/** The order of the pipeline; each code is what stops there. */
const STEPS: { title: string; codes: string[] }[] = [
  { title: "inhibited?", codes: ["inhibited"] },
  { title: "muted by time?", codes: ["time_muted"] },
  { title: "silenced?", codes: ["silenced"] },
  { title: "turn", codes: ["settling", "turn", "other_member_sends"] },
  { title: "told already?", codes: ["not_changed", "end_not_wanted", "never_told", "group_wait", "group_interval"] },
  { title: "delivery", codes: ["sending", "delivery_failed"] },
];

function Steps({ alert, group, verdict }: { alert: Explained; group: GroupVerdict; verdict: Verdict | undefined }) {
  const stop = STEPS.findIndex(({ codes }) => verdict && codes.includes(verdict.code));
  const labels = Object.entries(alert.labels).map(([name, value]) => `label=${encodeURIComponent(`${name}=${JSON.stringify(value)}`)}`);
  return (
    <ol class="steps">
      <li>
        <b>received</b> <Time at={alert.startsAt} />, refreshed <Age at={alert.updatedAt} /> ago; ends by itself at <Time at={alert.endsAt} />
      </li>
      <li>
        <b>routed</b> <code>{group.key.slice(0, Math.max(0, group.key.lastIndexOf(":{")))}</code>{" "}
        <a href={`#/routing?${labels.join("&")}`}>show in the tree</a>
      </li>
      <li>
        <b>grouped</b> {printAll(Object.entries(group.labels).map(([name, value]) => ({ name, op: "=", value })))}; next flush{" "}
        <Time at={group.nextFlush} />
      </li>
      {STEPS.map(({ title }, at) => (
        <li class={stop < 0 || at < stop ? "passed" : at === stop ? "stopped" : "beyond"}>
          <b>{title}</b> {stop < 0 || at < stop ? "passed" : at === stop ? verdict?.text : "not reached"}
        </li>
      ))}
    </ol>
  );
}

/** What stopped it, with links to it. */
function Cause({ alert, verdict }: { alert: Explained; verdict: Verdict | undefined }) {
  if (verdict?.code === "silenced") {
    return (
      <>
        {alert.silences.map((silence: Silence) => (
          <span class="cause">
            <a href={`#/silences/${silence.id}`}>
              <bdi>{printAll(silence.matchers)}</bdi>
            </a>{" "}
            by {silence.createdBy}, “{silence.comment}”, ends in <Age at={silence.endsAt} />{" "}
            <button type="button" onClick={() => extend(silence, "1h")}>
              +1h
            </button>
          </span>
        ))}
      </>
    );
  }
  if (verdict?.code === "inhibited" && alert.inhibitedBy) {
    const { fingerprint, labels, rule, name } = alert.inhibitedBy;
    return (
      <span class="cause">
        by <a href={`#/alert/${fingerprint}`}>{labels?.alertname ?? fingerprint}</a>, <a href="#/routing">rule {name ?? rule}</a>
      </span>
    );
  }
  return null;
}

function emptyView() {
  const screen = read("#/alerts");
  if (screen.name !== "alerts") throw new Error("the list of alerts has no view");
  return screen.view;
}

function withMatcher(name: string, op: "=" | "!=", value: string): string {
  return alertsHash({ ...emptyView(), matchers: [{ name, op, value }], silenced: true, inhibited: true, muted: true });
}

function quoteShell(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}
