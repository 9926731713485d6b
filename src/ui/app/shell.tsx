// What is around all screens.
import { useEffect, useState } from "preact/hooks";
import { liveness, heardAt, togglePause, told } from "./api/live";
import { useKeys } from "./parts/basics";
import { Help, Palette } from "./parts/dialog";
import { Toasts } from "./parts/toast";
import { theme, zone, type Theme } from "./prefs";
import { go, screen, type Screen } from "./router";
import { Alert } from "./screens/alert";
import { Alerts } from "./screens/alerts";
import { Cluster } from "./screens/cluster";
import { Routing } from "./screens/routing";
import { SettingsScreen } from "./screens/settings";
import { SilenceForm } from "./screens/silence_form";
import { SilenceScreen, Silences } from "./screens/silences";
import { Status } from "./screens/status";
import { now, span } from "./time";

const PLACES: { title: string; to: string; keys: string; names: Screen["name"][] }[] = [
  { title: "Alerts", to: "#/alerts", keys: "g a", names: ["alerts", "alert"] },
  { title: "Silences", to: "#/silences", keys: "g s", names: ["silences", "silence", "silence-form"] },
  { title: "Routing", to: "#/routing", keys: "g r", names: ["routing"] },
  { title: "Cluster", to: "#/cluster", keys: "g c", names: ["cluster"] },
  { title: "Status", to: "#/status", keys: "g t", names: ["status", "settings"] },
];

export function Shell() {
  const [open, setOpen] = useState<"help" | "palette" | null>(null);
  const close = () => setOpen(null);
  useKeys([
      ...PLACES.map(({ title, to, keys }) => ({ keys: [keys], title: `Go to ${title}`, run: () => go(to) })),
      { keys: ["n"], title: "New silence", run: () => go("#/silences/new") },
      { keys: ["t"], title: "Switch between UTC and local time", run: toggleZone },
      { keys: ["d"], title: "Switch between light and dark", run: toggleTheme },
      { keys: ["p"], title: "Pause or resume live updates", run: togglePause },
      { keys: ["?"], title: "Show all keys", run: () => setOpen("help") },
      { keys: ["Ctrl+k"], title: "Open the command palette", run: () => setOpen("palette"), quiet: true },
      { keys: [], title: "Go to Settings", run: () => go("#/settings") },
    ]);
  const active = told.value?.states.active ?? 0;
  const at = screen.value;
  useEffect(() => {
    const title = PLACES.find((place) => place.names.includes(at.name))?.title ?? "Alertmanager";
    document.title = `${active > 0 ? `(${active}) ` : ""}${title} · Alertmanager`;
    // seen in a row of tabs, where titles aren't
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    icon?.setAttribute("href", `assets/${active > 0 ? "firing" : "favicon"}.svg`);
  }, [active, at.name]);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <header>
        <span class="brand">Alertmanager</span>
        <nav aria-label="Screens">
          {PLACES.map(({ title, to, names }) => (
            <a href={to} aria-current={names.includes(at.name) ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="tools">
          <Live />
          <button type="button" onClick={toggleZone} title="Time zone (t)">
            {zone.value === "utc" ? "UTC" : "local"}
          </button>
          <button type="button" onClick={toggleTheme} title="Theme (d)" aria-label={`Theme: ${theme.value}`}>
            ◐
          </button>
          <button type="button" onClick={() => setOpen("palette")} title="Commands (Ctrl K)" aria-label="Commands">
            ⌘
          </button>
          <button type="button" onClick={() => setOpen("help")} title="Keys (?)" aria-label="Keys">
            ?
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <View at={at} />
      </main>
      <Toasts />
      {open === "help" && <Help onClose={close} />}
      {open === "palette" && <Palette onClose={close} />}
    </>
  );
}

function View({ at }: { at: Screen }) {
  switch (at.name) {
    case "alerts":
      return <Alerts view={at.view} />;
    case "alert":
      return <Alert fingerprint={at.fingerprint} key={at.fingerprint} />;
    case "silences":
      return <Silences state={at.state} by={at.by} text={at.text} />;
    case "silence":
      return <SilenceScreen id={at.id} key={at.id} />;
    case "silence-form":
      return <SilenceForm id={at.id} prefill={at.prefill} key={location.hash} />;
    case "routing":
      return <Routing labels={at.labels} at={at.at} />;
    case "cluster":
      return <Cluster />;
    case "status":
      return <Status line={at.line} />;
    case "settings":
      return <SettingsScreen />;
    case "unknown":
      return (
        <section class="page">
          <h1>There is no such page</h1>
          <p>
            Nothing is at <code>{at.path}</code>. <a href="#/alerts">All alerts</a>
          </p>
        </section>
      );
  }
}

/** How fresh the page is, and who says so. */
function Live() {
  const state = liveness.value;
  const age = span(now.value - heardAt.value);
  const words = {
    connecting: "connecting",
    live: "live",
    polling: "polling",
    lost: heardAt.value > 0 ? `stale since ${age}` : "no answer",
    paused: "paused",
  };
  return (
    <button type="button" class={`live ${state}`} onClick={togglePause} title="Pause or resume (p)">
      <span aria-hidden="true">●</span> {words[state]}
      {told.value?.member ? <span class="member"> · {told.value.member}</span> : null}
    </button>
  );
}

function toggleZone(): void {
  zone.value = zone.value === "utc" ? "local" : "utc";
}

function toggleTheme(): void {
  const next: Record<Theme, Theme> = { auto: "dark", dark: "light", light: "auto" };
  theme.value = next[theme.value];
}

function skip(event: Event): void {
  // the fragment is the view: this link must not change it
  event.preventDefault();
  document.getElementById("main")?.focus();
}
