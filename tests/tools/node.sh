#!/bin/bash
# Prints the directory of a Node.js that is new enough for the tools of the page: the machine's, or one from the registry.
set -euo pipefail
. "$(dirname "$0")/../kube/node/env.sh"
wanted=20
new_enough() { [ "$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge $wanted ]; }
if node=$(command -v node) && new_enough "$node"; then dirname "$node"; exit 0; fi
tools=$TESTBED_CACHE/tools/node
kept=$tools/node_modules/node-linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
if ! new_enough "$kept/bin/node"; then
  mkdir -p "$tools"
  npm install --prefix "$tools" --no-audit --no-fund --silent "$(basename "$kept")@22" >&2
fi
echo "$kept/bin"
