# Removal (0), not upgrade (1). The file makes the agent's last word why it goes.
if [ "$1" -eq 0 ]; then
  if [ -d /var/lib/shirase-agent ]; then : >/var/lib/shirase-agent/leaving; fi
  systemctl --no-reload disable shirase-agent.service >/dev/null 2>&1 || :
  if [ -d /run/systemd/system ]; then systemctl stop shirase-agent.service || :; fi
fi
