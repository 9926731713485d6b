#!/bin/bash
# Tests of the page: that its bundle is what its sources give, and what people do with it, in a real browser.
# Arguments go to Playwright: tests/ui/run.sh screens --update-snapshots=all
set -euo pipefail
cd "$(dirname "$0")"
PATH=$(../tools/node.sh):$PATH
export PATH PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
quiet=(--no-audit --no-fund --silent)
# what the lock file asks for is there already, as a rule
for place in ../../src/ui/app .; do
  cmp -s "$place/package-lock.json" "$place/node_modules/.lock" && continue
  (cd "$place" && npm ci "${quiet[@]}" && cp package-lock.json node_modules/.lock)
done
npx tsc --noEmit
(
  cd ../../src/ui/app
  npx tsc --noEmit
  npm test --silent
  fresh=$(mktemp -d); trap 'rm -rf "$fresh"' EXIT
  node build.mjs --out="$fresh"
  diff -rq "$fresh" ../dist || { echo "src/ui/dist is stale: run \`make ui\`" >&2; exit 1; }
)
npx playwright test "$@"
