//! Names of services, guards, logs and backups in a shared trace.
//!
//! Units that are no instances of a template and files in `/var/log` are named by who made the system, and stay; names a
//! hospital gave become words.

use super::Anonymiser;
use crate::observation::{LogSeen, ServicesSeen};

/// Where the system's own logs lie.
const SYSTEM_LOGS: &str = "/var/log";

impl Anonymiser {
    /// Replaces the names of services.
    pub(super) fn services(&self, seen: &ServicesSeen) -> ServicesSeen {
        ServicesSeen {
            stopped: seen.stopped.iter().map(|name| self.unit(name)).collect(),
            started: seen.started.iter().map(|name| self.unit(name)).collect(),
            course: seen.course,
        }
    }

    /// Replaces the names of a log that is none of the system's.
    pub(super) fn log(&self, mut seen: LogSeen) -> LogSeen {
        if !seen.path.starts_with(SYSTEM_LOGS) {
            seen.path = self.path(&seen.path);
            for file in &mut seen.beside {
                file.name = self.name(&file.name);
            }
        }
        seen
    }

    /// Keeps the name of a unit, and replaces that of an instance behind the `@`.
    pub(super) fn unit(&self, unit: &str) -> String {
        match unit.ends_with(".service") && !unit.contains('@') {
            true => unit.to_owned(),
            false => self.name(unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::observation::{BackupSeen, BackupState, Beside, Fact, Generations, Kinship, LogNow};

    #[test]
    fn names_the_hospital_gave_become_words_and_those_of_the_system_stay() {
        let anonymiser = Anonymiser::with_key(&[7; 32]);
        let shown = |fact| format!("{:?}", anonymiser.fact(fact));
        let stopped = vec!["mariadb.service".to_owned(), "ehr@yamada.service".to_owned()];
        let services = shown(Fact::Services(ServicesSeen { stopped, ..ServicesSeen::default() }));
        assert!(services.contains("mariadb.service") && !services.contains("yamada"), "{services}");
        let log = |path: &str| LogSeen {
            path: PathBuf::from(path),
            bytes_before: 9,
            now: LogNow::Gone,
            beside: vec![Beside { name: "yamada.1".to_owned(), bytes: 1, kinship: Kinship::Fresh }],
        };
        assert!(shown(Fact::Log(log("/var/log/auth.log"))).contains("/var/log/auth.log"));
        assert!(!shown(Fact::Log(log("/srv/yamada/ehr.log"))).contains("yamada"));
        let state = BackupState::Files(Generations::default());
        let backup = shown(Fact::Backup(BackupSeen { name: "yamada".to_owned(), state }));
        assert!(!backup.contains("yamada"), "{backup}");
    }
}
