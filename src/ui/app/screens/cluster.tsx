import { get } from "../api/client";
import { told } from "../api/live";
import type { Cluster as ClusterAnswer, Member } from "../api/types";
import { Age, Problem, useLoaded } from "../parts/basics";

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
      {value && value.members.length > 1 && <Matrix members={value.members} />}
      {value?.configHash && (
        <p>
          This member's config: <a href="#/status"><code>{value.configHash}</code></a>
        </p>
      )}
    </section>
  );
}

/** A row for each member as it told itself, a column for each that it may see. */
function Matrix({ members }: { members: Member[] }) {
  const configs = new Set(members.map(({ outlook }) => outlook?.config).filter((config) => config !== undefined));
  const apart = members.filter(({ outlook }) => outlook && outlook.sees.length < members.length);
  return (
    <>
      <h2>Who sees whom</h2>
      {apart.length > 0 && (
        <p class="warning">
          ⚠ {apart.map(({ name }) => name).join(", ")} {apart.length === 1 ? "does" : "do"} not see all: both sides notify then.
        </p>
      )}
      {configs.size > 1 && <p class="warning">⚠ Members run different configs: what is sent depends on who sends it.</p>}
      <table class="matrix">
        <thead>
          <tr>
            <th>sees</th>
            {members.map(({ name }) => (
              <th>{name}</th>
            ))}
            <th>config</th>
            <th>said</th>
          </tr>
        </thead>
        <tbody>
          {members.map(({ name, outlook, this: self }) => (
            <tr>
              <th scope="row">{name}</th>
              {members.map((other) => {
                if (other.name === name) return <td class="faint">·</td>;
                if (!outlook) return <td class="faint">not known</td>;
                return outlook.sees.includes(other.name) ? <td class="good">yes</td> : <td class="warning">NO</td>;
              })}
              <td>
                <code>{outlook?.config?.slice(0, 10) ?? ""}</code>
              </td>
              <td>{self ? "now" : outlook ? <><Age at={outlook.at} /> ago</> : "not yet"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
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
