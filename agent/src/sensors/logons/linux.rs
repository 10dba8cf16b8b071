//! Reads the journal or the log files of Linux, and looks at its accounts.
//!
//! Always holds: the tasks are independent of each other, and each tries again on its own after it could not see.

mod journal;
mod tail;
mod rights;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::clock::{Moment, SharedClock};
use shirase_shared::event::LossKind;
use shirase_shared::wire::SensorState;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::accounts::Accounts;
use super::reading::{Attempt, Reader, Told};
use super::samba::Samba;
use super::{LOGONS, LogonSource, LogonsConfig, LogonsParts, SAMBA, lines};
use crate::observation::{Fact, LogonSeen, Lost, Observation, RightsChange, RightsSeen};
use crate::sensors::SensorBoard;
use tail::Tails;

/// Pause before a source that could not be read is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(60);
/// Pause between two looks for new lines in files.
const POLL_PAUSE: Duration = Duration::from_secs(1);
/// How far back the journal is read after the agent was not running.
const CATCH_UP_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What the tasks share.
pub(super) struct Desk {
    config: LogonsConfig,
    clock: SharedClock,
    out: mpsc::Sender<Observation>,
    board: SensorBoard,
    accounts: Mutex<Accounts>,
    /// Says that the files of accounts are worth a look.
    accounts_changed: Notify,
}

pub(super) async fn run(parts: LogonsParts, stop: CancellationToken) {
    let LogonsParts { config, clock, out, board, since, known_administrators } = parts;
    let desk = Arc::new(Desk {
        config,
        clock,
        out,
        board,
        accounts: Mutex::default(),
        accounts_changed: Notify::new(),
    });
    // Whose account is asked for must be known before the first attempt is read.
    drop(desk.look_up().await);
    let mut tasks = JoinSet::new();
    if desk.config.administrators_interval_secs != 0 {
        tasks.spawn(rights::watch(Arc::clone(&desk), known_administrators, stop.clone()));
    }
    if desk.config.source != LogonSource::Off {
        tasks.spawn(attempts(Arc::clone(&desk), since, stop.clone()));
    }
    if !desk.config.samba_logs.is_empty() {
        tasks.spawn(samba(Arc::clone(&desk), stop));
    }
    while tasks.join_next().await.is_some() {}
}

impl Desk {
    async fn tell(&self, at: Moment, fact: Fact) {
        // Closed only if the detectors' stage ended, which ends the agent.
        drop(self.out.send(Observation { at, fact }).await);
    }

    /// Says that a part does not see, on the board and, where it is news, by a loss.
    async fn blind(&self, name: &str, why: &str, told: &mut bool) {
        self.board.set(name, SensorState::Blind, why);
        if *told {
            return;
        }
        *told = true;
        let detail = format!("{name} are not seen: {why}");
        let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
        self.tell(self.clock.moment(), Fact::Lost(lost)).await;
    }

    /// Tells what a line told.
    async fn hand_on(&self, at: Moment, told: Told) {
        match told {
            Told::Attempt(attempt) => {
                let seen = self.seen(attempt);
                self.tell(at, Fact::Logon(seen)).await;
            }
            Told::Granted { name, by } => {
                let mut account = self.known().account(&name);
                account.power = crate::observation::Power::Administrator;
                let seen = RightsSeen { account, change: RightsChange::Granted, by };
                self.tell(at, Fact::Rights(seen)).await;
                self.accounts_changed.notify_one();
            }
            Told::AccountsChanged => self.accounts_changed.notify_one(),
        }
    }

    fn seen(&self, attempt: Attempt) -> LogonSeen {
        let account = self.known().named(&attempt);
        let Attempt { source, service, manner, outcome, times, .. } = attempt;

        LogonSeen { account, outcome, source, service, manner, times }
    }

    fn known(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the moment a source says something was written: now, or a little earlier.
    fn moment_of(&self, at: Option<Timestamp>) -> Moment {
        let now = self.clock.moment();
        let Some(wall) = at.filter(|at| *at <= now.wall) else { return now };
        let ago = now.wall.duration_since(wall).as_millis();
        let monotonic_ms = now
            .monotonic_ms
            .saturating_sub(u64::try_from(ago).unwrap_or(0));

        Moment { wall, monotonic_ms, ..now }
    }
}

/// What is read for now.
enum Chosen {
    Journal,
    Files,
}

/// Reads attempts from where they are, until `stop`.
async fn attempts(desk: Arc<Desk>, since: Option<Timestamp>, stop: CancellationToken) {
    let mut reader = Reader::new(&desk.config.administrator_groups);
    let mut told = false;
    let mut from = since;
    while !stop.is_cancelled() {
        let why = match choose(&desk).await {
            Ok(Chosen::Journal) => {
                told = false;
                let now = desk.clock.moment();
                let since = from.map_or(now.wall, |from| from.max(earliest(now)));
                let ended = journal::follow(&desk, &mut reader, since, &stop).await;
                from = Some(desk.clock.now());
                ended
            }
            Ok(Chosen::Files) => {
                let ended = files(&desk, &mut reader, &mut told, &stop).await;
                from = Some(desk.clock.now());
                ended
            }
            Err(why) => Err(why),
        };
        if let Err(why) = why {
            desk.blind(LOGONS, &why, &mut told).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(RETRY_PAUSE) => {}
            }
        }
    }
}

/// Returns how far back the journal is read: a day, but not beyond the start of the machine, since what was before has no
/// place in its monotonic time, by which the detectors measure.
fn earliest(now: Moment) -> Timestamp {
    let up = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);

    now.wall - CATCH_UP_MAX.min(SignedDuration::from_millis(up))
}

async fn choose(desk: &Desk) -> Result<Chosen, String> {
    let files = || desk.config.files.iter().any(|path| path.exists());
    match desk.config.source {
        LogonSource::Files => Ok(Chosen::Files),
        LogonSource::Journal => journal::probe().await.map(|()| Chosen::Journal),
        LogonSource::Auto | LogonSource::Off => match journal::probe().await {
            Ok(()) => Ok(Chosen::Journal),
            Err(_) if files() => Ok(Chosen::Files),
            Err(why) => Err(format!("{why}, and none of {} is there", list(&desk.config.files))),
        },
    }
}

fn list(paths: &[PathBuf]) -> String {
    let shown: Vec<_> = paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();

    shown.join(", ")
}

/// Follows the log files until `stop`, or until none of them can be read any more.
async fn files(
    desk: &Desk,
    reader: &mut Reader,
    told: &mut bool,
    stop: &CancellationToken,
) -> Result<(), String> {
    let mut tails = Tails::at_the_end(&desk.config.files);
    while !stop.is_cancelled() {
        let (read, state) = look(&mut tails).await?;
        tails = read.tails;
        for line in &read.lines {
            if let Some(found) = lines::of_text(line).and_then(|line| reader.read(&line)) {
                desk.hand_on(desk.clock.moment(), found).await;
            }
        }
        match state {
            Ok(detail) => {
                *told = false;
                desk.board.set(LOGONS, SensorState::Well, detail);
            }
            Err(why) => return Err(why),
        }
        lost_lines(desk, read.dropped).await;
        if !read.more {
            pause(stop).await;
        }
    }

    Ok(())
}

/// Follows Samba's logs until `stop`.
async fn samba(desk: Arc<Desk>, stop: CancellationToken) {
    let mut tails = Tails::at_the_end(&desk.config.samba_logs);
    let mut reader = Samba::default();
    let mut told = false;
    while !stop.is_cancelled() {
        let Ok((read, state)) = look(&mut tails).await else { return };
        tails = read.tails;
        for line in &read.lines {
            if let Some(attempt) = reader.read(line) {
                let seen = desk.seen(attempt);
                desk.tell(desk.clock.moment(), Fact::Logon(seen)).await;
            }
        }
        match state {
            Ok(detail) => {
                told = false;
                desk.board.set(SAMBA, SensorState::Well, detail);
            }
            Err(why) => desk.blind(SAMBA, &why, &mut told).await,
        }
        lost_lines(&desk, read.dropped).await;
        if !read.more {
            pause(&stop).await;
        }
    }
}

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(POLL_PAUSE) => {}
    }
}

/// What one look at some files found.
struct Look {
    tails: Tails,
    lines: Vec<String>,
    dropped: u64,
    more: bool,
}

/// Reads what is new in the files, beside the runtime: a file can lie on a disk that hangs.
async fn look(tails: &mut Tails) -> Result<(Look, Result<String, String>), String> {
    let mut taken = std::mem::take(tails);
    let looked = tokio::task::spawn_blocking(move || {
        let mut lines = Vec::new();
        let progress = taken.read(&mut lines);
        let state = taken.state();
        let (dropped, more) = (progress.dropped, progress.more);
        (Look { tails: taken, lines, dropped, more }, state)
    });

    looked.await.map_err(|error| error.to_string())
}

/// Tells of lines that were too long to be a log's.
async fn lost_lines(desk: &Desk, dropped: u64) {
    if dropped == 0 {
        return;
    }
    let detail = "lines of a log were longer than any program of the system writes".to_owned();
    let lost = Lost { what: LossKind::SensorBlind, count: Some(dropped), detail };
    desk.tell(desk.clock.moment(), Fact::Lost(lost)).await;
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::moment;

    use super::*;

    #[test]
    fn nothing_is_read_from_before_the_machine_started() {
        // A minute after it did.
        let ago = |seconds: i64| {
            let now = moment(seconds);
            now.wall.duration_since(earliest(now)).as_secs()
        };
        assert_eq!(ago(0), 60);
        assert_eq!(ago(200_000), 86_400);
    }
}
