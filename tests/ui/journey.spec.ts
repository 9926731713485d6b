// What people come for, with the keyboard alone.
import type { Locator, Page } from "@playwright/test";
import { accessible, expect, open, test, until } from "./worker";

test("find an alert, see why, silence it, extend, expire", async ({ page, worker }) => {
  await open(page, worker, "");
  await page.keyboard.press("/");
  await expect(page.getByRole("combobox", { name: "Filter" })).toBeFocused();
  await page.keyboard.type("instance=db-7");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/filter=%7Binstance%3D%22db-7%22%7D/);
  await page.keyboard.press("Escape");
  await expect(page.locator(".line.row").first()).toContainText("PgReplLag");
  // the header of the first group, then its alert
  await page.keyboard.press("j");
  await expect(page.locator(".line.row:focus")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/alert\/[0-9a-f]{16}$/);
  await expect(page.getByRole("heading", { name: "PgReplLag" })).toBeVisible();
  await expect(page.locator(".verdict").first()).toContainText("told that it fires at");

  await page.keyboard.press("s");
  await expect(page.getByRole("heading", { name: "New silence" })).toBeVisible();
  await expect(page.locator(".affected")).toContainText(/Would silence 1 of \d+ now/);
  await tabTo(page, page.getByLabel("By"));
  await page.keyboard.type("ann");
  await page.keyboard.press("Tab");
  await page.keyboard.type("journey");
  await page.keyboard.press("Control+Enter");
  await expect(page).toHaveURL(/#\/silences\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { name: /Silence active/ })).toBeVisible();
  const id = new URL(page.url()).hash.split("/").at(-1) ?? "";
  const end = async () => new Date((await worker.get<{ endsAt: string }>(`/api/v2/silence/${id}`)).endsAt).getTime();
  const before = await end();
  expect(before).toBeGreaterThan(Date.now() + 3_600_000);

  await page.keyboard.press("e");
  await until("it ends later", async () => (await end()) === before + 3_600_000);
  await page.keyboard.press("Shift+E");
  await until("it has ended", async () => {
    const { status } = await worker.get<{ status: { state: string } }>(`/api/v2/silence/${id}`);
    return status.state === "expired";
  });
  await expect(page.getByRole("heading", { name: /Silence expired/ })).toBeVisible();
  // and what was done can be undone
  await tabTo(page, page.getByRole("button", { name: "Undo" }));
  await page.keyboard.press("Enter");
  await until("there is one again", async () => {
    const all = await worker.get<{ id: string; comment: string }[]>("/api/v2/silences?expired=false");
    const again = all.find(({ comment }) => comment === "journey");
    if (again) await worker.expire(again.id);
    return again !== undefined;
  });
});

test("acknowledge in one key, by the name that a proxy gives", async ({ page, worker }) => {
  const alert = `#/alert/${await worker.fingerprint('instance="db-6"')}`;
  await open(page, worker, alert);
  await expect(page.locator(".verdict").first()).toBeVisible();
  await page.keyboard.press("a");
  // nobody knows who: the form asks
  await expect(page.getByRole("heading", { name: "New silence" })).toBeVisible();
  await expect(page.getByLabel("By")).toHaveValue("");

  await page.setExtraHTTPHeaders({ "X-Forwarded-User": "carol" });
  await page.goto("about:blank");
  await open(page, worker, "#/silences/new");
  await expect(page.getByLabel("By")).toHaveValue("carol");
  await open(page, worker, alert);
  await expect(page.locator(".verdict").first()).toBeVisible();
  await page.keyboard.press("a");
  await expect(page.locator(".cause").first()).toContainText("by carol, “carol looks after it”, ends in");
  await tabTo(page, page.getByRole("button", { name: "Undo" }));
  await page.keyboard.press("Enter");
  await until("it is not silenced any more", async () => {
    const all = await worker.get<{ createdBy: string; status: { state: string } }[]>("/api/v2/silences");
    return all.some(({ createdBy }) => createdBy === "carol") && all.every((one) => one.createdBy !== "carol" || one.status.state === "expired");
  });
});

/** As people without a mouse get there. */
async function tabTo(page: Page, place: Locator): Promise<void> {
  for (let step = 0; step < 60; step += 1) {
    if (await place.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("it can't be reached by Tab");
}

test("what is selected is silenced together", async ({ page, worker }) => {
  await open(page, worker, '#/alerts?filter={alertname="DiskFull",cluster="eu1"}');
  await expect(page.locator(".line.row a.name").first()).toBeVisible();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await expect(page.getByRole("toolbar", { name: "Selection" })).toContainText("2 selected");
  await page.keyboard.press("s");
  await expect(page.locator(".affected")).toContainText(/Would silence 2 of/);
  await expect(page.getByLabel(/^Value/).nth(2)).toHaveValue(/^node-\d+\|node-\d+$/);
});

test("a form tells what is missing, and what the worker refuses", async ({ page, worker, complaints }) => {
  await open(page, worker, "#/silences/new");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("alert")).toContainText("Still missing: a matcher");
  await page.getByLabel("Label 1").fill("instance");
  await page.getByLabel("Operator 1").selectOption("=~");
  await page.getByLabel("Value 1").fill("db-(");
  await expect(page.locator(".affected .problem")).toContainText("invalid regular expression");
  await page.getByLabel("By").fill("ann");
  await page.getByLabel("Comment").fill("c");
  await page.getByRole("button", { name: /Create/ }).click();
  await expect(page.locator("form .problem")).toContainText("invalid regular expression");
  expect(complaints.every((text) => text.includes("status of 400"))).toBe(true);
  complaints.length = 0;
});

test("many silences are extended and ended at once", async ({ page, worker }) => {
  const ids = [await worker.silence(["n=1"], { comment: "bulk" }), await worker.silence(["n=2"], { comment: "bulk" })];
  await open(page, worker, "#/silences?q=bulk");
  await expect(page.locator("table.silences tbody tr[id]")).toHaveCount(2);
  for (const box of await page.getByRole("checkbox").all()) await box.check();
  await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Expire" }).click();
  for (const id of ids) {
    await until("it has ended", async () => {
      const { status } = await worker.get<{ status: { state: string } }>(`/api/v2/silence/${id}`);
      return status.state === "expired";
    });
  }
  await expect(page.locator(".nothing")).toContainText("No active silences like that");
});

test("a view is kept by name", async ({ page, worker }) => {
  await open(page, worker, '#/alerts?filter={alertname="DiskFull"}&sort=newest');
  await page.getByText("Saved").click();
  await page.getByLabel("Name of this view").fill("disks");
  await page.keyboard.press("Enter");
  await open(page, worker, "#/alerts");
  await expect(page.getByText("Saved (1)")).toBeVisible();
  // another view of the same page: the list of names is still open
  await page.getByRole("link", { name: "disks" }).click();
  await expect(page).toHaveURL(/DiskFull.*sort=newest/);
  await page.getByRole("button", { name: "Forget disks" }).click();
  await expect(page.getByText("Saved (1)")).toHaveCount(0);
});

test("several receivers are shown together", async ({ page, worker }) => {
  await open(page, worker, "#/alerts?silenced=true&inhibited=true&muted=true");
  const facets = page.getByRole("complementary", { name: "Labels" });
  await facets.getByRole("button", { name: /^pager-db/ }).click();
  await facets.getByRole("button", { name: /^pager-net/ }).click({ modifiers: ["Shift"] });
  await expect(page.locator(".line.group")).toHaveCount(2);
  await facets.getByRole("button", { name: /^pager-db/ }).click();
  await expect(page.locator(".line.group")).toHaveCount(1);
  await expect(page.locator(".line.group")).toContainText("pager-net");
});

test("news come by themselves, and don't move what is read", async ({ page, worker }) => {
  await open(page, worker, "#/alerts?customGrouping=true&group=&sort=name&silenced=true&inhibited=true&muted=true");
  const footer = page.locator(".list footer");
  const before = Number(/(\d+) of/.exec((await footer.textContent()) ?? "")?.[1] ?? (await settledCount(footer)));
  await worker.alerts([{ labels: { alertname: "Another", severity: "info" } }]);
  await expect(footer).toContainText(`${before + 1} of ${before + 1} alerts`);
  await page.locator(".scroller").evaluate((element) => (element.scrollTop = 400));
  await worker.alerts([{ labels: { alertname: "AndAnother", severity: "info" } }]);
  await expect(page.getByRole("button", { name: /The list has changed/ })).toBeVisible();
  await expect(footer).toContainText(`${before + 1} of`);
  await page.keyboard.press(".");
  await expect(footer).toContainText(`${before + 2} of`);
});

async function settledCount(footer: Locator): Promise<string> {
  await expect(footer).toContainText(/\d+ of \d+ alerts/);
  return /(\d+) of/.exec((await footer.textContent()) ?? "")?.[1] ?? "0";
}

test("a day is picked by keyboard, in weeks that begin as is wished", async ({ page, worker }) => {
  await page.addInitScript(() => localStorage.setItem("firstDayOfWeek", '"Sunday"'));
  await open(page, worker, "#/silences/new", true);
  const field = page.getByLabel("For, or until");
  await field.fill("2026-11-27 18:30");
  await tabTo(page, page.getByRole("button", { name: "Pick the day of the end" }));
  await page.keyboard.press("Enter");
  const month = page.getByRole("dialog", { name: "Day of the end" });
  await expect(month.getByRole("columnheader").first()).toHaveText("Sun");
  await expect(month.getByRole("button", { name: /27 November 2026|November 27, 2026/ })).toBeFocused();
  await accessible(page);
  await page.keyboard.press("PageDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Home");
  await expect(month).toContainText("January 2027");
  await page.keyboard.press("Enter");
  await expect(month).toHaveCount(0);
  await expect(field).toHaveValue("2027-01-03 18:30");
  await expect(page.locator(".columns form")).toContainText("until 2027-01-03 18:30:00 UTC");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expect(month).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "New silence" })).toBeVisible();
});

test("a silence that is made again and again is kept as a template", async ({ page, worker }) => {
  await open(page, worker, '#/silences/new?filter={cluster="eu1"}&comment=deploy&duration=30m');
  await page.getByText("Templates", { exact: true }).click();
  await page.getByLabel("Name of the template").fill("weekly deploy");
  await page.keyboard.press("Enter");
  await open(page, worker, "#/silences/new");
  await page.reload();
  await page.getByText("Templates (1)").click();
  await page.getByRole("link", { name: "weekly deploy" }).click();
  await expect(page.getByLabel("Value 1")).toHaveValue("eu1");
  await expect(page.getByLabel("Comment")).toHaveValue("deploy");
  await expect(page.getByLabel("For, or until")).toHaveValue("30m");
});

test("what is worst can be said, and taken along", async ({ page, worker }) => {
  const flat = "#/alerts?customGrouping=true&group=&silenced=true&inhibited=true&muted=true";
  const first = page.locator(".line.row .severity").first();
  await open(page, worker, flat);
  await expect(first).toContainText("critical");
  await open(page, worker, "#/settings");
  await page.getByLabel("Severities, the worst first").fill("warning, critical");
  await page.keyboard.press("Tab");
  await open(page, worker, flat);
  await expect(first).toContainText("warning");
  await open(page, worker, "#/settings");
  await page.getByText("Take them to another browser").click();
  const elsewhere = page.getByLabel("Settings from elsewhere");
  await elsewhere.fill('{"colour": "red"}');
  await page.getByRole("button", { name: "Take over" }).click();
  await expect(page.getByRole("alert")).toContainText("“colour” is no setting of this page");
  await elsewhere.fill('{"severityOrder": "info"}');
  await page.getByRole("button", { name: "Take over" }).click();
  await expect(page.getByLabel("Severities, the worst first")).toHaveValue("info");
});

test("ranges are selected, and lists narrowed, by keys", async ({ page, worker }) => {
  await open(page, worker, '#/alerts?filter={alertname="DiskFull",cluster="eu1"}');
  await expect(page.locator(".line.row a.name").first()).toBeVisible();
  const toolbar = page.getByRole("toolbar", { name: "Selection" });
  await page.keyboard.press("j");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(toolbar).toContainText("3 selected");
  await page.keyboard.press("Control+a");
  await expect(toolbar).not.toContainText("3 selected");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type("abc");
  // in a field it's the browser's
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await expect(page.getByRole("combobox", { name: "Filter" })).toHaveValue("");
  await expect(toolbar).toHaveCount(0);
  await page.keyboard.press("Escape");

  await open(page, worker, "#/alerts");
  await expect(page.locator(".line.row a.name").first()).toBeVisible();
  await page.keyboard.press("j");
  const name = await page.locator(".line:focus a.name").innerText();
  await page.keyboard.press("+");
  await expect(page).toHaveURL(new RegExp(`filter=%7Balertname%3D%22${name}%22%7D`));
  await open(page, worker, "#/alerts");
  await page.locator(".line.row .label[data-name=instance]").first().hover();
  await page.keyboard.press("-");
  await expect(page).toHaveURL(/filter=%7Binstance%21%3D/);
});

test("a silence says more than a comment, and keeps it when it is changed", async ({ page, worker }) => {
  await open(page, worker, '#/silences/new?filter={cluster="none"}&comment=c&createdBy=ann');
  await page.getByText("Annotations", { exact: true }).click();
  await page.getByRole("button", { name: "Add annotation" }).click();
  await page.getByLabel("Annotation 1", { exact: true }).fill("ticket");
  await page.getByLabel("Text of annotation 1").fill("INC-4411");
  await page.keyboard.press("Control+Enter");
  await expect(page).toHaveURL(/#\/silences\/[0-9a-f-]{36}$/);
  await expect(page.locator("main")).toContainText("INC-4411");
  const id = new URL(page.url()).hash.split("/").at(-1) ?? "";
  const kept = async () => (await worker.get<{ annotations: Record<string, string> }>(`/api/v2/silence/${id}`)).annotations;
  expect(await kept()).toEqual({ ticket: "INC-4411" });
  await open(page, worker, `#/silences/${id}/edit`);
  await expect(page.getByLabel("Text of annotation 1")).toHaveValue("INC-4411");
  await page.getByLabel("Text of annotation 1").fill("INC-4412");
  await page.keyboard.press("Control+Enter");
  await until("it says so", async () => (await kept()).ticket === "INC-4412");
});
