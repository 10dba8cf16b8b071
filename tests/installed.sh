#!/usr/bin/env bash
# The packages as a hospital has them: two machines that boot, a collector and a server with an agent, on a wire of their
# own. Installs, enrols, renames files through Samba, stops services, upgrades, reboots, kills, switches off, damages,
# removes; each time the collector has to tell the right story.
#
#   tests/installed.sh                 packs what target/debug holds (built first) and walks; prints a table
#   tests/installed.sh --release       walks with what deploy/package.sh builds and packs: static programs, as a hospital has them
#   tests/installed.sh --quiet MINUTES how long the agent is left alone before its cost is read; 1 if left out
#   tests/installed.sh --keep          leaves both machines' disks below target/installed
# What a step did, command by command, stands in target/installed/trace.log.
#
# Root, and the Debian packages debootstrap, systemd-container, e2fsprogs, iproute2, which it installs. Each machine lies on
# its own loop-mounted disk, so that a mark on its file system does not see this one's files.
set -euo pipefail
cd "$(dirname "$0")/.."

keep=no quiet_minutes=1 profile=dev
while [ $# -gt 0 ]; do
  case "$1" in
    --keep) keep=yes; shift ;;
    --release) profile=release; shift ;;
    --quiet) quiet_minutes=${2:?--quiet takes minutes}; shift 2 ;;
    *) echo "tests/installed.sh: unknown argument \`$1\`; it takes --keep, --release and --quiet MINUTES" >&2; exit 2 ;;
  esac
done
[ "$(id -u)" -eq 0 ] || { echo "tests/installed.sh: boots machines; run it as root" >&2; exit 1; }

target=${CARGO_TARGET_DIR:-$PWD/target}
here=$target/installed
base=$here/base
suite=bookworm
version=0.1.0-1 next=0.1.0-2
# What stands on the machines besides Debian: what the story stops, and what it renames through. What Orthanc needs under
# another name, debootstrap does not find by itself.
software=systemd,systemd-sysv,dbus,adduser,ca-certificates,curl,procps,iproute2,nginx-light,samba,smbclient,postgresql,orthanc,libboost-regex1.74.0,fonts-morisawa-bizud-gothic
mkdir -p "$here"
rm -f "$here"/*.txt "$here"/*.log
: >"$here/results.tsv"

. tests/walk.sh
. tests/installed/machines.sh
. tests/installed/steps.sh
. tests/installed/faults.sh
trap finish EXIT
# Every command with its second, so that a step that failed shows where.
exec {trace}>"$here/trace.log"
BASH_XTRACEFD=$trace PS4='+ ${SECONDS}s '
set -x

build_packages() {
  rm -rf "$target/packages"
  local how=()
  # In both cases: one step needs an agent whose clock can be set.
  cargo build --workspace --locked --bins
  [ "$profile" = release ] || how=(--built "$profile")
  deploy/package.sh "${how[@]}"
  # The same program once more under a later number, for the upgrade.
  deploy/package.sh "${how[@]}" --only agent --version "$next"
}

note "what the walk needs"
install_needs
note "packages"
build_packages
gcc -static -O2 -o "$here/hang" tests/installed/hang.c
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
step "services are stopped, one by one" stop_services
step "an upgrade with events in the buffer" upgrade_with_events_in_the_buffer
step "an interrupted upgrade, a downgrade" interrupted_upgrade_and_downgrade
step "the server reboots" reboot_ward
step "the agent is killed" kill_agent
step "the agent is stopped" stop_agent
step "the server is switched off in maintenance" switch_off_in_maintenance
step "the server loses power" lose_power
step "no network at boot" no_network_at_boot
step "collector unknown at boot" collector_unknown_at_boot
step "the clock is years behind at boot" wrong_clock_at_boot
step "damaged configuration" damaged_configuration
step "settings of a newer version" settings_of_a_newer_version
step "damaged buffer" damaged_buffer
step "disk full at boot" disk_full_at_boot
step "a root that may not be read" closed_root
step "a network mount that hangs" hanging_mount
step "backup and restore" back_up_and_restore
step "the console behind nginx" console_behind_nginx
step "the console with the hospital's certificate" console_with_own_certificate
step "what it costs" measure
step "the agent is removed" remove_agent
step "the agent is installed again" reinstall_agent
step "the agent is purged" purge_agent
step "the collector is purged" purge_collector

note "results"
column -t -s $'\t' "$here/results.tsv"
exit $((failures > 0))
