# Words about incidents. Keep the keys equal to the Japanese file's.

# What a server does for care
care-role-ehr = electronic health record
care-role-orders = order entry
care-role-pacs = images (PACS)
care-role-lab = laboratory
care-role-accounting = accounting
care-role-nurse-call = nurse call
care-role-file-share = file share
care-role-directory = directory (AD)
care-role-backup = backup
care-role-other = other

# Severity
incident-severity-low = low
incident-severity-medium = medium
incident-severity-high = high
incident-severity-critical = critical

# Status
incident-status-open = open
incident-status-acknowledged = acknowledged
incident-status-closed = closed
incident-status-false-alarm = false alarm
incident-status-merged = merged

# Titles
rule-ransomware-impact = Suspected ransomware with impact on care
rule-spreading = Mass change of files spreading to several servers
rule-mass-change = Mass change of files
rule-care-outage = Outage of a system care stands on
rule-silent-host = Server fell silent
rule-logon = Unusual logon
rule-print-burst = Burst of printing
rule-services-stopped = Many services stopped
rule-protection-loss = Protection switched off or altered
rule-backup-loss = Backup lost or not made
rule-fork = Copied agent
rule-outage = Outage of a service
rule-loss = Something could not be watched
rule-pressure = Server short of a resource, or clock moved
incident-headline = { $rule } ({ $hosts })

# Lists
list-comma = {", "}
list-rest = { $count } more
list-word = { $word }
count-unknown = number unknown
source-unknown = an unknown source
time-unknown = unknown
host-unknown = an unknown server
care-roles-unknown = role not entered

# Reasons
why-mass-change = On { $host }, root "{ $root }", { $files } files in { $directories } directories have changed since { $first } the way an encryptor or a wiper changes them. It may still go on. Evidence: { $signs }.
why-mass-change-ended = On { $host }, root "{ $root }", { $files } files in { $directories } directories changed from { $first } to { $ended } the way an encryptor or a wiper changes them. Evidence: { $signs }.
sign-magic-lost = { $count } whose content lost its format
sign-suffix-appended = { $count } that gained an unknown suffix
sign-extension-lost = { $count } that lost their extension
sign-replaced = { $count } replaced by another file
sign-truncated = { $count } emptied
sign-deleted = { $count } deleted
sign-moved-out = { $count } moved away
sign-randomised = { $count } overwritten with random data
sign-directories-renamed = { $count } directories renamed with a suffix
sign-canaries = { $count } decoys touched
sign-note = the same new document, perhaps a ransom note, in { $count } directories
sign-suffix = suffix ".{ $suffix }"
why-outage = A service of { $host } is down.
why-outage-down = On { $host }, the { $watched } "{ $target }" ({ $roles }) has not answered since { $since }.
why-outage-flapping = On { $host }, the { $watched } "{ $target }" ({ $roles }) has been going up and down since { $since }.
why-outage-recovered = On { $host }, the { $watched } "{ $target }" ({ $roles }) was in trouble from { $since } and came back at { $recovered }.
watched-service = service
watched-process = process
watched-tcp = connection (TCP)
watched-http = connection (HTTP)
watched-hl7 = HL7 interface (MLLP)
watched-dicom = DICOM node (C-ECHO)
watched-postgres = database (PostgreSQL)
why-ransomware-impact = On { $host }, { $files } files changed in bulk, and close to it the following was lost: { $impacts }. This looks like ransomware with impact on care.
impact-outage = "{ $target }" on { $host } down (since { $at })
impact-silence = { $host } silent (since { $at })
why-spreading-suffix = The same change as on { $host } is happening on { $others }. In common: { $suffixes }.
why-spreading-time = At nearly the same time as on { $host }, files are changing in bulk on { $others }.
why-silent = { $host } has not been heard since { $heard }. It announced no stop. Silence does not mean that all is well.{ $maintenance }
why-silent-returned = { $host } was not heard after { $heard }. It had announced no stop and was heard again at { $returned }.{ $maintenance }
why-silent-announced = { $host } has not been heard since { $heard }. Its agent was asked to stop at { $stopped } ({ $cause }). Make sure that this was planned.{ $maintenance }
why-silent-announced-returned = { $host } was not heard after { $heard }. Its agent had been asked to stop at { $stopped } ({ $cause }) and was heard again at { $returned }.{ $maintenance }
why-silent-maintenance = {" "}Maintenance is announced until { $until } (by { $owner }: { $reason }).
stop-cause-unsaid = no reason given
stop-cause-restart = restart of the service
stop-cause-upgrade = upgrade of the program
stop-cause-removal = removal of its package
stop-cause-reboot = reboot of the server
stop-cause-shutdown = server switched off
why-fork = Two agents use the identity of { $host } ({ $count } numbers doubled, from { $first } on). Look for a copied server or one put back to an older state.
why-unread = { $host } sent { $count } records of the kind "{ $kind }", which this version cannot read. Update the collector.
why-loss-kernel-queue = The system's queue of file changes ran over; some were not seen ({ $count }). A rescan followed at once.
why-loss-own-queue = The agent's own queue ran over; some changes were not seen ({ $count }). A rescan followed at once.
why-loss-not-running = While the agent was not running, files changed the way an encryptor or a wiper changes them ({ $count }).
why-loss-root-unreadable = A watched root cannot be read, or only in part ({ $count }).
why-loss-root-gone = A watched root is gone ({ $count }).
why-loss-buffer-full = The agent's buffer was full; records of low severity were refused ({ $count }).
why-loss-buffer-replaced = The agent's buffer would not open and was replaced by a new one ({ $count }).
why-loss-record-set-aside = A record the collector cannot take was set aside ({ $count }).
why-loss-sensor-blind = A sensor does not work ({ $count }).
why-disk = Disk "{ $mount }" has { $percent } % left.
why-memory = { $percent } % of memory is left.
why-clock-ahead = The clock moved { $seconds } seconds ahead.
why-clock-back = The clock moved { $seconds } seconds back.
why-certificate = The certificate of "{ $name }" is valid until { $expires }.
why-logon-failures = { $count } failed logons from { $sources } within a short time.
why-logon-success = After many failures a logon from { $sources } succeeded ({ $count }).
why-logon-administrator = { $count } more accounts have administrator's rights.
why-logon-hours = { $count } remote sessions from { $sources } outside the usual hours.
why-guard-stopped = The protection software "{ $name }" stopped.
why-guard-removed = The protection software "{ $name }" was removed or set not to start.
why-log-truncated = The log "{ $name }" was cut.
why-log-removed = The log "{ $name }" was deleted.
why-own-files = The agent's own file "{ $name }" was changed by somebody else.
why-own-service = The agent's own service "{ $name }" was switched off or altered.
why-own-service-killed = The agent's own service "{ $name }" was ended by force or broke off, and nobody had asked it to stop.
why-backup-harmed = { $count } files of the backup "{ $name }" were deleted or rewritten. Last seen well: { $last }.
why-backup-snapshots = { $count } snapshots of the backup "{ $name }" are gone. Last seen well: { $last }.
why-backup-overdue = The backup "{ $name }" was not made when it should have been. Last seen well: { $last }.
why-stops = { $count } services stopped within { $seconds } seconds: { $names }.
why-print = { $jobs } print jobs to { $printers } printers within { $seconds } seconds.
why-print-same = { $jobs } print jobs to { $printers } printers within { $seconds } seconds, { $same } of them with one title.
why-intrusion = Something unusual happened.
why-intrusion-ended = { $what } Over at { $ended }.

# Timeline
timeline-mass-change-opened = Mass change of files noticed in "{ $root }" ({ $files })
timeline-mass-change-grew = Changed files in "{ $root }" grew to { $files }
timeline-mass-change-ended = The change in "{ $root }" stopped ({ $files } in all)
timeline-outage-down = "{ $target }" down
timeline-outage-flapping = "{ $target }" goes up and down
timeline-outage-recovered = "{ $target }" back
timeline-over = Over: { $what }
timeline-agent-started = Agent started
timeline-agent-stopping = Agent asked to stop
timeline-agent-config-invalid = Mistake in the agent's configuration; the last good one stays in force
timeline-agent-config-loaded = New configuration in force
timeline-agent-drill-started = Drill began
timeline-agent-drill-ended = Drill ended
timeline-agent-order-refused = Agent refused an order of the collector
timeline-agent-contained = Agent suspended a process that was harming files
timeline-agent-released = Suspended processes run again
timeline-agent-budget-reached = The agent reached a resource limit of its configuration
timeline-unread = Record of a kind this version cannot read: "{ $kind }"
timeline-opened = Incident opened: { $rule }
timeline-concluded = Concluded: { $rule }
timeline-grew = Conclusion now of severity { $severity }: { $rule }
timeline-raised = Severity raised from { $from } to { $to }
timeline-took-in = Incident { $number } turned out to be the same story and was taken in
timeline-became-part = Became a part of incident { $number }
timeline-acknowledged = Acknowledged
timeline-commented = Comment: { $text }
timeline-closed = Closed: { $text }
timeline-false-alarm = False alarm: { $reason }
timeline-reopened = Reopened: { $reason }
timeline-vendor-called = Maintenance company called: { $whom } ({ $number }) { $at }

# Hints on acts
incident-act-unfit = That cannot be done to an incident in this status. Load the page anew.
incident-act-empty = Something that is needed is empty. Write it down.
incident-act-too-long = The text is too long. Shorten it.
incident-act-in-the-future = The call lies in the future. Check the time.

# Whether a report could be due
reportable-ransomware-impact = Ransomware with impact on care is suspected.
reportable-spreading = The same change is spreading to several servers.
reportable-mass-change = Many files changed the way an encryptor or a wiper changes them.
reportable-care-outage = A system care stands on was down for longer than its grace.
reportable-backup-loss = Backups may be lost.
reportable-print-burst = Many print jobs at once, perhaps a ransom note.
reportable-no = Nothing of it is a ground for a report.
timeline-step = Step “{ $step }”: { $outcome } { $at } { $text }
