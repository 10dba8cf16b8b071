# The machines of tests/installed.sh: their disks, the wire between them, how they boot and end. Uses `here`, `base`,
# `suite`, `software`, `keep` and what tests/walk.sh brings.
# shellcheck shell=bash

# A machine's nspawn, and the process that is its systemd.
declare -A nspawn leader

install_needs() {
  local missing=() need
  for need in debootstrap:debootstrap systemd-nspawn:systemd-container mkfs.ext4:e2fsprogs ip:iproute2 nsenter:util-linux gcc:gcc; do
    command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
  done
  ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing+=(faketime)
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  fi
  # One that was made for other software is made anew.
  if [ "$(cat "$base/.whole" 2>/dev/null)" != "$software" ]; then
    rm -rf "$base"
    # The mirror this system uses is the one this system may use.
    debootstrap --variant=minbase --include="$software" "$suite" "$base" "$(mirror)"
    printf '%s' "$software" >"$base/.whole"
  fi
}

mirror() {
  apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -1
}

finish() {
  local name
  for name in ward desk; do halt "$name" || true; done
  ip netns del shirase-ward 2>/dev/null || true
  ip netns del shirase-desk 2>/dev/null || true
  [ "$keep" = yes ] || rm -f "$here"/*.img
}

make_wire() {
  ip netns add shirase-ward
  ip netns add shirase-desk
  ip link add ward0 netns shirase-ward type veth peer name desk0 netns shirase-desk
  ip -n shirase-ward addr add 192.0.2.2/24 dev ward0
  ip -n shirase-desk addr add 192.0.2.1/24 dev desk0
  for name in ward desk; do
    ip -n "shirase-$name" link set lo up
    ip -n "shirase-$name" link set "${name}0" up
  done
}

cut_wire() { ip -n shirase-ward link set ward0 down; }
mend_wire() { ip -n shirase-ward link set ward0 up; }

make_disk() {
  local name=$1
  mkdir -p "$here/$name"
  truncate -s 4G "$here/$name.img"
  mkfs.ext4 -q -F "$here/$name.img"
  mount -o loop "$here/$name.img" "$here/$name"
  cp -a "$base/." "$here/$name/"
  echo "$name" >"$here/$name/etc/hostname"
  printf '127.0.0.1 localhost\n192.0.2.1 desk\n192.0.2.2 ward\n' >"$here/$name/etc/hosts"
  : >"$here/$name/etc/machine-id"
  mkdir -p "$here/$name/root/packages"
  cp "$target/packages"/*.deb "$here/$name/root/packages/"
  cp "$here/hang" "$here/$name/root/hang"
}

boot() {
  local name=$1
  mountpoint -q "$here/$name" || mount -o loop "$here/$name.img" "$here/$name"
  systemd-nspawn --quiet --boot --directory="$here/$name" --machine="shirase-$name" --register=no --keep-unit \
    --network-namespace-path="/run/netns/shirase-$name" --resolv-conf=off --console=passive \
    --capability=all --system-call-filter='fanotify_init fanotify_mark open_by_handle_at' \
    >>"$here/$name.log" 2>&1 &
  nspawn[$name]=$!
  wait_for_boot "$name"
}

# Its systemd is the one child of nspawn's that is process 1 inside; another one is there for a moment before it.
find_leader() {
  local child
  for child in $(pgrep -P "${nspawn[$1]}"); do
    grep -q '^NSpid:.*[[:space:]]1$' "/proc/$child/status" 2>/dev/null && { leader[$1]=$child; return; }
  done
  return 1
}
# `boot_state` is what counts as booted; where something on the machine waits for what is missing, `starting` does too.
boot_state='running|degraded'
# It fails as a command for every state but `running`.
booted() { local state; state=$(on "$1" systemctl is-system-running 2>/dev/null || true); [[ $state =~ ^($boot_state)$ ]]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

wait_for_boot() {
  eventually 20 find_leader "$1"
  eventually 90 booted "$1"
}

# Starts a machine anew, as its administrator would. The same nspawn cannot go on with a network of ours, so that another
# one boots what the first left behind.
reboot_machine() {
  local name=$1 before=${leader[$1]}
  on "$name" systemctl reboot --no-block
  eventually 60 gone "$before"
  let_go "$name"
  boot "$name"
}

# Takes a machine's disk back once nothing runs there.
let_go() {
  local name=$1
  kill -9 "${nspawn[$name]}" 2>/dev/null || true
  eventually 20 gone "${nspawn[$name]}"
  leader[$name]=
  ! mountpoint -q "$here/$name" || eventually 20 umount "$here/$name"
}

# Pulls the plug: nothing inside hears of it.
pull_plug() {
  local name=$1
  kill -9 "${leader[$name]}" 2>/dev/null || true
  eventually 20 gone "${leader[$name]}"
  let_go "$name"
}

halt() {
  local name=$1
  if [ -n "${leader[$name]:-}" ] && kill -0 "${leader[$name]}" 2>/dev/null; then
    on "$name" systemctl poweroff --no-block 2>/dev/null || true
    eventually 60 gone "${leader[$name]}" || kill -9 "${leader[$name]}"
  fi
  [ -z "${nspawn[$name]:-}" ] || let_go "$name"
}

# Runs a command on a machine. It finds what it needs on its own disk.
on() {
  local name=$1
  shift
  nsenter --target "${leader[$name]}" --mount --uts --ipc --net --pid --cgroup --root --wdns=/ \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root TERM=dumb "$@"
}

# The number this system gives to a process of a machine's.
host_pid() {
  local name=$1 inside=$2 status
  for status in /proc/[0-9]*/status; do
    grep -q "^NSpid:.*[[:space:]]$inside\$" "$status" 2>/dev/null || continue
    local pid=${status#/proc/}
    pid=${pid%/status}
    [ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink "/proc/${leader[$name]}/ns/pid")" ] && { echo "$pid"; return; }
  done
  return 1
}

# What one process used so far, as this system counts it: processor time in milliseconds, memory now and at most in KiB.
cpu_ms() { awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / tick) }' "/proc/$1/stat"; }
memory_now() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
memory_most() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
