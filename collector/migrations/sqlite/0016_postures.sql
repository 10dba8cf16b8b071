-- How each host is set up. Its agent says so when it looked, and not with every sign of life, so that it is kept beside.

ALTER TABLE heartbeats ADD COLUMN posture_json TEXT;
