import { useEffect } from "preact/hooks";
import { get } from "../api/client";
import { told } from "../api/live";
import type { System } from "../api/types";
import { Age, copy, Problem, Time, useLoaded } from "../parts/basics";

export function Status({ line }: { line: number | null }) {
  const { value, error } = useLoaded(() => get<System>("system"), [told.value?.configHash, told.value?.settled]);
  useEffect(() => {
    if (line && value) document.getElementById(`config-${line}`)?.scrollIntoView({ block: "center" });
  }, [line, value]);
  if (!value) {
    return (
      <section class="page status" aria-busy={!error}>
        <h1>Status</h1>
        <Problem error={error} />
      </section>
    );
  }
  const { config } = value;
  return (
    <section class="page status">
      <h1>Status</h1>
      <Problem error={error} stale />
      {value.waitsFor && <p class="warning">⚠ Not ready: waits for {value.waitsFor}</p>}
      <dl class="facts">
        <dt>version</dt>
        <dd>
          {value.version} <span class="faint">{[value.branch, value.revision].filter(Boolean).join(", ")}</span>
        </dd>
        <dt>up</dt>
        <dd>
          <Age at={value.startedAt} /> <span class="faint">since <Time at={value.startedAt} /></span>
        </dd>
        <dt>member</dt>
        <dd>
          {value.member || "clustering is off"} <a href="#/cluster">cluster</a>
        </dd>
        <dt>known as</dt>
        <dd>
          <code>{value.externalUrl}</code>
        </dd>
        <dt>more</dt>
        <dd>
          <a href="metrics">metrics</a> · <a href="api/ui/v1/openapi.json">API of this page</a> · <a href="assets/LICENSES.txt">licences</a> ·{" "}
          <a href="#/settings">settings</a>
        </dd>
      </dl>
      {value.receivers.length > 0 && (
        <table>
          <caption>Notifications since the start</caption>
          <thead>
            <tr>
              <th>integration</th>
              <th>receiver</th>
              <th class="number">sent</th>
              <th class="number">attempts failed</th>
              <th class="number">given up</th>
            </tr>
          </thead>
          <tbody>
            {value.receivers.map(({ integration, name, sent, attemptsFailed, failed, reasons }) => (
              <tr>
                <td>{integration}</td>
                <td>{name}</td>
                <td class="number">{sent}</td>
                <td class="number">{attemptsFailed > 0 ? <span class="warning">⚠ {attemptsFailed}</span> : 0}</td>
                <td class="number">
                  {failed > 0 ? (
                    <span class="warning">
                      ⚠ {failed} ({Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`).join(", ")})
                    </span>
                  ) : (
                    0
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h2>Config</h2>
      {config.error && (
        <p class="problem" role="alert">
          The last reload failed, this one is still in force: {config.error}
        </p>
      )}
      <p>
        <code>{config.hash}</code>, loaded <Time at={config.loadedAt} />{" "}
        <button type="button" onClick={() => copy(config.original)}>
          Copy
        </button>
      </p>
      <pre class="config" tabIndex={0} aria-label="Config">
        {config.original.split("\n").map((text, at) => (
          <span id={`config-${at + 1}`} class={line === at + 1 ? "at" : ""}>
            <a href={`#/status?line=${at + 1}`} tabIndex={-1} aria-label={`Line ${at + 1}`}>
              {String(at + 1).padStart(4)}
            </a>{" "}
            {text}
            {"\n"}
          </span>
        ))}
      </pre>
    </section>
  );
}
