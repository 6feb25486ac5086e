#!/bin/bash
# shellcheck disable=SC2154   # root, name, work, nftcluster and tests are ./guest's
# The checks of ./guest: each prints one line and returns 0 where it holds; details go to standard error.

# The suite's own truth test, in its short form.
check_truth() {
  local backend=$1 code=0
  NFTCLUSTER_TEST_BACKEND=$backend NFTCLUSTER_TEST_SHORT=1 timeout 900 "$tests" -noColor \
    -method '*LineTruthTests.Every_packet_of_UDP_and_TCP*' -method '*LineTruthTests.Every_drop_has_its_reason' >"$work/truth" 2>&1 || code=$?
  cat "$work/truth" >&2
  local total skipped
  total=$(sed -n -E 's/.*Total: ([0-9]+),.*/\1/p' "$work/truth" | tail -n 1)
  skipped=$(sed -n -E 's/.*Skipped: ([0-9]+),.*/\1/p' "$work/truth" | tail -n 1)
  printf '%s: UDP packets, TCP connections and drops agree with tcpdump in both routers, IPv4 and IPv6 (%s tests)' "$backend" "${total:-no}"
  ((code == 0 && ${total:-0} > 0 && ${skipped:-0} == 0))
}

# The suite's own truth tests of nft's verdicts: a ruleset of filters; with :all NAT, bridge, netdev, ARP, too.
check_nft() {
  local backend=${1%:all} code=0 tests_of=(-method '*NftTruthTests.Filtering*')
  [[ $1 != *:all ]] || tests_of=(-class '*NftTruthTests' -class '*NftOtherFamiliesTruthTests')
  NFTCLUSTER_TEST_BACKEND=$backend NFTCLUSTER_TEST_SHORT=1 timeout 1500 "$tests" -noColor "${tests_of[@]}" >"$work/nft" 2>&1 || code=$?
  cat "$work/nft" >&2
  local total skipped
  total=$(sed -n -E 's/.*Total: ([0-9]+),.*/\1/p' "$work/nft" | tail -n 1)
  skipped=$(sed -n -E 's/.*Skipped: ([0-9]+),.*/\1/p' "$work/nft" | tail -n 1)
  printf '%s: every verdict of nft as written by hand and as nft monitor trace tells it (%s tests)' "$backend" "${total:-no}"
  ((code == 0 && ${total:-0} > 0 && ${skipped:-0} == 0))
}

# What verdicts cost beside `nft monitor trace`, same flood: a measurement, which judges nothing (docs/performance.md does). On an emulated machine an instruction costs what it costs nowhere else.
check_cost() {
  local backend=$1 case more=()
  NFTCLUSTER=$nftcluster "$root/bench/nft" --rounds 2 --seconds 8 --backend "$backend" >"$work/cost" || return 1
  cat "$work/cost" >&2
  for case in nft verdicts monitor; do more+=("$(awk -F' *[|] *' -v c="$case" '$2 == c { print $5 }' "$work/cost")"); done
  printf '%s: a packet costs %s µs more with --mode nft, %s with verdicts alone, %s with nft monitor trace' "$backend" "${more[@]}"
}

# A router between two VLANs, as the suite tests it; this kernel has 8021q.
check_vlan() {
  local backend=$1 code=0
  [[ $backend != vlan ]] || backend=auto
  modprobe 8021q || return 1
  NFTCLUSTER_TEST_BACKEND=$backend NFTCLUSTER_TEST_SHORT=1 timeout 600 "$tests" -noColor -class '*VlanTruthTests' >"$work/vlan" 2>&1 || code=$?
  cat "$work/vlan" >&2
  printf '%s: packets from VLAN to VLAN keep one trace each, which names both and agrees with tcpdump' "$backend"
  ((code == 0)) && grep -qE 'Total: 1,.* Skipped: 0,' "$work/vlan"
}

# Journeys through tunnels that the machine's own kernel may lack; 20 packets/s.
check_tunnels() {
  local code=0
  modprobe -a ip_gre ipip wireguard || return 1
  NFTCLUSTER_JOURNEYS_RATE=20 timeout 1500 "$tests" -noColor -showLiveOutput -method '*FleetJourneyTests.Inside_a_tunnel*' -method '*FleetJourneyTests.Through_WireGuard*' >"$work/tunnels" 2>&1 || code=$?
  cat "$work/tunnels" >&2
  printf 'through GRE, IPIP and WireGuard every packet is one journey, joined by the packet around it: %s' "$(sed -n -E 's/.*\[OUTPUT\] ([^;]*);.*/\1/p' "$work/tunnels" | paste -sd ';')"
  ((code == 0)) && grep -qE 'Total: 3,.* Skipped: 0,' "$work/tunnels"
}

# Starts a tracer and waits until everything is attached: start_trace NETNS NAME OPTIONS…
start_trace() {
  local netns=$1 id=$2
  shift 2
  rm -f "$work/$id.ready"
  "$nftcluster" trace --netns "$netns" --name "$id" --all --summary --export "$work" --ready-file "$work/$id.ready" "$@" >"$work/$id.out" 2>"$work/$id.err" &
  tracers+=($!)
  for ((i = 0; i < 240; i++)); do
    [[ ! -e $work/$id.ready ]] || return 0
    kill -0 "${tracers[-1]}" 2>/dev/null || break
    sleep 1
  done
  cat "$work/$id.err" >&2
  return 1
}

stop_traces() {
  sleep 8   # longer than the time-out of a trace, so that each is complete
  kill -TERM "${tracers[@]}" 2>/dev/null   # not INT: a background job of a script is born ignoring it
  wait "${tracers[@]}"
  tracers=()
}

# How many packets of a list of times of day (12:59:59.123456789, one a line) came per second.
per_second() { sort | awk -F: '{ t = $1 * 3600 + $2 * 60 + $3; if (NR == 1) first = t } END { print NR < 2 || t <= first ? 0 : int((NR - 1) / (t - first) + 0.5) }'; }

# Skipped where all was captured, but at less than the rate: an emulated machine beside other work. 5 % for its pace.
check_rate() {
  local backend=$1 packets=5000 rate=500 router traced lost events reached good=1 slow= said words=
  "$nftcluster" lab up line >&2 || return 1
  tracers=()
  for router in r1 r2; do
    start_trace "line-$router" "$router" --backend "$backend" || good=0
  done
  said=$("$nftcluster" lab traffic line --kind udp --count "$packets" --rate "$rate" --seconds 120 2>&1) || good=0
  printf '%s\n' "$said" >&2
  stop_traces || good=0
  for router in r1 r2; do
    traced=$(jq '[.traces[] | select(.protocol_name == "UDP" and .in.dst_ip == "10.3.0.2" and .final_verdict == "forwarded")] | length' "$work"/trace_full_"$router"_*.json)
    lost=$(jq -c '[.statistics.losses[] | select(.count > 0) | "\(.stage) \(.count)"]' "$work"/trace_full_"$router"_*.json)
    events=$(jq '.statistics.total_events' "$work"/trace_full_"$router"_*.json)
    reached=$(jq -r '.traces[] | select(.protocol_name == "UDP" and .in.dst_ip == "10.3.0.2") | .first_seen[11:29]' "$work"/trace_full_"$router"_*.json | per_second)
    words+="; $router: $traced of $packets at $reached/s, $events events, losses $lost"
    ((reached >= rate * 95 / 100)) || slow='skip: this machine is too slow for the rate; all the same, '
    [[ $traced == "$packets" && $lost == '[]' ]] || good=0
    tail -n 15 "$work/$router.err" >&2
  done
  rm -f "$work"/trace_full_*
  "$nftcluster" lab down line >&2
  ((good)) || slow=
  printf '%s%s: %s UDP packets, %s/s wanted, through two routers, whole catalog (%s)%s' "$slow" "$backend" "$packets" "$rate" "${said##*: }" "$words"
  ((good))
}

# A connection in a flow table passes no hook: the session names the table, with its devices, as not visible.
check_flowtable() {
  local good=1 ways
  modprobe -a nf_flow_table nf_flow_table_inet nft_flow_offload || return 1
  "$nftcluster" lab up line >&2 || return 1
  ip netns exec line-r1 nft 'table inet fast { flowtable ft { hook ingress priority 0; devices = { eth0, eth1 }; }; chain forward { type filter hook forward priority 0; ct state established flow add @ft; }; }' || good=0
  tracers=()
  start_trace line-r1 flow --mode nft || good=0
  stop_traces || good=0
  ways=$(jq -r '.session.not_visible | join("; ")' "$work"/trace_*_flow_*.json)
  tail -n 15 "$work/flow.err" >&2
  "$nftcluster" lab down line >&2
  printf 'what no probe sees is said: %s' "$ways"
  ((good)) && [[ $ways == 'connections in flow table inet fast ft on eth0, eth1' ]] && grep -qF "$ways" "$work/flow.err"
}

# Two virtio NICs on one hub, one in each of two namespaces; the second is traced.
check_virtio() {
  modprobe virtio_net
  local a b good=1 i
  read -r a b < <(for d in /sys/class/net/*; do [[ $(readlink "$d/device/driver" 2>/dev/null) != */virtio_net ]] || basename "$d"; done | xargs)
  [[ -n ${b:-} ]] || { printf 'virtio: this machine has no two NICs'; return 1; }
  ip netns add vclient && ip netns add vserver
  ip link set "$a" netns vclient && ip link set "$b" netns vserver
  ip -n vclient addr add 10.9.0.1/24 dev "$a" && ip -n vserver addr add 10.9.0.2/24 dev "$b"
  ip -n vclient link set "$a" up && ip -n vserver link set "$b" up && ip -n vserver link set lo up
  ip netns exec vserver ethtool -K "$b" gro off >&2   # tcpdump listens behind GRO: with it, it sees fewer packets
  tracers=()
  start_trace vserver virtio || good=0
  ip netns exec vserver tcpdump -U -nn -i "$b" -Q in -w "$work/virtio.pcap" 'ip and (udp or tcp)' >/dev/null 2>"$work/tcpdump" &
  local capture=$!
  ip netns exec vserver busybox httpd -f -p 7777 -h "$work" &   # a port whose protocol tcpdump does not know: two lines a packet
  local server=$!
  for ((i = 0; i < 60; i++)); do ! grep -q listening "$work/tcpdump" || break; sleep 0.5; done
  # shellcheck disable=SC2016   # for the inner shell
  ip netns exec vclient bash -c 'for ((i = 0; i < 100; i++)); do echo "packet $i" >/dev/udp/10.9.0.2/$((6000 + i)); sleep 0.01; done'
  # Not by busybox wget: the static one dies while it looks for names.
  for ((i = 0; i < 20; i++)); do
    ip netns exec vclient timeout 20 bash -c 'exec 3<>/dev/tcp/10.9.0.2/7777 && printf "GET /virtio.out HTTP/1.0\r\n\r\n" >&3 && cat <&3 >/dev/null' || good=0
  done
  stop_traces || good=0
  kill "$capture" "$server"
  wait "$capture" "$server"
  # One line a packet: TTL, id, protocol, tuple.
  tcpdump -nnv -r "$work/virtio.pcap" 2>/dev/null |
    sed -n -E 'N; s/^.*ttl ([0-9]+), id ([0-9]+),.*proto (UDP|TCP).*\n +([0-9.]+)\.([0-9]+) > ([0-9.]+)\.([0-9]+):.*/\1 \2 \3 \4 \5 \6 \7/p' | sort >"$work/seen"
  jq -r --arg dev "$b" '.traces[] | select(.in.device == $dev and (.protocol_name == "UDP" or .protocol_name == "TCP")) |
    "\(.in.ttl) \(.in.ip_id) \(.protocol_name) \(.in.src_ip) \(.in.src_port) \(.in.dst_ip) \(.in.dst_port)"' "$work"/trace_full_virtio_*.json | sort >"$work/traced"
  diff "$work/seen" "$work/traced" >&2 || good=0
  jq -c '[.statistics.losses[] | select(.count > 0)]' "$work"/trace_full_virtio_*.json >&2
  local first
  first=$(jq -r '[.traces[] | select(.protocol_name == "UDP") | .events[0].func_name] | unique | join(" ")' "$work"/trace_full_virtio_*.json)
  ip netns del vclient; ip netns del vserver
  printf 'virtio_net: %d packets (%d UDP) as tcpdump saw them, first probe %s' "$(wc -l <"$work/seen")" "$(grep -c UDP "$work/seen")" "$first"
  ((good)) && [[ $(grep -c UDP "$work/seen") == 100 && $(awk '$3 == "TCP" { print $5 }' "$work/seen" | sort -u | wc -l) == 20 ]]
}
