import assert from "node:assert/strict";
import { test } from "node:test";
import { clockOf, dateOf, dayOf, firstDay, inMonths, moved, weeksOf } from "../calendar";

const day = (text: string) => Date.parse(`${text}T00:00:00Z`);

test("a month is shown in whole weeks, from the day on which they begin", () => {
  const shape = (first: number) => weeksOf(day("2026-11-21"), first).map((week) => [dateOf(week[0] ?? 0), dateOf(week[6] ?? 0)]);
  // November 2026 begins on a Sunday
  assert.deepEqual(shape(0)[0], ["2026-11-01", "2026-11-07"]);
  assert.deepEqual(shape(1)[0], ["2026-10-26", "2026-11-01"]);
  assert.deepEqual(shape(1).at(-1), ["2026-11-30", "2026-12-06"]);
  assert.deepEqual(shape(6)[0], ["2026-10-31", "2026-11-06"]);
  assert.equal(weeksOf(day("2027-02-10"), 1).length, 4, "a February that fits");
});

test("keys move by days, weeks and months, and stay within what there is", () => {
  const to = (from: string, key: string) => {
    const at = moved(day(from), key, 1);
    return at === null ? null : dateOf(at);
  };
  assert.equal(to("2026-12-31", "ArrowRight"), "2027-01-01");
  assert.equal(to("2026-03-01", "ArrowUp"), "2026-02-22");
  assert.equal(to("2026-11-21", "Home"), "2026-11-16");
  assert.equal(to("2026-11-21", "End"), "2026-11-22");
  assert.equal(to("2026-03-31", "PageUp"), "2026-02-28");
  assert.equal(to("2026-11-21", "x"), null);
  assert.equal(dateOf(inMonths(day("2026-12-31"), 2)), "2027-02-28");
});

test("weeks begin as is wished, or as they do where one is", () => {
  assert.equal(firstDay("Sunday", "de-DE"), 0);
  assert.equal(firstDay("Saturday", "de-DE"), 6);
  assert.equal(firstDay("", "de-DE"), 1);
  assert.equal(firstDay("", "en-US"), 0);
  assert.equal(firstDay("", "no locale"), 1);
});

test("a moment is on a day, at a time", () => {
  const at = Date.UTC(2026, 10, 21, 23, 5);
  assert.equal(dateOf(dayOf(at, "utc")), "2026-11-21");
  assert.equal(clockOf(at, "utc"), "23:05");
  assert.match(clockOf(at, "local"), /^\d\d:\d\d$/);
});
