// The page in Debian's Chromium against real workers. Pictures are compared only on the fonts of fonts.conf.
import { defineConfig } from "@playwright/test";

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
    toHaveScreenshot: { maxDiffPixelRatio: 0.002, animations: "disabled", caret: "hide" },
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
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--font-render-hinting=none", "--disable-lcd-text", "--disable-gpu"],
      env: { ...process.env, FONTCONFIG_FILE: new URL("fonts.conf", import.meta.url).pathname } as Record<string, string>,
    },
  },
});
