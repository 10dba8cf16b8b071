# Readable by the service, writable by root: it may name secrets' files. What an administrator set stays.
if [ ! -e /etc/shirase/collector.toml ]; then
  install -d -m 0755 /etc/shirase
  install -m 0640 -o root -g shirase-collector /usr/share/shirase-collector/collector.toml /etc/shirase/collector.toml
fi
# Commands given by root act as the owner of this directory, so it is there before the first start.
install -d -m 0700 -o shirase-collector -g shirase-collector /var/lib/shirase-collector
install -d -m 0755 /var/backups
install -d -m 0700 -o shirase-collector -g shirase-collector /var/backups/shirase-collector
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ "$1" -eq 1 ]; then
  systemctl enable shirase-collector.service >/dev/null 2>&1 || :
  if [ -d /run/systemd/system ]; then systemctl start shirase-collector.service || :; fi
elif [ -d /run/systemd/system ]; then
  systemctl try-restart shirase-collector.service || :
fi
