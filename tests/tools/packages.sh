#!/bin/bash
# Installs the Debian packages that the real node and the tests need; does nothing when all are there.
# Prometheus and nginx are taken out of their packages into the test bed's own directory: installing them would start services.
# libfaketime is a wrong clock for a single process.
set -euo pipefail
. "$(dirname "$0")/../kube/node/env.sh"

declare -A needs=(   # program or file, and the package that has it
  [runc]=runc [nft]=nftables [jq]=jq [ip]=iproute2 [openssl]=openssl [unshare]=util-linux [flock]=util-linux
  [ps]=procps [gcc]=gcc [strip]=binutils ["$CNI_BIN/bridge"]=containernetworking-plugins
  [/usr/lib/python3/dist-packages/aiosmtpd/smtp.py]=python3-aiosmtpd
  [npm]=npm [chromium]=chromium [/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf]=fonts-dejavu-core
  ["/usr/lib/$(uname -m)-linux-gnu/libc.a"]=libc6-dev [/etc/ssl/certs/ca-certificates.crt]=ca-certificates
)
missing=()
for what in "${!needs[@]}"; do
  command -v "$what" >/dev/null || [ -e "$what" ] || missing+=("${needs[$what]}")
done
prometheus=$(command -v prometheus || true) nginx=$(command -v nginx || true)
faketime=$([ ! -e "$TESTBED_BIN/libfaketime.so.1" ] || echo there)
[ ${#missing[@]} -gt 0 ] || [ -z "$prometheus" ] || [ -z "$nginx" ] || [ -z "$faketime" ] || exit 0

as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
command -v apt-get >/dev/null || {
  echo "missing: ${missing[*]:-} $([ -n "$prometheus" ] || echo prometheus); $([ -n "$nginx" ] || echo nginx) $([ -n "$faketime" ] || echo libfaketime); no apt-get here, so install them by hand" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp); trap 'rm -rf "$log" "${work:-}"' EXIT
quietly() { "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; echo "failed: $*" >&2; exit 1; }; }
quietly "${as_root[@]}" apt-get -o Acquire::Retries=3 update
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  quietly "${as_root[@]}" apt-get -o Acquire::Retries=3 install -y --no-install-recommends "${missing[@]}"
fi
work=$(mktemp -d); mkdir -p "$TESTBED_BIN"
unpacked() { # PACKAGE FILE…
  local package=$1; shift
  echo "fetching $package"
  (cd "$work" && quietly apt-get -o Acquire::Retries=3 -o APT::Sandbox::User=root download "$package")
  dpkg-deb -x "$work/$package"_*.deb "$work/root"
  install -m 755 "${@/#/$work/root/}" "$TESTBED_BIN/"
}
[ -n "$prometheus" ] || unpacked prometheus usr/bin/prometheus usr/bin/promtool
[ -n "$nginx" ] || unpacked nginx usr/sbin/nginx
[ -n "$faketime" ] || unpacked libfaketime "usr/lib/$(uname -m)-linux-gnu/faketime/libfaketime.so.1"
