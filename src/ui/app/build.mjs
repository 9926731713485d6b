// Bundles the page into ../dist or what `--out=` names, or with `--tests` its tests into unit/out. The same input gives the
// same bytes.
import { build } from "esbuild";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const out = process.argv.find((arg) => arg.startsWith("--out="))?.slice("--out=".length) ?? "../dist";
const common = { bundle: true, target: "es2022", jsx: "automatic", jsxImportSource: "preact", logLevel: "warning" };

if (process.argv.includes("--tests")) {
  const entries = readdirSync("unit").filter((name) => name.endsWith(".test.ts"));
  await build({
    ...common,
    entryPoints: entries.map((name) => `unit/${name}`),
    outdir: "unit/out",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    format: "esm",
  });
} else {
  await build({
    ...common,
    entryPoints: { app: "main.tsx" },
    outdir: out,
    format: "esm",
    minify: true,
    legalComments: "none",
  });
  await build({ ...common, entryPoints: { app: "theme.css" }, outdir: out, minify: true });
  copyFileSync("index.html", join(out, "index.html"));
  for (const icon of ["favicon.svg", "firing.svg"]) copyFileSync(icon, join(out, icon));
  const licence = (name) => {
    const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
    return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}`;
  };
  const used = ["preact", "@preact/signals", "@preact/signals-core"];
  writeFileSync(join(out, "LICENSES.txt"), used.map(licence).join("\n\n"));
}
