#!/usr/bin/env bash
# The packages as a hospital has them: two machines that boot, a collector and a server with an agent, on a wire of their
# own. Installs, enrols, stops services, renames files through Samba, upgrades, reboots, removes; each time the collector
# has to tell the right story.
#
#   tests/installed.sh            packs what target/debug holds (built first) and walks; prints a table
#   tests/installed.sh --keep     leaves both machines' disks below target/installed
#
# Root, and the Debian packages debootstrap, systemd-container, e2fsprogs, iproute2, which it installs. Each machine lies on
# its own loop-mounted disk, so that a mark on its file system does not see this one's files.
set -euo pipefail
cd "$(dirname "$0")/.."

keep=no
for argument in "$@"; do
  case "$argument" in
    --keep) keep=yes ;;
    *) echo "tests/installed.sh: unknown argument \`$argument\`; it takes --keep or nothing" >&2; exit 2 ;;
  esac
done
[ "$(id -u)" -eq 0 ] || { echo "tests/installed.sh: boots machines; run it as root" >&2; exit 1; }

target=${CARGO_TARGET_DIR:-$PWD/target}
here=$target/installed
base=$here/base
suite=bookworm
# What stands on the machines besides Debian: what the story stops, and what it renames through.
software=systemd,systemd-sysv,dbus,adduser,ca-certificates,curl,procps,iproute2,nginx-light,samba,smbclient,postgresql,fonts-morisawa-bizud-gothic
mkdir -p "$here"
: >"$here/results.tsv"

. tests/walk.sh

install_needs() {
  local missing=() need
  for need in debootstrap:debootstrap systemd-nspawn:systemd-container mkfs.ext4:e2fsprogs ip:iproute2 nsenter:util-linux; do
    command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  fi
  if [ ! -e "$base/.whole" ]; then
    rm -rf "$base"
    # The mirror this system uses is the one this system may use.
    debootstrap --variant=minbase --include="$software" "$suite" "$base" "$(mirror)"
    touch "$base/.whole"
  fi
}

mirror() {
  apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -1
}

# A machine: its disk, its network namespace, and the process that is its systemd.
declare -A leader
finish() {
  local name
  for name in ward desk; do halt "$name" || true; done
  ip netns del shirase-ward 2>/dev/null || true
  ip netns del shirase-desk 2>/dev/null || true
  [ "$keep" = yes ] || rm -f "$here"/*.img
}
trap finish EXIT

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
}

boot() {
  local name=$1
  mountpoint -q "$here/$name" || mount -o loop "$here/$name.img" "$here/$name"
  systemd-nspawn --quiet --boot --directory="$here/$name" --machine="shirase-$name" --register=no --keep-unit \
    --network-namespace-path="/run/netns/shirase-$name" --resolv-conf=off --console=passive \
    --capability=all --system-call-filter='fanotify_init fanotify_mark open_by_handle_at' \
    >"$here/$name.log" 2>&1 &
  local nspawn=$!
  # Its systemd is the one child of nspawn's that is process 1 inside.
  find_leader() { leader[$name]=$(pgrep -P "$nspawn" | head -1) && [ -n "${leader[$name]}" ]; }
  eventually 20 find_leader
  eventually 90 booted "$name"
}

booted() { on "$1" systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }

halt() {
  local name=$1
  if [ -n "${leader[$name]:-}" ] && kill -0 "${leader[$name]}" 2>/dev/null; then
    on "$name" systemctl poweroff --no-block 2>/dev/null || true
    gone() { ! kill -0 "${leader[$name]}" 2>/dev/null; }
    eventually 60 gone || kill -9 "${leader[$name]}"
  fi
  leader[$name]=
  mountpoint -q "$here/$name" && eventually 20 umount "$here/$name"
}

# Runs a command on a machine. It finds what it needs on its own disk.
on() {
  local name=$1
  shift
  nsenter --target "${leader[$name]}" --mount --uts --ipc --net --pid --cgroup --root --wd=/ \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root TERM=dumb "$@"
}

collector() { on desk shirase-collector "$@"; }

# What the collector knows of an incident's reasons, as JSON.
story() { collector incident show handa "$1" --json; }
incidents() { collector incident list --facility handa --json; }
hosts() { collector host list --facility handa --json; }

build_packages() {
  rm -rf "$target/packages"
  cargo build --workspace --locked --bins
  deploy/package.sh --built dev
  # The same program once more under a later number, for the upgrade.
  deploy/package.sh --built dev --version 0.1.0-2
}

# The fingerprint of the authority's certificate is told by the collector's log; people compare it by eye.
fingerprint() { on desk journalctl -u shirase-collector -o cat | grep -oE 'fingerprint is [0-9a-f:]+' | tail -1 | cut -d' ' -f3; }

install_collector() {
  on desk dpkg -i /root/packages/shirase-collector_0.1.0-1_amd64.deb &&
    on desk sed -i 's/^public_names = .*/public_names = ["desk", "192.0.2.1"]/' /etc/shirase/collector.toml &&
    collector check &&
    on desk systemctl restart shirase-collector &&
    says '^active$' on desk systemctl is-active shirase-collector &&
    collector facility add handa --name 半田 >/dev/null &&
    # Root's command leaves nothing in the data directory that the service could not open.
    ! on desk find /var/lib/shirase-collector ! -user shirase-collector | grep .
}

install_agent() {
  on ward dpkg -i /root/packages/shirase-agent_0.1.0-1_amd64.deb &&
    # Nothing to do before enrolment, and no failure either.
    says '^inactive$' on ward sh -c 'systemctl is-active shirase-agent || true' &&
    collector token issue handa --bare |
    on ward shirase-agent enroll --collector https://desk:8445 --ca-fingerprint "$(fingerprint)" --token-file - \
      --root /srv/share &&
    on ward sh -c 'printf "\n[[sensors.services]]\nname = \"nginx.service\"\ngrace_secs = 5\n\n[[sensors.services]]\nname = \"postgresql@15-main.service\"\ngrace_secs = 5\n" >>/etc/shirase/agent.toml' &&
    on ward shirase-agent check &&
    on ward systemctl start shirase-agent &&
    says 'fanotify' on ward shirase-agent status &&
    eventually 60 says '"last_heartbeat": "2' hosts
}

serve_share() {
  on ward sh -c 'printf "[share]\npath = /srv/share\nguest ok = yes\nread only = no\nforce user = root\n" >>/etc/samba/smb.conf' &&
    on ward systemctl restart smbd &&
    # Before there is an agent: what an agent saw being made is new for a minute, and work on it is no attack.
    on ward sh -c 'for year in 2026 2027; do mkdir -p /srv/share/$year; for n in $(seq 60); do printf "%%PDF-1.7 chart %s\n" "$n" >/srv/share/$year/$n.pdf; done; done'
}

# As a clerk's infected PC would: over the share, from another machine.
encrypt_over_samba() {
  local commands= number
  for number in $(seq 60); do commands+="rename 2026/$number.pdf 2026/$number.pdf.locked;"; done
  on desk smbclient //192.0.2.2/share -N -c "$commands" >"$here/smbclient.txt" 2>&1 || tail -n 3 "$here/smbclient.txt"
  on ward sh -c 'ls /srv/share/2026 | grep -c locked'
  told() { story 1 2>/dev/null | grep -q mass_change; }
  eventually 60 told || { incidents; on ward shirase-agent status; return 1; }
}

stop_services() {
  on ward systemctl stop nginx postgresql@15-main
  told() { story 1 2>/dev/null | grep -q nginx.service && story 1 | grep -q postgresql; }
  eventually 90 told
}

# The wire is cut, something happens, the agent is upgraded, the wire is mended: it is told once.
upgrade_with_events_in_the_buffer() {
  local host
  host=$(hosts | grep -oE '"id": *"[^"]+"' | head -1)
  ip -n shirase-ward link set ward0 down
  on ward systemctl start nginx
  on ward sh -c 'for f in /srv/share/2027/*.pdf; do mv "$f" "$f.crypted"; done'
  kept() { on ward shirase-agent status | grep -qE 'buffer.*[1-9]'; }
  eventually 30 kept
  on ward dpkg -i /root/packages/shirase-agent_0.1.0-2_amd64.deb &&
    says '^active$' on ward systemctl is-active shirase-agent || return 1
  ip -n shirase-ward link set ward0 up
  told() { story 1 2>/dev/null | grep -q crypted; }
  eventually 90 told && [ "$host" = "$(hosts | grep -oE '"id": *"[^"]+"' | head -1)" ]
}

reboot_ward() {
  halt ward && boot ward && eventually 60 says '^active$' on ward systemctl is-active shirase-agent
}

back_up_and_restore() {
  local backup
  backup=$(collector backup /var/backups/shirase-collector | head -1) &&
    on desk systemctl stop shirase-collector &&
    ! collector restore "$backup" 2>/dev/null &&
    collector restore "$backup" --replace &&
    on desk systemctl start shirase-collector &&
    collector audit verify &&
    incidents | grep -q .
}

remove_and_reinstall() {
  local before
  before=$(on ward sha256sum /var/lib/shirase-agent/identity.json 2>/dev/null || on ward ls /var/lib/shirase-agent)
  on ward dpkg -r shirase-agent &&
    ! on ward systemctl is-active shirase-agent &&
    on ward test -d /var/lib/shirase-agent/buffer &&
    on ward dpkg -i /root/packages/shirase-agent_0.1.0-2_amd64.deb &&
    eventually 30 says '^active$' on ward systemctl is-active shirase-agent &&
    on ward dpkg -P shirase-agent &&
    on ward test -d /var/lib/shirase-agent/buffer &&
    ! on ward test -e /etc/shirase/agent.toml
}

# Written down, not judged: what the service may do and what it costs.
measure() {
  on desk systemd-analyze security --no-pager shirase-collector | tail -1 | tee "$here/security.txt"
  on ward systemd-analyze security --no-pager shirase-agent | tail -1 | tee -a "$here/security.txt"
  on ward systemctl show shirase-agent -p MemoryCurrent -p MemoryPeak -p CPUUsageNSec | tee "$here/cost.txt"
  ls -l "$target/packages" | tee "$here/sizes.txt"
}

note "what the walk needs"
install_needs
note "packages"
build_packages
note "two machines"
make_wire
make_disk desk
make_disk ward
boot desk
boot ward
step "the collector is installed and set up" install_collector
step "files are served through Samba" serve_share
step "an agent is installed and enrolled" install_agent
step "files are renamed through Samba" encrypt_over_samba
step "services are stopped" stop_services
step "an upgrade with events in the buffer" upgrade_with_events_in_the_buffer
step "the server reboots" reboot_ward
step "backup and restore" back_up_and_restore
step "what it costs" measure
step "removal and reinstallation" remove_and_reinstall

note "results"
column -t -s $'\t' "$here/results.tsv"
exit $((failures > 0))
