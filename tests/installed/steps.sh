# What happens on the machines of tests/installed.sh, and what the collector has to say of it.
# shellcheck shell=bash

collector() { on desk shirase-collector "$@"; }
agent() { on ward shirase-agent "$@"; }

# What the collector knows, as JSON; `reasons` as a person reads them.
incidents() { collector incident list --facility handa --json; }
story() { collector incident show handa "$1" --json; }
hosts() { collector host list --facility handa --json; }
host_id() { hosts | grep -oE '"id": *"[^"]+"' | head -1; }
reasons() {
  local number
  for number in $(incidents | grep -oE '"number": *[0-9]+' | grep -oE '[0-9]+'); do
    story "$number" | grep '"reason_en"'
  done
}
# What the agent told lately, the events no incident came of among it.
told() { collector host events handa ward --hours 1 | cut -c1-400; }
count_of() { reasons | grep -cE -- "$1" || true; }
told_times() { told | grep -cE -- "$1" || true; }
# Read to the end: a pipe that is closed early counts as a failure.
reasons_say() { reasons | grep -E -- "$1" >/dev/null; }
host_told() { told | grep -E -- "$1" >/dev/null; }

# Waits until the collector says it, and shows what it says instead where it does not.
soon() {
  local seconds=$1 expected=$2
  eventually "$seconds" reasons_say "$expected" || { echo "the collector says:" >&2; reasons >&2; return 1; }
}
soon_told() {
  local seconds=$1 expected=$2
  eventually "$seconds" host_told "$expected" || { echo "the host told:" >&2; told >&2; return 1; }
}
runs() { on ward systemctl is-active --quiet shirase-agent; }
heard_since() { hosts | grep -oE '"last_heartbeat": *"[^"]+"' | grep -oE '20[^"]+' | { read -r heard && [[ $heard > $1 ]]; }; }
now() { date -u +%Y-%m-%dT%H:%M:%S; }
heard_again() { local since; since=$(now); eventually "${1:-60}" heard_since "$since"; }

# The fingerprint of the authority's certificate is told by the collector's log; people compare it by eye.
fingerprint() { on desk journalctl -u shirase-collector -o cat | grep -oE 'fingerprint is [0-9a-f:]+' | tail -1 | cut -d' ' -f3; }

install_collector() {
  on desk dpkg -i "/root/packages/shirase-collector_${version}_amd64.deb" &&
    on desk sed -i 's/^public_names = .*/public_names = ["desk", "192.0.2.1"]/' /etc/shirase/collector.toml &&
    collector check &&
    on desk systemctl restart shirase-collector &&
    on desk systemctl is-active shirase-collector &&
    collector facility add handa --name 半田 >/dev/null &&
    # Root's command leaves nothing in the data directory that the service could not open.
    ! on desk find /var/lib/shirase-collector ! -user shirase-collector | grep .
}

serve_share() {
  on ward sh -c 'printf "[share]\npath = /srv/share\nguest ok = yes\nread only = no\nforce user = root\n" >>/etc/samba/smb.conf' &&
    on ward systemctl restart smbd &&
    # Before there is an agent: what an agent saw being made is new for a minute, and work on it is no attack.
    on ward sh -c 'for year in 2026 2027; do mkdir -p /srv/share/$year; for n in $(seq 60); do printf "%%PDF-1.7 chart %s\n" "$n" >/srv/share/$year/$n.pdf; done; done' &&
    # What a user's own directory holds, for the root that cannot be read.
    on ward sh -c 'install -d -m 0700 -o www-data /srv/closed && printf "x\n" >/srv/closed/a.txt && chown www-data /srv/closed/a.txt'
}

# What an EHR server runs, and its image archive asked as a modality would.
watch_services() {
  on ward sh -c 'for name in nginx postgresql@15-main smbd orthanc; do printf "\n[[sensors.services]]\nname = \"%s.service\"\ngrace_secs = 3\n" "$name"; done >>/etc/shirase/agent.toml' &&
    on ward sh -c 'printf "\n[[sensors.probes]]\nname = \"pacs\"\ndicom = \"127.0.0.1:4242\"\ncalled_ae = \"ORTHANC\"\ngrace_secs = 3\n" >>/etc/shirase/agent.toml' &&
    eventually 30 agent probe --all
}

install_agent() {
  on ward dpkg -i "/root/packages/shirase-agent_${version}_amd64.deb" &&
    # Nothing to do before enrolment, and no failure either.
    ! runs && ! on ward systemctl is-failed --quiet shirase-agent &&
    collector token issue handa --bare |
    agent enroll --collector https://desk:8445 --ca-fingerprint "$(fingerprint)" --token-file - --root /srv/share &&
    watch_services &&
    agent check &&
    on ward systemctl start shirase-agent &&
    # The unit is up once the agent keeps events; its sensors follow.
    eventually 30 says 'fanotify' agent status &&
    eventually 60 says '"last_heartbeat": "2' hosts &&
    # A quiet server tells nothing that anybody has to look at.
    [ "$(incidents)" = "[]" ]
}

# As a clerk's infected PC would: over the share, from another machine.
encrypt_over_samba() {
  local commands= number
  for number in $(seq 60); do commands+="rename 2026/$number.pdf 2026/$number.pdf.locked;"; done
  on desk smbclient //192.0.2.2/share -N -c "$commands" >"$here/smbclient.txt" 2>&1 || tail -n 3 "$here/smbclient.txt"
  [ "$(on ward sh -c 'ls /srv/share/2026 | grep -c locked')" = 60 ] &&
    soon 60 'root \\"share\\", 60 files .*suffix \\"\.locked\\"' &&
    [ "$(incidents | grep -c '"number"')" = 1 ]
}

# Each service by itself: told as gone, then told as back; the archive's two eyes both.
stop_services() {
  local name
  for name in nginx.service postgresql@15-main.service smbd.service; do
    on ward systemctl stop "$name" && told_gone service "$name" &&
      on ward systemctl start "$name" && told_back service "$name" || return 1
  done
  on ward systemctl stop orthanc.service && told_gone service orthanc.service && told_gone 'DICOM node .C-ECHO.' pacs &&
    on ward systemctl start orthanc.service && told_back service orthanc.service && told_back 'DICOM node .C-ECHO.' pacs
}
told_gone() { soon 60 "$1 \\\\\"$2\\\\\" .*has not answered since"; }
told_back() { soon 90 "$1 \\\\\"$2\\\\\" .*came back at"; }

# The wire is cut, something happens, the agent is upgraded, the wire is mended: it is told once.
upgrade_with_events_in_the_buffer() {
  local host silent
  host=$(host_id) silent=$(count_of 'has not been heard|was not heard')
  cut_wire
  change_and_upgrade || { mend_wire; return 1; }
  mend_wire
  # With the sixty of before, where they still count as one burst.
  soon 90 ' (60|120) files .*suffix \\"\.crypted\\"' &&
    soon_told 60 'asked to stop for another version' &&
    [ "$(told_times 'asked to stop for another version')" = 1 ] &&
    [ "$host" = "$(host_id)" ] &&
    # A minute's upgrade is no silence, and no file was told twice.
    [ "$silent" = "$(count_of 'has not been heard|was not heard')" ] &&
    [ "$(count_of 'crypted')" = 1 ]
}

# What was seen while nobody could be told is in the buffer before the upgrade and after it.
change_and_upgrade() {
  on ward sh -c 'for f in /srv/share/2027/*.pdf; do mv "$f" "$f.crypted"; done'
  eventually 30 says 'buffer +[1-9][0-9]* waiting' agent status &&
    on ward dpkg -i "/root/packages/shirase-agent_${next}_amd64.deb" &&
    eventually 30 runs && eventually 20 says 'buffer +[1-9][0-9]* waiting' agent status
}

# Unpacked and then interrupted; the old program goes on until it is finished. Then back to the older version.
interrupted_upgrade_and_downgrade() {
  local host
  host=$(host_id)
  on ward dpkg --unpack "/root/packages/shirase-agent_${version}_amd64.deb" &&
    runs && reboot_machine ward && eventually 30 runs &&
    on ward dpkg --configure -a && eventually 30 runs && heard_again &&
    [ "$host" = "$(host_id)" ] &&
    on ward dpkg -i "/root/packages/shirase-agent_${next}_amd64.deb" && eventually 30 runs && heard_again &&
    [ "$(told_times 'buffer would not open|set aside')" = 0 ]
}

reboot_ward() {
  local silent
  silent=$(count_of 'has not been heard|was not heard')
  reboot_machine ward && eventually 60 runs && heard_again &&
    soon_told 30 'asked to stop: the machine starts anew' &&
    # That the machine itself was started anew is not to be seen here: under ProtectKernelTunables a service of a
    # container reads the boot id of the machine below.
    [ "$silent" = "$(count_of 'has not been heard|was not heard')" ]
}

# Killed, it is back in a moment; that it was killed is told all the same.
kill_agent() {
  on ward systemctl kill --kill-who=main --signal=KILL shirase-agent &&
    eventually 20 runs && soon 60 'was ended by force or broke off'
}

# Runs something that makes the agent fall silent; within 90 seconds the collector has to say so, in the right words.
falls_silent() {
  local words=$1 begun
  shift
  "$@" || return 1
  begun=$SECONDS
  soon 90 "$words" && printf 'silence told after\t%ss\t%s\n' $((SECONDS - begun)) "$words" | tee -a "$here/silence.txt"
}

stop_agent() {
  falls_silent 'asked to stop at [^.]*no reason given[^.]*\. Make sure' on ward systemctl stop shirase-agent &&
    on ward systemctl start shirase-agent && eventually 30 runs && heard_again
}

# Announced, and switched off for longer than a reboot takes.
switch_off_in_maintenance() {
  collector maintenance begin handa --hours 1 --owner 佐藤 --reason 電源工事 >/dev/null &&
    eventually 60 says 'maintenance' agent status &&
    falls_silent 'server switched off.*Maintenance is announced until .*佐藤: 電源工事' halt ward &&
    boot ward && eventually 60 runs && heard_again &&
    collector maintenance end handa --owner 佐藤 >/dev/null
}

lose_power() {
  falls_silent 'It announced no stop' pull_plug ward && boot ward && eventually 60 runs && heard_again
}

back_up_and_restore() {
  local backup
  backup=$(collector backup /var/backups/shirase-collector | sed -n 1p) &&
    on desk systemctl stop shirase-collector &&
    ! collector restore "$backup" 2>/dev/null &&
    collector restore "$backup" --replace &&
    on desk systemctl start shirase-collector &&
    collector audit verify &&
    incidents | grep . >/dev/null && heard_again
}

remove_agent() {
  falls_silent 'removal of its package' on ward dpkg -r shirase-agent &&
    ! runs && on ward test -d /var/lib/shirase-agent/buffer && on ward test -e /etc/shirase/agent.toml
}

reinstall_agent() {
  local host
  host=$(host_id)
  on ward dpkg -i "/root/packages/shirase-agent_${next}_amd64.deb" && eventually 30 runs && heard_again &&
    [ "$host" = "$(host_id)" ]
}

purge_agent() {
  on ward dpkg -P shirase-agent &&
    on ward test -d /var/lib/shirase-agent/buffer && ! on ward test -e /etc/shirase/agent.toml &&
    ! on ward test -e /lib/systemd/system/shirase-agent.service &&
    # Asked for by name, the evidence goes as well.
    on ward dpkg -i "/root/packages/shirase-agent_${next}_amd64.deb" &&
    on ward env SHIRASE_PURGE_EVIDENCE=yes dpkg -P shirase-agent &&
    ! on ward test -e /var/lib/shirase-agent && ! on ward test -e /etc/shirase
}

purge_collector() {
  on desk dpkg -P shirase-collector &&
    on desk test -d /var/lib/shirase-collector && ! on desk test -e /etc/shirase/collector.toml &&
    ! on desk systemctl is-active --quiet shirase-collector
}

# Written down, not judged: what the services may do and what they cost.
measure() {
  on desk systemd-analyze security --no-pager shirase-collector | tail -1 | tee "$here/security.txt"
  on ward systemd-analyze security --no-pager shirase-agent | tail -1 | tee -a "$here/security.txt"
  ls -l "$target/packages" | tee "$here/sizes.txt"
  local pid before after
  pid=$(host_pid ward "$(on ward systemctl show -P MainPID shirase-agent)") || return 1
  before=$(cpu_ms "$pid")
  sleep $((quiet_minutes * 60))
  after=$(cpu_ms "$pid")
  printf 'quiet minutes\t%s\nprocessor time\t%s ms\nmemory\t%s KiB\n' "$quiet_minutes" $((after - before)) "$(memory_now "$pid")" | tee "$here/cost.txt"
  storm
  printf '20000 files made and renamed: processor time\t%s ms\nmemory at most\t%s KiB\n' $(($(cpu_ms "$pid") - after)) "$(memory_most "$pid")" | tee -a "$here/cost.txt"
}

# Twenty thousand files made and renamed; over when the agent has nothing left to say about it.
storm() {
  on ward sh -c 'mkdir -p /srv/share/storm && cd /srv/share/storm && for n in $(seq 20000); do echo "chart $n" >$n.txt; done && for n in $(seq 20000); do mv $n.txt $n.txt.storm; done'
  eventually 60 says 'buffer +0 waiting' agent status
}

# As deploy/nginx/shirase-console.conf says, with names and paths of this machine.
console_behind_nginx() {
  sed 's/CONSOLE.EXAMPLE.JP/desk/; s#/etc/ssl/CERTIFICATE-CHAIN.pem#/etc/ssl/certs/ssl-cert-snakeoil.pem#; s#/etc/ssl/private/KEY.pem#/etc/ssl/private/ssl-cert-snakeoil.key#' \
    deploy/nginx/shirase-console.conf >"$here/desk/etc/nginx/sites-enabled/shirase-console.conf"
  set_console 'listen = "127.0.0.1:8443"' 'url = "https://desk"' 'tls = "proxy"' 'trusted_proxies = ["127.0.0.1"]' &&
    on desk systemctl restart nginx &&
    eventually 20 says '^200$' on ward curl -sk -o /dev/null -w '%{http_code}' https://desk/sign-in &&
    says '^301$' on ward curl -s -o /dev/null -w '%{http_code}' http://desk/sign-in &&
    # The collector itself is not to be reached any more, the agents' ports are.
    ! on ward curl -sk --max-time 5 -o /dev/null https://desk:8443/sign-in && heard_again
}

# The hospital's own certificate, without a proxy.
console_with_own_certificate() {
  on desk install -m 0400 -o shirase-collector -g shirase-collector /etc/ssl/private/ssl-cert-snakeoil.key /var/lib/shirase-collector/console.key &&
    on desk install -m 0444 /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/shirase/console.pem &&
    set_console 'listen = "0.0.0.0:8443"' 'url = ""' 'tls = "files"' 'trusted_proxies = []' \
      'certificate = "/etc/shirase/console.pem"' 'key = "/var/lib/shirase-collector/console.key"' &&
    eventually 20 says '^200$' on ward curl -sk -o /dev/null -w '%{http_code}' https://desk:8443/sign-in &&
    on desk cat /etc/ssl/certs/ssl-cert-snakeoil.pem >"$here/ward/root/console.pem" &&
    on ward curl -s --cacert /root/console.pem --connect-to ::desk:8443 -o /dev/null "https://$(certificate_name)/sign-in"
}

# The name in the machine's own certificate.
certificate_name() { on desk openssl x509 -in /etc/ssl/certs/ssl-cert-snakeoil.pem -noout -ext subjectAltName | grep -oE 'DNS:[^,]+' | head -1 | cut -d: -f2; }

# Sets keys of [console] and starts the collector anew with them.
set_console() {
  local line
  for line in "$@"; do
    on desk sed -i "/^\[console\]/,/^\[mail\]/ s|^${line%% =*} = .*|$line|" /etc/shirase/collector.toml
  done
  collector check && on desk systemctl restart shirase-collector
}
