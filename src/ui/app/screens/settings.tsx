import { useState } from "preact/hooks";
import { copy, say } from "../parts/basics";
import { creator, expandAll, exported, imported, severities, theme, weekStart, zone, type Theme, type WeekStart, type Zone } from "../prefs";

export function SettingsScreen() {
  return (
    <section class="page settings">
      <h1>Settings</h1>
      <p class="faint">Kept by this browser.</p>
      <label>
        Theme
        <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          <option value="auto">as the system</option>
          <option value="light">light</option>
          <option value="dark">dark</option>
        </select>
      </label>
      <label>
        Times
        <select value={zone.value} onChange={(event) => (zone.value = event.currentTarget.value as Zone)}>
          <option value="utc">UTC</option>
          <option value="local">local</option>
        </select>
      </label>
      <label>
        Weeks begin on
        <select value={weekStart.value} onChange={(event) => (weekStart.value = event.currentTarget.value as WeekStart)}>
          <option value="">the day that they do here</option>
          <option>Monday</option>
          <option>Sunday</option>
          <option>Saturday</option>
        </select>
      </label>
      <label>
        Severities, the worst first
        <input
          type="text"
          placeholder="critical, warning, info"
          spellcheck={false}
          value={severities.value}
          onChange={(event) => (severities.value = event.currentTarget.value.trim())}
        />
      </label>
      <label>
        Silences are made by
        <input type="text" value={creator.value} onInput={(event) => (creator.value = event.currentTarget.value)} />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={expandAll.value === "true"}
          onChange={(event) => (expandAll.value = String(event.currentTarget.checked))}
        />
        Open all groups at once
      </label>
      <Carry />
    </section>
  );
}

/** Settings, saved views and templates of silences as text, for another browser or a colleague. */
function Carry() {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const take = () => {
    const wrong = imported(text);
    setProblem(wrong);
    if (wrong === null) {
      setText("");
      say("settings taken over");
    }
  };
  return (
    <details>
      <summary>Take them to another browser</summary>
      <p>
        <button type="button" onClick={() => copy(exported())}>
          Copy settings
        </button>
      </p>
      <label>
        Settings from elsewhere
        <textarea rows={4} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="button" disabled={text.trim() === ""} onClick={take}>
        Take over
      </button>
    </details>
  );
}
