// The page of each member of a cluster of three: what happens on one is seen on all.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessible, expect, PROGRAM, test, until } from "./worker";

const SAMPLES = new URL("../../config/samples", import.meta.url).pathname;
const NETWORK = `127.${20 + (process.pid % 200)}.77`;

test("three members and one truth", async ({ browser }) => {
  const [web, gossip, sink] = [await freePort(), await freePort(), await freePort()];
  const dir = mkdtempSync(join(tmpdir(), "alertmanager-cluster-"));
  for (const name of readdirSync(SAMPLES)) {
    const file = join(SAMPLES, name);
    if (statSync(file).isFile()) writeFileSync(join(dir, name), readFileSync(file, "utf8").replaceAll("8080", String(sink)));
  }
  const args = ["local", `--address=${NETWORK}.1`, `--web-port=${web}`, `--cluster-port=${gossip}`, dir];
  const local = spawn(PROGRAM, args, { stdio: "ignore" });
  const context = await browser.newContext({ timezoneId: "UTC", viewport: { width: 1280, height: 800 } });
  const base = (member: number) => `http://${NETWORK}.${member}:${web}`;
  try {
    for (const member of [1, 2, 3]) await until(`member ${member} is ready`, async () => (await fetch(`${base(member)}/-/ready`)).ok);
    const alerts = [{ labels: { alertname: "Seen", instance: "a" } }, { labels: { alertname: "Seen", instance: "b" } }];
    const body = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(alerts) };
    expect((await fetch(`${base(1)}/api/v2/alerts`, body)).ok).toBe(true);

    const second = await context.newPage();
    await second.goto(`${base(2)}/#/alerts?customGrouping=true&group=`);
    await expect(second.locator(".line.row")).toHaveCount(2);
    const third = await context.newPage();
    await third.goto(`${base(3)}/#/silences/new?filter={instance="a"}&comment=on+the+third&createdBy=ann`);
    await expect(third.locator(".affected")).toContainText("Would silence 1 of 2 now");
    await third.getByRole("button", { name: /Create/ }).click();
    await expect(third.getByRole("heading", { name: /Silence active/ })).toBeVisible();
    // by itself, on another member
    await expect(second.locator(".line.row")).toHaveCount(1);
    await expect(second.getByRole("button", { name: /silenced/ })).toContainText("1");

    await second.goto(`${base(2)}/#/cluster`);
    await expect(second.locator("p.good")).toContainText("3 members, settled");
    await expect(second.locator("tbody").first().locator("tr")).toHaveCount(3);
    await expect(second.locator("tbody").first()).toContainText("this one");
    // each says with its comparisons, every few seconds, what it sees
    await expect(second.locator(".matrix td.good")).toHaveCount(6, { timeout: 60_000 });
    await expect(second.locator(".warning")).toHaveCount(0);
    await accessible(second);
    await second.evaluate(
      ([network, port]) => {
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
          const text = (node.nodeValue ?? "").replaceAll(`${network}.`, "10.0.0.").replaceAll(`:${port}`, ":9094");
          const plain = text
            .replace(/\b[0-9a-f]{64}\b/, "3f9c".repeat(16))
            .replace(/^[0-9a-f]{10}$/, "3f9c3f9c3f");
          if (plain !== node.nodeValue) node.nodeValue = plain;
        }
      },
      [NETWORK, String(gossip)] as const,
    );
    await expect(second).toHaveScreenshot("cluster-of-three.png", { mask: [second.locator(".matrix time")] });
  } finally {
    await context.close();
    const ended = new Promise((resolve) => local.once("exit", resolve));
    if (local.exitCode === null && local.kill("SIGTERM")) await ended;
    rmSync(dir, { recursive: true, force: true });
  }
});

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, `${NETWORK}.1`, () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
