import assert from "node:assert/strict";
import { test } from "node:test";

Object.assign(globalThis, { location: { hash: "" }, addEventListener: () => undefined });
const { alertsHash, alertsQuery, read } = await import("../router");

function view(hash: string) {
  const screen = read(hash);
  assert.equal(screen.name, "alerts", hash);
  return screen.name === "alerts" ? screen.view : assert.fail();
}

test("links of the reference's page and templates mean what they meant", () => {
  assert.deepEqual(view("#/alerts?receiver=team+a%2Fb").receivers, ["team a/b"]);
  assert.deepEqual(view('#/alerts?filter={a="b", c=~"d"}').matchers, [
    { name: "a", op: "=", value: "b" },
    { name: "c", op: "=~", value: "d" },
  ]);
  const states = (hash: string) => {
    const { active, silenced, inhibited, muted } = view(hash);
    return [active, silenced, inhibited, muted];
  };
  assert.deepEqual(states("#/alerts"), [true, false, false, false]);
  assert.deepEqual(states("#/alerts?silenced&inhibited=FALSE&muted=yes&active=false"), [false, true, false, true]);
  assert.equal(view("#/alerts?group=a").groupBy, null);
  assert.deepEqual(view("#/alerts?customGrouping=false&group=a,b").groupBy, ["a", "b"]);
  assert.deepEqual(view("#/alerts?customGrouping=true").groupBy, ["alertname"]);
  assert.deepEqual(view("#/alerts?customGrouping=true&group=").groupBy, []);
  assert.deepEqual(view("").sort, "severity");
});

test("all other places are found", () => {
  const id = "4f1c0000-0000-4000-8000-000000000000";
  assert.deepEqual(read(`#/silences/${id}`), { name: "silence", id });
  assert.equal(read(`#/silences/${id}/edit`).name, "silence-form");
  const form = read('#/silences/new?filter={a="b"}&comment=why+not&createdBy=ann&duration=3h');
  assert.deepEqual(form, {
    name: "silence-form",
    id: null,
    prefill: { matchers: [{ name: "a", op: "=", value: "b" }], comment: "why not", createdBy: "ann", duration: "3h" },
  });
  assert.deepEqual(read('#/silences?filter={a="b"}'), { name: "silences", state: "active", by: "", text: 'a="b"' });
  assert.deepEqual(read("#/status?line=48"), { name: "status", line: 48 });
  assert.deepEqual(read("#/settings"), { name: "settings" });
  assert.deepEqual(read("#/nope/x"), { name: "unknown", path: "nope/x" });
  assert.equal(read("#/alerts/%zz").name, "alerts");
});

test("a view printed and read is the same view", () => {
  const hashes = [
    "#/alerts",
    "#/alerts?receiver=a&receiver=b%26c&q=x+y&silenced=true&peek=0123456789abcdef",
    '#/alerts?filter={a="b,c"}&customGrouping=true&group=x,y&sort=newest&active=false',
    "#/alerts?customGrouping=true&group=",
  ];
  for (const hash of hashes) assert.deepEqual(view(alertsHash(view(hash))), view(hash), hash);
  assert.equal(alertsHash(view("#/alerts")), "#/alerts");
});

test("a question to the worker has what the view has", () => {
  const query = alertsQuery(view('#/alerts?filter={a="b"}&receiver=r&customGrouping=true&group=x&q=t'));
  assert.equal(
    query.toString(),
    "filter=a%3D%22b%22&receiver=r&q=t&silenced=false&inhibited=false&muted=false&group=labels&group_by=x",
  );
});
