#!/bin/bash
# with-node.sh CMD…: runs CMD with the real node up and our image in it, and shows the logs when CMD fails.
# A node that was up before stays up; one that was not is taken down again, whatever happens.
#   IMAGE=path       the archive to load (default target/image/alertmanager-operator.tar)
#   LOGS_TO=folder   where the node's logs go on failure (default target/kube-logs)
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/node/env.sh"
root=$(cd "$here/../.." && pwd)
image=${IMAGE:-$root/target/image/alertmanager-operator.tar}
logs=${LOGS_TO:-$root/target/kube-logs}
export KUBECONFIG=$KUBECONFIG_OUT
[ -s "$image" ] || { echo "no image at $image: run \`make image\`" >&2; exit 1; }

evidence() {
  rm -rf "$logs"; mkdir -p "$logs"; cp -r "$RUN/log/." "$logs/" 2>/dev/null
  echo "---- what the cluster looked like; all logs are in $logs"
  timeout 20 kubectl get pods,statefulsets,amc -A -o wide
  timeout 20 kubectl get amc -A -o yaml
  timeout 20 kubectl get events -A --sort-by=.lastTimestamp | tail -40
  local namespace pod
  timeout 20 kubectl get pods -A --no-headers | grep -v ^kube-system | while read -r namespace pod _; do
    for previous in "" --previous; do
      timeout 20 kubectl logs -n "$namespace" "$pod" --all-containers $previous >"$logs/$pod$previous.log" 2>/dev/null && [ -s "$logs/$pod$previous.log" ] &&
        { echo "---- logs of $namespace/$pod $previous (its end)"; tail -40 "$logs/$pod$previous.log"; }
    done
  done
  echo "---- the node's own (ends)"
  tail -n 8 "$RUN"/log/init.log "$RUN"/log/kubelet.log "$RUN"/log/containerd.log
}

ours=
if [ -s "$RUN/init.pid" ] && kill -0 "$(cat "$RUN/init.pid")" 2>/dev/null; then
  echo "the node is up already: it stays up afterwards"
else
  trap 'rc=$?; trap - EXIT; KEEP="" LOGS_TO="" "$here/node/down.sh"; exit $rc' EXIT
  trap 'exit 130' INT TERM HUP
  ours=1
  "$here/node/down.sh" >/dev/null 2>&1        # what a killed run left behind
  "$here/node/up.sh" || { evidence >&2; exit 1; }
fi
"$here/node/load.sh" "$image" >/dev/null 2>"$RUN/log/load.log" || { cat "$RUN/log/load.log" >&2; exit 1; }
"$@"; rc=$?
[ $rc = 0 ] || evidence >&2
exit $rc
