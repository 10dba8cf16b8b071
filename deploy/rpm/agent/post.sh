# First installation (1): switched on; it does nothing until `shirase-agent enroll`. Upgrade (2): the new program runs.
install -d -m 0755 /etc/shirase
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ "$1" -eq 1 ]; then
  systemctl enable shirase-agent.service >/dev/null 2>&1 || :
  if [ -d /run/systemd/system ]; then systemctl start shirase-agent.service || :; fi
elif [ -d /run/systemd/system ]; then
  systemctl try-restart shirase-agent.service || :
fi
