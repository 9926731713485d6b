// The page in Debian's Chromium against real workers. Pictures are compared only on the fonts of fonts.conf.
import { defineConfig } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Another version draws letters a little differently; what is amiss in a screen is more than that. */
const drawnBy = readFileSync(new URL("snapshots/chromium.txt", import.meta.url), "utf8").trim();
const here = /Chromium (\d+)/.exec(execFileSync(CHROMIUM, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }))?.[1];
const maxDiffPixelRatio = here === drawnBy ? 0.003 : 0.03;

export default defineConfig({
  testDir: ".",
  outputDir: "results",
  snapshotPathTemplate: "snapshots/{arg}{ext}",
  fullyParallel: false,
  workers: 1,
  forbidOnly: true,
  // for machines that are five times slower
  timeout: 120_000,
  expect: {
    timeout: 30_000,
    toHaveScreenshot: { maxDiffPixelRatio, animations: "disabled", caret: "hide" },
  },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 800 },
    timezoneId: "UTC",
    locale: "en-GB",
    colorScheme: "light",
    trace: "off",
    launchOptions: {
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--font-render-hinting=none", "--disable-lcd-text", "--disable-gpu"],
      env: { ...process.env, FONTCONFIG_FILE: new URL("fonts.conf", import.meta.url).pathname } as Record<string, string>,
    },
  },
});
