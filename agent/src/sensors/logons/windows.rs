//! Follows the Security log: who logs on, who is refused, who becomes an administrator.
//!
//! Always holds: its own thread; how far it has read is kept, so that what happened while the agent did not run is told
//! afterwards; what is gone by then is told as a loss.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::LossKind;
use shirase_shared::wire::SensorState;
use tokio_util::sync::CancellationToken;

use super::{LOGONS, LogonSource, LogonsParts};
use crate::durable;
use crate::observation::{
    Account, Fact, LogonSeen, Lost, Manner, Observation, Outcome, Power, RightsChange, RightsSeen,
    Standing,
};
use crate::sensors::event_log::{Entry, Subscription, security};
use crate::sensors::past;

/// The log.
const LOG: &str = "Security";
/// How long to wait for entries before looking whether to stop, and how often the place is kept.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause before a log that could not be read is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(60);
/// Step in which that pause looks whether to stop.
const RETRY_STEP: Duration = Duration::from_millis(500);

pub(super) async fn run(parts: LogonsParts, stop: CancellationToken) {
    if parts.config.source == LogonSource::Off {
        return;
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stopping);
    let thread = tokio::task::spawn_blocking(move || Following::new(parts, seen).run());
    stop.cancelled().await;
    stopping.store(true, Ordering::Relaxed);
    if thread.await.is_err() {
        tracing::error!("the thread that follows the Security log panicked");
    }
}

struct Following {
    parts: LogonsParts,
    stopping: Arc<AtomicBool>,
    /// Where the number of the last entry is kept.
    file: Option<PathBuf>,
    /// The last entry that was told.
    read: Option<u64>,
    /// Of that, what was kept.
    kept: Option<u64>,
    told: bool,
}

impl Following {
    fn new(parts: LogonsParts, stopping: Arc<AtomicBool>) -> Self {
        let file = parts.known_administrators.as_deref().map(beside);
        let kept = file
            .as_deref()
            .and_then(|file| durable::read_json(file).ok().flatten());

        Self { parts, stopping, file, read: kept, kept, told: false }
    }

    fn run(mut self) {
        while !self.stopping.load(Ordering::Relaxed) {
            if let Err(why) = self.follow() {
                self.blind(&why);
                self.rest();
            }
        }
    }

    fn follow(&mut self) -> Result<(), String> {
        let kinds = security::KINDS;
        let log = match (Subscription::open(LOG, &kinds, self.read), self.read) {
            (Ok(log), _) => log,
            (Err(gone), Some(_)) => {
                let log = Subscription::open(LOG, &kinds, None).map_err(|error| words(&error))?;
                self.read = None;
                self.lose(format!(
                    "entries of the Security log are gone before they were read: {gone}"
                ));
                log
            }
            (Err(error), None) => return Err(words(&error)),
        };
        self.told = false;
        self.parts
            .board
            .set(LOGONS, SensorState::Well, "the Security log");
        while !self.stopping.load(Ordering::Relaxed) {
            let entries = log.next(PATIENCE).map_err(|error| words(&error))?;
            let quiet = entries.is_empty();
            for xml in entries {
                self.take(&xml);
            }
            if quiet {
                self.keep();
            }
        }
        self.keep();

        Ok(())
    }

    fn take(&mut self, xml: &str) {
        let Some(entry) = Entry::read(xml) else {
            self.lose("an entry of the Security log was not understood".to_owned());
            return;
        };
        self.read = Some(entry.number);
        let at = self.moment_of(entry.at);
        match security::read(&entry) {
            Some(security::Told::Attempt(attempt)) => self.tell(at, Fact::Logon(logon(attempt))),
            Some(security::Told::Rights(rights)) => self.tell(at, Fact::Rights(changed(rights))),
            Some(security::Told::Cleared) => {
                self.lose("the Security log was emptied".to_owned());
            }
            None => {}
        }
    }

    fn tell(&self, at: Moment, fact: Fact) {
        // Closed only if the detectors' stage ended, which ends the agent.
        drop(self.parts.out.blocking_send(Observation { at, fact }));
    }

    fn lose(&self, detail: String) {
        let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
        self.tell(self.parts.clock.moment(), Fact::Lost(lost));
    }

    fn blind(&mut self, why: &str) {
        self.parts.board.set(LOGONS, SensorState::Blind, why);
        if !std::mem::replace(&mut self.told, true) {
            self.lose(format!("{LOGONS} are not seen: {why}"));
        }
    }

    fn rest(&self) {
        let mut rested = Duration::ZERO;
        while rested < RETRY_PAUSE && !self.stopping.load(Ordering::Relaxed) {
            std::thread::sleep(RETRY_STEP);
            rested += RETRY_STEP;
        }
    }

    fn keep(&mut self) {
        let Some(file) = self.file.as_deref().filter(|_| self.read != self.kept) else { return };
        if let Err(error) = durable::replace_json(file, &self.read) {
            tracing::warn!(%error, "the place in the Security log is not kept");
        }
        self.kept = self.read;
    }

    /// The moment an entry was written, by the clock that is used now.
    fn moment_of(&self, wall: Timestamp) -> Moment {
        past::moment_of(wall, self.parts.clock.moment())
    }
}

fn beside(file: &Path) -> PathBuf {
    file.with_file_name("security-log.json")
}

fn words(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        "the right to read the Security log is missing (administrator)".to_owned()
    } else {
        format!("the Security log cannot be read: {error}")
    }
}

fn logon(attempt: security::Attempt) -> LogonSeen {
    let security::Attempt { name, whose, is_administrator, succeeded, source, service, manner } =
        attempt;
    let standing = match whose {
        security::Whose::Person => Standing::Person,
        security::Whose::System => Standing::System,
        security::Whose::Nobody => Standing::Nobody,
    };
    let power = if is_administrator { Power::Administrator } else { Power::Ordinary };
    LogonSeen {
        account: Account { name, standing, power },
        outcome: if succeeded { Outcome::Succeeded } else { Outcome::Failed },
        source,
        service,
        manner: match manner {
            security::Manner::Remote => Manner::Remote,
            security::Manner::Share => Manner::Share,
            security::Manner::Console => Manner::Console,
            security::Manner::Elevation => Manner::Elevation,
        },
        times: 1,
    }
}

fn changed(rights: security::Rights) -> RightsSeen {
    let security::Rights { id, name, granted, group } = rights;
    let (change, power) = match granted {
        true => (RightsChange::Granted, Power::Administrator),
        false => (RightsChange::Withdrawn, Power::Ordinary),
    };
    let account = Account { name: name.unwrap_or(id), standing: Standing::Person, power };

    RightsSeen { account, change, by: format!("group `{group}`") }
}
