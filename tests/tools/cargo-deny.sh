#!/bin/bash
# Prints the path of cargo-deny, which it builds first when the cache lacks the pinned version.
# Unoptimised on purpose: it reads one lock file, and builds in a third of the time.
set -euo pipefail
version=0.20.2
. "$(dirname "$0")/../kube/node/env.sh"
tools=$TESTBED_CACHE/tools
if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --root "$tools" "cargo-deny@$version" >&2
fi
echo "$tools/bin/cargo-deny"
