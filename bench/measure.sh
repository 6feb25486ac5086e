# What bench/whole and bench/nft share: a lab of their own, its flood, and a tracer beside it. Sourced, after these are set:
# nftcluster (the command), prefix (of the lab), long (seconds that the longest run takes); backend (else tracepoint) and patience
# (seconds until a tracer is attached, else 30) where they differ.
# shellcheck shell=bash disable=SC2154

((EUID == 0)) || die "run it as root: it makes namespaces and attaches programs"
for tool in jq taskset ip; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install jq util-linux iproute2"
done
(($(nproc) >= 2)) || die "this machine has one CPU: sender and tracer need one each"

work=$(mktemp -d)
stats_before=$(sysctl -n kernel.bpf_stats_enabled)
running=

# A script's background commands start with SIGINT ignored; these are to be ended by it, as by Ctrl-C.
interruptible='env --default-signal=INT'

finish() {
  trap - EXIT
  [[ -z $running ]] || kill -INT "$running" 2>/dev/null || true
  [[ -z $running ]] || wait "$running" 2>/dev/null || true
  sysctl -qw kernel.bpf_stats_enabled="$stats_before"
  "$nftcluster" lab down line --prefix "$prefix" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

now_ms() { echo $(($(date +%s%N) / 1000000)); }

wait_for() { # file, seconds; by inotify-less polling of a process that we started
  local until=$(($(now_ms) + $2 * 1000))
  until [[ -s $1 ]]; do
    kill -0 "$running" 2>/dev/null || { cat "$work/errors" >&2; die "what was to be measured ended early"; }
    (($(now_ms) < until)) || die "not ready after $2 s"
    sleep 0.02
  done
}

flood() { # seconds → packets/s sent; sender, and with it the whole way of a packet through veth, on CPU 0
  timeout $(($1 + 30)) taskset -c 0 "$nftcluster" lab traffic "$prefix" --kind flood --seconds "$1" --json >"$work/flood.json"
  jq -r '.[0].sent_per_second | floor' "$work/flood.json"
}

start_trace() { # arguments of trace; it runs on CPU 1 and ends by itself should we be killed
  rm -f "$work/ready"
  $interruptible taskset -c 1 "$nftcluster" trace --backend "${backend:-tracepoint}" --summary --duration $((long + ${patience:-30} + 60))s --ready-file "$work/ready" "$@" \
    >"$work/summary" 2>"$work/errors" &
  running=$!
  wait_for "$work/ready" "${patience:-30}"
}

start_empty() {
  rm -f "$work/ready"
  $interruptible taskset -c 1 "$bench" empty "$1" "$work/ready" 2>"$work/errors" &
  running=$!
  wait_for "$work/ready" 30
}

stop() {
  kill -INT "$running"
  wait "$running" || true
  running=
}

# What the summary says: events, and every loss with its stage ("none" when there is none).
events_of() { awk '$1 == "events" { gsub(",", "", $2); print $2 + 0; exit }' "$work/summary"; }
losses_of() {
  awk '/^losses/ { print "none"; found = 1; exit }
       /^LOST/ { on = 1; sub(/^LOST */, "") } on { sub(/^ */, ""); line = line (line == "" ? "" : "; ") $0 }
       END { if (!found) print line == "" ? "?" : line }' "$work/summary" | tr -d '\n'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : 0 }'; }
rate_of() { cut -f1 "$work/case.$1" | median; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }
