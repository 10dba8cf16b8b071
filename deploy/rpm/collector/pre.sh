getent group shirase-collector >/dev/null || groupadd -r shirase-collector
getent passwd shirase-collector >/dev/null ||
  useradd -r -g shirase-collector -d /var/lib/shirase-collector -M -s /sbin/nologin -c "Shirase collector" shirase-collector
