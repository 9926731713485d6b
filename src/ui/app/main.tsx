import { render } from "preact";
import { follow } from "./api/live";
import { startKeys } from "./keys";
import { applyTheme } from "./prefs";
import { startRouter } from "./router";
import { Shell } from "./shell";
import { startClock } from "./time";

applyTheme();
startRouter();
startKeys();
startClock();
follow();

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<Shell />, root);
}
