# What can be wrong on a server when its agent starts: the service comes up all the same, goes on, and says so.
# shellcheck shell=bash

state=/var/lib/shirase-agent

# No network at boot. What happens meanwhile is kept and told once the wire is there.
no_network_at_boot() {
  cut_wire
  boot_state='starting|running|degraded' reboot_machine ward && eventually 60 runs &&
    on ward systemctl stop nginx && eventually 30 says 'buffer +[1-9][0-9]* waiting' agent status || { mend_wire; return 1; }
  local before
  before=$(count_of 'nginx')
  mend_wire
  more_than() { [ "$(count_of 'nginx')" -gt "$1" ]; }
  heard_again 90 && eventually 60 more_than "$before" && on ward systemctl start nginx
}

# Nobody knows the collector's name.
collector_unknown_at_boot() {
  on ward sed -i 's/ desk$/ nobody/' /etc/hosts &&
    reboot_machine ward && eventually 30 runs && says 'collector' agent status || return 1
  on ward sed -i 's/ nobody$/ desk/' /etc/hosts && heard_again 120
}

# The clock is years behind at boot and is put right later, as where a battery is empty and time comes over the network.
# It delivers all the same, says by how much it differs, and tells when the clock moves. What is shipped is static and takes
# its time from nobody but the kernel, which all machines here share: this step runs the same agent, linked to the system.
wrong_clock_at_boot() {
  local drop_in=/etc/systemd/system/shirase-agent.service.d
  on ward mkdir -p /srv/clock "$drop_in" &&
    cp /usr/lib/*/faketime/libfaketimeMT.so.1 "$here/ward/srv/clock/" &&
    strip -o "$here/ward/srv/clock/shirase-agent" "$target/debug/shirase-agent" && echo -1000d >"$here/ward/srv/clock/offset" &&
    printf '[Service]\nExecStart=\nExecStart=/srv/clock/shirase-agent run\nEnvironment=LD_PRELOAD=/srv/clock/libfaketimeMT.so.1 FAKETIME_TIMESTAMP_FILE=/srv/clock/offset FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1\n' \
      >"$here/ward$drop_in/clock.conf" &&
    reboot_machine ward && eventually 30 runs && heard_again &&
    eventually 30 says 'its clock differs from this one by 86[0-9]{9} ms' agent status || { agent status; return 1; }
  echo +0 >"$here/ward/srv/clock/offset"
  soon_told 60 'the wall clock moved by 86[0-9]{9} ms' && heard_again &&
    eventually 60 says 'its clock differs from this one by -?[0-9]{1,3} ms' agent status &&
    on ward rm -r "$drop_in" && on ward systemctl daemon-reload &&
    on ward systemctl restart shirase-agent && eventually 30 runs && heard_again
}

# The last good configuration stays in force, on the disk of the collector too it is known that it does.
damaged_configuration() {
  on ward cp /etc/shirase/agent.toml /root/agent.toml.good &&
    on ward sh -c 'head -c 300 /dev/urandom >>/etc/shirase/agent.toml' &&
    reboot_machine ward && eventually 30 runs &&
    says 'fanotify' agent status && says 'last good' agent status &&
    soon_told 60 'the configuration file is invalid' &&
    on ward cp /root/agent.toml.good /etc/shirase/agent.toml &&
    soon_told 60 'a new configuration is in force'
}

# As after a downgrade: the file, and what was kept of it, have a setting this version does not know.
settings_of_a_newer_version() {
  on ward systemctl stop shirase-agent &&
    on ward sh -c "for file in /etc/shirase/agent.toml $state/last-good.toml; do printf '[sensors.aura]\\nenabled = true\\n' >>\$file; done" &&
    on ward systemctl start shirase-agent && eventually 30 runs && heard_again &&
    says 'does not know .sensors.aura.' agent status && says 'fanotify' agent status &&
    on ward cp /root/agent.toml.good /etc/shirase/agent.toml &&
    eventually 60 fits_its_version
}

fits_its_version() {
  local told
  told=$(agent status) && ! grep -q 'sensors.aura' <<<"$told"
}

# A buffer that does not open is set aside, never deleted; a new one begins.
damaged_buffer() {
  on ward systemctl stop shirase-agent &&
    on ward sh -c "for file in \$(find $state/buffer -type f -size +0); do dd if=/dev/urandom of=\$file bs=1k count=64 conv=notrunc status=none; done" &&
    on ward systemctl start shirase-agent && eventually 30 runs &&
    soon 90 'buffer would not open and was replaced' && heard_again &&
    on ward sh -c "ls -d $state/buffer/quarantine-*"
}

# Not a byte is free. The agent runs and watches; what it may not have kept it tells when there is room.
disk_full_at_boot() {
  on ward systemctl stop shirase-agent
  on ward sh -c 'fallocate -l 6G /root/filler 2>/dev/null; dd if=/dev/zero of=/root/filler2 bs=64k status=none 2>/dev/null; dd if=/dev/zero of=/root/filler3 bs=512 status=none 2>/dev/null; df --output=avail / | tail -1'
  boot_state='starting|running|degraded' reboot_machine ward && eventually 60 runs && says 'fanotify' agent status ||
    { on ward journalctl -u shirase-agent -b -o cat | tail -20; on ward rm -f /root/filler /root/filler2 /root/filler3; return 1; }
  on ward rm -f /root/filler /root/filler2 /root/filler3 && heard_again &&
    soon 60 'buffer was full; records of low severity were refused'
}

# A root that may not be read: told as blind there; the others are watched on.
closed_root() {
  on ward sh -c 'mkdir -p /etc/systemd/system/shirase-agent.service.d && printf "[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_SYS_ADMIN\n" >/etc/systemd/system/shirase-agent.service.d/walk.conf && printf "\n[[sensors.roots]]\npath = \"/srv/closed\"\n" >>/etc/shirase/agent.toml && systemctl daemon-reload' &&
    on ward systemctl restart shirase-agent && eventually 30 runs &&
    soon 60 'watched root cannot be read' && says 'closed: the agent has no right to read it' agent status || { agent status; on ward journalctl -u shirase-agent -n 20 -o cat; return 1; }
  on ward sh -c 'rm -r /etc/systemd/system/shirase-agent.service.d; cp /root/agent.toml.good /etc/shirase/agent.toml; systemctl daemon-reload' &&
    on ward systemctl restart shirase-agent && eventually 30 runs && heard_again
}

# A network mount whose server is away, as a file system nobody serves: told as blind there, the rest is watched on, the
# service stops in time, and once there is an answer it is told as well again.
hanging_mount() {
  on ward sh -c '[ -e /dev/fuse ] || mknod -m 0666 /dev/fuse c 10 229; mkdir -p /srv/nas'
  on ward /root/hang /srv/nas &
  eventually 20 says ' /srv/nas .* fuse ' on ward cat /proc/self/mountinfo &&
    on ward sh -c 'printf "\n[[sensors.roots]]\npath = \"/srv/nas\"\n" >>/etc/shirase/agent.toml' &&
    soon_told 60 'the root cannot be read: its file system does not answer' &&
    says 'well +files: fanotify' agent status && says 'well +host' agent status &&
    says 'does not answer; it is not watched until it does' agent check &&
    on ward timeout 20 systemctl restart shirase-agent && eventually 30 runs && heard_again &&
    eventually 30 says 'BLIND +mount of nas' agent status || { agent status; on ward pkill -x hang; return 1; }
  # Its server is gone for good: whoever asks hears so, and that is an answer.
  on ward pkill -x hang
  eventually 60 says 'well +mount of nas: its file system answers' agent status &&
    on ward sh -c 'umount -l /srv/nas; cp /root/agent.toml.good /etc/shirase/agent.toml' && heard_again
}
