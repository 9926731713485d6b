// 100,000 alerts: the page holds a window, the worker answers from a picture.
import { expect, test, Worker } from "./worker";

const ALERTS = Number(process.env.PAGE_ALERTS ?? 100_000);
const GROUPS = ALERTS / 20;

const CONFIG = "route: {receiver: all, group_by: [group], group_wait: 2h}\nreceivers: [{name: all}]\n";

test("a list of 100,000 alerts", async ({ page }) => {
  test.setTimeout(600_000);
  const worker = await Worker.start(CONFIG);
  try {
    const PART = 5_000;
    for (let from = 0; from < ALERTS; from += PART) {
      const alerts = Array.from({ length: PART }, (_, at) => {
        const n = from + at;
        const severity = ["critical", "warning", "info"][n % 3] as string;
        const labels = { alertname: `Alert${n % 50}`, group: `g${n % GROUPS}`, instance: `host-${n}:9100`, job: "node", severity, cluster: `c${n % 7}` };
        return { labels, annotations: { summary: `number ${n} of many, with a text as long as they usually are` } };
      });
      await worker.alerts(alerts);
    }
    let bytes = 0;
    const wire = await page.context().newCDPSession(page);
    await wire.send("Network.enable");
    wire.on("Network.loadingFinished", ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.goto(`${worker.base}/`);
    const footer = page.locator(".list footer");
    await expect(footer).toContainText(`${ALERTS} of ${ALERTS} alerts in ${GROUPS} groups`);
    await expect(page.locator(".line.row").first()).toContainText("Alert");
    expect(bytes, "bytes of the first view").toBeLessThan(150_000);
    expect(await page.locator("*").count(), "elements").toBeLessThan(3_000);

    await page.keyboard.press("End");
    await expect(page.locator(".skeleton")).toHaveCount(0);
    await expect(page.locator(`[aria-rowindex="${await page.getByRole("treegrid").getAttribute("aria-rowcount")}"]`)).toBeVisible();
    expect(await page.locator("*").count(), "elements").toBeLessThan(3_000);

    // one list of all, to its end
    await page.goto(`${worker.base}/#/alerts?customGrouping=true&group=`);
    await expect(page.locator(".line.row").first()).toContainText("Alert");
    await page.keyboard.press("End");
    await expect(page.locator(`[aria-rowindex="${ALERTS}"]`)).toBeVisible();
    await expect(page.locator(".skeleton")).toHaveCount(0);

    await page.keyboard.press("/");
    await page.keyboard.type("instance=host-77777:9100");
    await page.keyboard.press("Enter");
    await expect(footer).toContainText(`1 of ${ALERTS} alerts`);
  } finally {
    // a stream that is cut off is complained about
    await page.goto("about:blank");
    await worker.stop();
  }
});
