// A real worker for each file of tests, and a page that fails its test for whatever a browser complains about.
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PROGRAM = process.env.ALERTMANAGER_OPERATOR_BIN ?? new URL("../../target/debug/alertmanager-operator", import.meta.url).pathname;
const LIMIT_MS = 60_000;

/** Nobody listens on port 1: what is sent there fails. */
const config = (sink: number) => `
route:
  receiver: everybody
  group_by: [alertname, cluster]
  group_wait: 2h
  routes:
    - receiver: pager-db
      matchers: ['team="db"', 'severity=~"critical|page"']
      continue: true
    - receiver: chat-db
      matchers: ['team="db"']
    - receiver: pager-net
      matchers: ['team="net"']
      mute_time_intervals: [always]
      group_wait: 0s
    - receiver: chat-db
      matchers: ['team="db"', 'cluster="eu2"']
receivers:
  - name: everybody
    webhook_configs: [{url: 'http://127.0.0.1:1/all'}]
  - name: pager-db
    webhook_configs: [{url: 'http://127.0.0.1:${sink}/pager'}]
  - name: chat-db
    webhook_configs: [{url: 'http://127.0.0.1:${sink}/chat'}]
  - name: pager-net
inhibit_rules:
  - {name: dc-down, source_matchers: ['alertname="DcDown"'], target_matchers: ['severity="warning"'], equal: [cluster]}
time_intervals:
  - name: always
    time_intervals: [{times: [{start_time: "00:00", end_time: "24:00"}]}]
`;

/** When it is for pages whose pictures are taken. */
export const FROZEN = new Date("2026-11-21T15:04:05Z");
const END = "2099-01-01T00:00:00Z";

export interface Alert {
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  startsAt?: string;
  endsAt?: string;
  generatorURL?: string;
}

export class Worker {
  private constructor(
    readonly base: string,
    private readonly child: ChildProcess,
    private readonly dir: string,
    private readonly sink: Sink,
  ) {}

  static async start(text?: string, prefix = ""): Promise<Worker> {
    const sink = await takeAll();
    const dir = mkdtempSync(join(tmpdir(), "alertmanager-page-"));
    writeFileSync(join(dir, "alertmanager.yml"), text ?? config(sink.port));
    const port = await freePort();
    const args = [
      "worker",
      `--config.file=${join(dir, "alertmanager.yml")}`,
      `--storage.path=${join(dir, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.external-url=http://alertmanager.example" + prefix,
      `--web.route-prefix=${prefix || "/"}`,
      "--cluster.listen-address=",
    ];
    const child = spawn(PROGRAM, args, { stdio: ["ignore", "ignore", "ignore"] });
    const worker = new Worker(`http://127.0.0.1:${port}${prefix}`, child, dir, sink);
    await until("the worker is ready", async () => {
      if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}`);
      return (await fetch(`${worker.base}/-/ready`)).ok;
    });
    return worker;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode === null && this.child.kill("SIGTERM")) await ended;
    this.sink.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.base + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  private async post(path: string, body: unknown): Promise<Response> {
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(this.base + path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async alerts(alerts: Alert[]): Promise<void> {
    const whole = alerts.map((alert) => ({ startsAt: "2026-11-21T12:50:00Z", endsAt: END, ...alert }));
    await this.post("/api/v2/alerts", whole);
  }

  async silence(matchers: string[], more: { endsAt?: string; createdBy?: string; comment?: string } = {}): Promise<string> {
    const read = matchers.map((text) => {
      const [, name, op, value] = /^(\w+)(=~|!~|!=|=)(.*)$/.exec(text) ?? [];
      return { name, value, isRegex: op?.endsWith("~"), isEqual: !op?.startsWith("!") };
    });
    const silence = { startsAt: new Date().toISOString(), endsAt: END, createdBy: "ann", comment: "failover test INC-4411", ...more };
    const response = await this.post("/api/v2/silences", { matchers: read, ...silence });
    return ((await response.json()) as { silenceID: string }).silenceID;
  }

  async expire(id: string): Promise<void> {
    const response = await fetch(`${this.base}/api/v2/silence/${id}`, { method: "DELETE" });
    if (!response.ok) throw new Error(`${id}: ${response.status} ${await response.text()}`);
  }

  async fingerprint(filter: string): Promise<string> {
    const list = await this.get<{ fingerprint: string }[]>(`/api/v2/alerts?filter=${encodeURIComponent(filter)}`);
    const [first] = list;
    if (!first) throw new Error(`no alert is ${filter}`);
    return first.fingerprint;
  }

  /** How many notifications were taken. */
  get notified(): number {
    return this.sink.taken();
  }

  /** What most tests look at: each state, several receivers, texts that are no markup. */
  async fill(): Promise<void> {
    const alerts: Alert[] = [];
    for (let n = 0; n < 8; n += 1) {
      alerts.push({
        labels: { alertname: "PgReplLag", cluster: "eu1", team: "db", severity: n % 3 ? "critical" : "warning", instance: `db-${n}` },
        annotations: { summary: `lag ${40 + n} s, limit 30 s`, runbook_url: "https://runbooks.example/pg" },
        startsAt: `2026-11-21T12:${50 + n}:00Z`,
        generatorURL: "http://prometheus.example/graph",
      });
    }
    for (let n = 0; n < 20; n += 1) {
      alerts.push({
        labels: { alertname: "DiskFull", cluster: n % 2 ? "eu1" : "us1", team: "db", severity: "warning", instance: `node-${n}` },
        annotations: { description: "the disk is full" },
      });
    }
    alerts.push({ labels: { alertname: "DcDown", cluster: "us1", severity: "critical" }, annotations: { summary: "<img src=x onerror=alert(1)>" } });
    alerts.push({ labels: { alertname: "LinkDown", team: "net", severity: "page", device: "eth0" } });
    alerts.push({ labels: { alertname: "Watchdog", severity: "none" }, annotations: { summary: "always firing" } });
    alerts.push({
      labels: { alertname: "LongText", text: "عربى 漢字 🔥 " + "long ".repeat(60), severity: "info" },
      annotations: { summary: "x".repeat(500) },
    });
    await this.alerts(alerts);
    await this.silence(["alertname=PgReplLag", "instance=~db-[0-2]"]);
    await this.silence(["cluster=eu9"], { createdBy: "bob", comment: "rebuild https://tickets.example/7" });
  }
}

export const test = base.extend<{ complaints: string[]; worker: Worker }, { workers: (file: string) => Promise<Worker> }>({
  // what the tests of one file do to theirs is nothing to another file
  workers: [
    async ({}, use) => {
      const started = new Map<string, Promise<Worker>>();
      await use((file) => {
        const worker = started.get(file) ?? filled();
        started.set(file, worker);
        return worker;
      });
      for (const worker of started.values()) await (await worker).stop();
    },
    { scope: "worker" },
  ],
  worker: async ({ workers }, use, info) => use(await workers(info.file)),
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) =>
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
        );
      });
      await use(complaints);
      expect(complaints, "what the browser complained about").toEqual([]);
    },
    { auto: true },
  ],
});

async function filled(): Promise<Worker> {
  const worker = await Worker.start();
  await worker.fill();
  await until("a group is muted", async () => {
    const groups = await worker.get<{ states: { muted: number } }>("/api/ui/v1/groups");
    return groups.states.muted === 1;
  });
  await until("receivers were told", async () => worker.notified >= 3);
  return worker;
}

export { expect };

/** Waits for a condition, with a limit. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const start = Date.now();
  let last: unknown;
  while (Date.now() - start < LIMIT_MS) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never comes that ${what}: ${String(last ?? "")}`);
}

/** Opens a view, with the clock of all pictures if wanted. */
export async function open(page: Page, worker: Worker, hash: string, frozen = false): Promise<void> {
  if (frozen) await page.clock.setFixedTime(FROZEN);
  await page.goto(`${worker.base}/${hash}`);
  await expect(page.locator(".live")).toContainText("live");
}

/** Fails for whatever keeps people from using the page. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n  ")}`);
  expect(told).toEqual([]);
}

interface Sink {
  port: number;
  taken: () => number;
  close: () => void;
}

/** A receiver that takes all notifications. */
async function takeAll(): Promise<Sink> {
  let taken = 0;
  const server = createHttpServer((request, response) => {
    request.resume().on("end", () => {
      taken += 1;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address !== "object") throw new Error("the receiver has no port");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port: address.port, taken: () => taken, close };
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
