import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEnd, parseSpan, span, stamp } from "../time";

// a Thursday
const START = Date.UTC(2026, 10, 26, 15, 30, 0);
const at = (text: string) => {
  const end = parseEnd(text, START, "utc");
  return end === null ? null : new Date(end).toISOString();
};

test("spans are told by their two largest units", () => {
  const table: [number, string][] = [
    [0, "0s"],
    [999, "0s"],
    [61_000, "1m1s"],
    [3_600_000, "1h"],
    [8_074_000, "2h14m"],
    [90_000_000, "1d1h"],
    [1_209_600_000, "2w"],
    [-5, "0s"],
  ];
  for (const [milliseconds, text] of table) assert.equal(span(milliseconds), text);
});

test("spans are read", () => {
  assert.equal(parseSpan("1d12h"), 129_600_000);
  assert.equal(parseSpan("1.5h"), 5_400_000);
  assert.equal(parseSpan("2h 30m"), 9_000_000);
  for (const wrong of ["", "h", "0m", "-1h", "1y", "1h x"]) assert.equal(parseSpan(wrong), null, wrong);
});

test("ends are read as people say them", () => {
  assert.equal(at("3h"), "2026-11-26T18:30:00.000Z");
  assert.equal(at("18:00"), "2026-11-26T18:00:00.000Z");
  assert.equal(at("9:00"), "2026-11-27T09:00:00.000Z", "the next one");
  assert.equal(at("today 9:00"), null, "over already");
  assert.equal(at("fri 18:00"), "2026-11-27T18:00:00.000Z");
  assert.equal(at("Thursday 9:00"), "2026-12-03T09:00:00.000Z", "in a week");
  assert.equal(at("thu 16:00"), "2026-11-26T16:00:00.000Z");
  assert.equal(at("tomorrow 09:00"), "2026-11-27T09:00:00.000Z");
  assert.equal(at("2026-12-01 09:00"), "2026-12-01T09:00:00.000Z");
  assert.equal(at("2026-12-01"), "2026-12-01T00:00:00.000Z");
  for (const wrong of ["soon", "25:00", "2026-13-01", "fri"]) assert.equal(at(wrong), null, wrong);
});

test("the zone is always told", () => {
  assert.equal(stamp(START, "utc"), "2026-11-26 15:30:00 UTC");
  assert.match(stamp(START, "local"), /^2026-11-2\d \d\d:\d\d:00 \S+$/);
  assert.equal(stamp("nonsense", "utc"), "nonsense");
});
