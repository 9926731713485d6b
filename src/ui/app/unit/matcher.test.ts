import assert from "node:assert/strict";
import { test } from "node:test";
import { merge, parse, parseAll, print, printAll, type Matcher } from "../matcher/parse";

const LIST: Matcher[] = [
  { name: "alertname", op: "=", value: "Down" },
  { name: "instance", op: "=~", value: "db-.*,x" },
  { name: "path", op: "!=", value: 'C:\\new "x"' },
  { name: "a b", op: "!~", value: "}" },
  { name: "empty", op: "=", value: "" },
  { name: "größe", op: "=", value: "line\nbreak" },
];

test("what is printed is read as the same", () => {
  assert.deepEqual(parseAll(printAll(LIST)), { matchers: LIST, broken: [] });
  for (const matcher of LIST) assert.deepEqual(parse(print(matcher)), matcher);
});

test("braces may be missing, values may stand without quotes", () => {
  assert.deepEqual(parseAll('a=b, c=~"d|e"').matchers, [
    { name: "a", op: "=", value: "b" },
    { name: "c", op: "=~", value: "d|e" },
  ]);
});

test("what is no matcher is told of", () => {
  assert.deepEqual(parseAll('{a="b",nonsense,c="open}'), {
    matchers: [{ name: "a", op: "=", value: "b" }],
    broken: ["nonsense", 'c="open'],
  });
  assert.equal(parse('="x"'), null);
  assert.equal(parse(""), null);
});

test("one more value is one expression for both", () => {
  const add = (value: string, op: Matcher["op"] = "=") => ({ name: "a", op, value });
  assert.deepEqual(merge([add("x.y")], add("z")), [add("x\\.y|z", "=~")]);
  assert.deepEqual(merge([add("x|y", "=~")], add("z")), [add("x|y|z", "=~")]);
  assert.deepEqual(merge([add("x")], add("x")), [add("x")]);
  assert.deepEqual(merge([add("x", "!=")], add("y")), [add("x", "!="), add("y")]);
  assert.deepEqual(merge([add("x", "!=")], add("y", "!=")), [add("x|y", "!~")]);
});
