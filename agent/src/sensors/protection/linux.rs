//! What Linux tells of a file, and where it keeps its logs and the definitions of its services.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Mark;

/// Logs of the system and of who came and went.
pub(super) const LOGS: &[&str] = &[
    "/var/log/audit/audit.log",
    "/var/log/auth.log",
    "/var/log/secure",
    "/var/log/syslog",
    "/var/log/messages",
    "/var/log/kern.log",
    "/var/log/cron",
    "/var/log/wtmp",
    "/var/log/btmp",
    "/var/log/lastlog",
];
/// Where the journal lies, a directory for each machine that wrote into it.
pub(super) const JOURNAL: Option<&str> = Some("/var/log/journal");
/// Where definitions of services lie; `/lib` is another name of `/usr/lib` where it is a link.
pub(super) const UNIT_DIRS: &[&str] = &[
    "/etc/systemd/system",
    "/etc/systemd/system.control",
    "/run/systemd/system",
    "/run/systemd/system.control",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Services that keep intruders off or record what they do.
pub(super) const GUARDS: &[&str] = &[
    "clamav-daemon",
    "clamd@scan",
    "clamonacc",
    "falcon-sensor",
    "mdatp",
    "wazuh-agent",
    "ossec",
    "sav-protect",
    "sophos-spl",
    "ds_agent",
    "cbdaemon",
    "cbagentd",
    "sentinelone",
    "cybereason-sensor",
    "elastic-agent",
    "ElasticEndpoint",
    "traps_pmd",
    "xagt",
    "kesl",
    "eea",
    "efs",
    "osqueryd",
    "velociraptor_client",
    "falco",
    "sysmon",
    "auditd",
    "auditbeat",
    "fapolicyd",
    "fail2ban",
    "rsyslog",
    "syslog-ng",
    "systemd-journald",
];

/// Returns what tells this file from another and this state of it from an earlier one.
pub(super) fn mark(metadata: &Metadata) -> Mark {
    let mtime = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    let ctime = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    Mark {
        file: format!("{:x}:{:x}", metadata.dev(), metadata.ino()),
        bytes: metadata.size(),
        written: mtime.to_string(),
        changed: ctime.to_string(),
        rights: format!("{:o}:{}:{}", metadata.mode(), metadata.uid(), metadata.gid()),
    }
}

/// When anything about a file last changed, its name included: nobody can set that.
pub(super) fn changed_at(metadata: &Metadata) -> Option<Timestamp> {
    Timestamp::from_second(metadata.ctime()).ok()
}

/// Whether a definition is only a link that masks the service.
pub(super) fn is_mask(path: &Path) -> bool {
    std::fs::read_link(path).is_ok_and(|target| target == Path::new("/dev/null"))
}

/// Returns what the log is now; a link in its place is followed to a file, and to nothing else.
pub(super) fn stat_log(path: &Path) -> io::Result<Metadata> {
    std::fs::metadata(path)
}

/// The program this process was started from.
pub(super) fn own_program() -> Option<PathBuf> {
    std::env::current_exe()
        .ok()
        .and_then(|path| path.canonicalize().ok())
}
