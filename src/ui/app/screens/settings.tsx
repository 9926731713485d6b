import { creator, expandAll, theme, zone, type Theme, type Zone } from "../prefs";

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
    </section>
  );
}
