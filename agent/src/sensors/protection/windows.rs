//! What Windows tells of a file, and which services protect it. Its own logs are no files that grow; that the Security log
//! was emptied is told by `logons`.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Mark;

/// None known.
pub(super) const LOGS: &[&str] = &[];
/// There is none in files.
pub(super) const JOURNAL: Option<&str> = None;
/// There are none in files.
pub(super) const UNIT_DIRS: &[&str] = &[];
/// Services that keep intruders off or record what they do, and start with the system.
pub(super) const GUARDS: &[&str] = &[
    "WinDefend",
    "Sense",
    "mpssvc",
    "EventLog",
    "MsMpSvc",
    "ntrtscan",
    "tmlisten",
    "ds_agent",
    "ekrn",
    "SepMasterService",
    "CSFalconService",
    "SentinelAgent",
    "CylanceSvc",
    "CbDefense",
    "mfemms",
    "masvc",
    "xagt",
    "cyserver",
    "WazuhSvc",
    "Sysmon",
    "Sysmon64",
    "osqueryd",
    "Velociraptor",
];

/// Returns what tells this state of a file from an earlier one; one file is told from another by when it was made.
pub(super) fn mark(metadata: &Metadata) -> Mark {
    let time = |at: io::Result<std::time::SystemTime>| {
        let at = at.ok().and_then(|at| Timestamp::try_from(at).ok());
        at.map(|at| at.as_nanosecond().to_string())
            .unwrap_or_default()
    };
    Mark {
        file: time(metadata.created()),
        bytes: metadata.len(),
        written: time(metadata.modified()),
        changed: String::new(),
        rights: format!("{:?}", metadata.permissions()),
    }
}

/// When a file was last written.
pub(super) fn changed_at(metadata: &Metadata) -> Option<Timestamp> {
    Timestamp::try_from(metadata.modified().ok()?).ok()
}

/// There are none here.
pub(super) fn is_mask(_path: &Path) -> bool {
    false
}

/// Returns what the log is now.
pub(super) fn stat_log(path: &Path) -> io::Result<Metadata> {
    std::fs::metadata(path)
}

/// The program this process was started from.
pub(super) fn own_program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}
