import { get } from "../api/client";
import { told } from "../api/live";
import type { Cluster as ClusterAnswer } from "../api/types";
import { Problem, useLoaded } from "../parts/basics";

export function Cluster() {
  const { value, error } = useLoaded(() => get<ClusterAnswer>("cluster"), [told.value?.version, told.value?.peers]);
  return (
    <section class="page cluster">
      <h1>Cluster</h1>
      <Problem error={error} stale={value !== null} />
      {value && !value.enabled && <p>One member, clustering is off. Duplicates cannot happen, an outage can.</p>}
      {value?.enabled && <State value={value} />}
      {value && value.members.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>member</th>
              <th>address</th>
              <th>notifies</th>
              <th>lag</th>
            </tr>
          </thead>
          <tbody>
            {value.members.map(({ name, address, position, this: self, lagSeconds }) => (
              <tr>
                <td>
                  <b>{name}</b> {self && <span class="faint">this one</span>}
                </td>
                <td>
                  <code>{address}</code>
                </td>
                <td>{position}.</td>
                <td>{self ? "" : lagSeconds > 0 ? <span class="warning">⚠ {lagSeconds.toFixed(1)} s behind</span> : "knows all"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {value?.configHash && (
        <p>
          This member's config: <a href="#/status"><code>{value.configHash}</code></a>
        </p>
      )}
    </section>
  );
}

function State({ value }: { value: ClusterAnswer }) {
  const { settled, awaited, failed, members } = value;
  if (!settled) {
    return (
      <p class="warning">
        ⚠ Settling: this member waits for the state of {awaited} {awaited === 1 ? "peer" : "peers"} before it notifies.
      </p>
    );
  }
  if (failed > 0) {
    return (
      <p class="warning">
        ⚠ {failed} known {failed === 1 ? "member doesn't" : "members don't"} answer.
      </p>
    );
  }
  return <p class="good">● {members.length} {members.length === 1 ? "member" : "members"}, settled: all known members answer.</p>;
}
