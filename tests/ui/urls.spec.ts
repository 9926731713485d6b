// Links that people have in notifications, bookmarks and runbooks go on working.
import { expect, open, test, Worker } from "./worker";

test("old links land where they did", async ({ page, worker }) => {
  const id = await worker.silence(["alertname=OldLink"]);
  const places: [string, RegExp | string][] = [
    ["#/alerts?receiver=chat-db", "receiver chat-db"],
    ['#/alerts?silenced=false&inhibited=false&active=true&filter={alertname="DiskFull"}', 'alertname="DiskFull"'],
    ['#/silences/new?filter={alertname="X"}&comment=why+not', "New silence"],
    [`#/silences/${id}`, 'alertname="OldLink"'],
    [`#/silences/${id}/edit`, "Edit silence"],
    ["#/silences", "New silence"],
    ["#/status", "Config"],
    ["#/settings", "Settings"],
    ["#/", "alerts in"],
    ["ui/", "alerts in"],
    ["ui/#/status", "Config"],
  ];
  for (const [place, text] of places) {
    await test.step(place, async () => {
      await page.goto("about:blank");
      await open(page, worker, place);
      await expect(page.locator("main")).toContainText(text);
    });
  }
  await open(page, worker, '#/silences/new?filter={alertname="X"}&comment=why+not');
  await expect(page.getByLabel("Comment")).toHaveValue("why not");
  await expect(page.getByLabel("Value 1")).toHaveValue("X");
});

test("a receiver's name is a name, not an expression", async ({ page, worker }) => {
  await open(page, worker, "#/alerts?receiver=pager-db&silenced=true");
  await expect(page.locator(".line.group")).toHaveCount(1);
  await expect(page.locator(".line.group")).toContainText("pager-db");
  await open(page, worker, "#/alerts?receiver=pager-.%2B&silenced=true&muted=true");
  await expect(page.locator(".line.group")).toHaveCount(2);
});

test("all of it works below a prefix", async ({ page }) => {
  const worker = await Worker.start(undefined, "/am");
  try {
    await worker.fill();
    for (const place of ["", "/", "/ui/"]) {
      await page.goto("about:blank");
      await page.goto(`${worker.base}${place}#/alerts?silenced=true`);
      await expect(page.locator(".live")).toContainText("live");
      await expect(page.locator(".line.row a.name").first()).toBeVisible();
    }
    await page.getByRole("link", { name: "Silences" }).click();
    await expect(page.locator("table.silences tbody tr[id]")).toHaveCount(2);
  } finally {
    await page.goto("about:blank");
    await worker.stop();
  }
});

test("what a user chose on the reference's page holds", async ({ page, worker }) => {
  await page.addInitScript(() => localStorage.setItem("defaultCreator", "migrated"));
  await open(page, worker, "#/silences/new");
  await expect(page.getByLabel("By")).toHaveValue("migrated");
});

test("a view reopened is the same view", async ({ page, worker, context }) => {
  await open(page, worker, "#/alerts");
  await page.keyboard.press("2");
  await page.getByLabel("Sort").selectOption("newest");
  await page.getByRole("button", { name: /^DiskFull/ }).click();
  await expect(page).toHaveURL(/silenced=true.*sort=newest/);
  const footer = await page.locator(".list footer").textContent();
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.locator(".list footer")).toHaveText(footer ?? "");
});

test("labels never become markup or script", async ({ page, worker }) => {
  await worker.alerts([
    {
      labels: { alertname: "<b>bold</b>", link: "javascript:alert(1)", severity: "critical" },
      annotations: { summary: "see https://ok.example/a and javascript:alert(2)", x: "<script>alert(3)</script>" },
      generatorURL: "http://prometheus.example/?a=<b>",
    },
  ]);
  const fingerprint = await worker.fingerprint('link="javascript:alert(1)"');
  await open(page, worker, `#/alert/${fingerprint}`);
  await expect(page.getByRole("heading", { name: "<b>bold</b>" })).toBeVisible();
  const links = await page.locator("main a[href]").evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).protocol));
  expect(links.every((protocol) => protocol === "http:" || protocol === "https:")).toBe(true);
  await expect(page.locator("main script, main b b")).toHaveCount(0);
});

test("a tab says that something fires", async ({ page, worker }) => {
  await open(page, worker, "#/silences");
  await expect(page).toHaveTitle(/^\(\d+\) Silences · Alertmanager$/);
  const icon = page.locator("link[rel=icon]");
  await expect(icon).toHaveAttribute("href", "assets/firing.svg");
  for (const name of ["firing.svg", "favicon.svg"]) expect((await fetch(`${worker.base}/assets/${name}`)).ok).toBe(true);
});
