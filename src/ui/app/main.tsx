import { render } from "preact";
import { get } from "./api/client";
import { follow } from "./api/live";
import type { System } from "./api/types";
import { startKeys } from "./keys";
import { applyTheme, identity } from "./prefs";
import { startRouter } from "./router";
import { Shell } from "./shell";
import { startClock } from "./time";

applyTheme();
startRouter();
startKeys();
startClock();
follow();
// without an answer the user says who they are
get<System>("system").then(
  ({ user }) => (identity.value = user ?? ""),
  () => undefined,
);

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<Shell />, root);
}
