# Removal (0), not upgrade (1).
if [ "$1" -eq 0 ]; then
  systemctl --no-reload disable shirase-collector.service >/dev/null 2>&1 || :
  if [ -d /run/systemd/system ]; then systemctl stop shirase-collector.service || :; fi
fi
