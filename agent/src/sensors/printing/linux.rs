//! Asks CUPS over its socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::clock::Moment;
use shirase_shared::event::LossKind;
use shirase_shared::wire::SensorState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use super::ipp::{self, Job};
use super::{PRINTING, PrintingParts, titles};
use crate::observation::{Fact, Lost, Observation, PrintJob};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Jobs asked for at once.
const JOBS_AT_ONCE: i32 = 500;
/// Longest answer read: so many jobs with long titles.
const ANSWER_MAX_BYTES: u64 = 4 << 20;

/// Why there are no jobs to tell.
enum Blind {
    /// There is no print service.
    NotThere,
    /// It does not answer as it should.
    Silent(String),
}

/// How far the jobs were read.
enum Read {
    /// Not at all: what is there already is told only if it is younger than this.
    From(Timestamp),
    /// Up to this id.
    Through(i32),
}

pub(super) async fn run(parts: PrintingParts, stop: CancellationToken) {
    let interval = Duration::from_secs(parts.config.interval_secs);
    let now = parts.clock.moment();
    let mut read = Read::From(
        parts
            .since
            .map_or(now.wall, |since| since.max(started(now))),
    );
    let mut told = false;
    while !stop.is_cancelled() {
        match look(&parts, &mut read).await {
            Ok(jobs) => {
                told = false;
                parts.board.set(PRINTING, SensorState::Well, "asks CUPS");
                for job in jobs {
                    tell(&parts, moment_of(&parts, &job), fact(job)).await;
                }
            }
            Err(Blind::NotThere) => {
                parts
                    .board
                    .set(PRINTING, SensorState::Well, "there is no CUPS here");
            }
            Err(Blind::Silent(why)) => {
                parts.board.set(PRINTING, SensorState::Blind, why.clone());
                if !told {
                    let detail = format!("print jobs are not seen: {why}");
                    let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
                    tell(&parts, parts.clock.moment(), Fact::Lost(lost)).await;
                }
                told = true;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
    }
}

/// Returns when the machine started: jobs from before have no place in its monotonic time.
fn started(now: Moment) -> Timestamp {
    let up = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);

    now.wall
        .checked_sub(SignedDuration::from_millis(up))
        .unwrap_or(now.wall)
}

async fn tell(parts: &PrintingParts, at: Moment, fact: Fact) {
    // Closed only if the detectors' stage ended, which ends the agent.
    drop(parts.out.send(Observation { at, fact }).await);
}

fn fact(job: Job) -> Fact {
    let wording = titles::wording(&job.title);

    Fact::Print(PrintJob { printer: job.printer, title: job.title, wording })
}

/// Returns when a job was made; CUPS knows whole seconds of the wall clock.
fn moment_of(parts: &PrintingParts, job: &Job) -> Moment {
    let now = parts.clock.moment();
    let Ok(wall) = Timestamp::from_second(job.made_at) else { return now };
    if now.wall <= wall {
        return now;
    }
    let ago = u64::try_from(now.wall.duration_since(wall).as_millis()).unwrap_or(0);

    Moment { wall, monotonic_ms: now.monotonic_ms.saturating_sub(ago), ..now }
}

/// Returns the jobs made since the last look.
async fn look(parts: &PrintingParts, read: &mut Read) -> Result<Vec<Job>, Blind> {
    let socket = &parts.config.cups_socket;
    let mut found = Vec::new();
    // The last known job is asked for again: if it is not there, its id says nothing about new ones.
    let mut first = match read {
        Read::From(_) => 1,
        Read::Through(last) => (*last).max(1),
    };
    loop {
        let jobs = ask(socket, first).await?;
        let full = usize::try_from(JOBS_AT_ONCE).is_ok_and(|most| most <= jobs.len());
        let last = jobs.iter().map(|job| job.id).max();
        found.extend(jobs);
        match (full, last) {
            (true, Some(last)) if first <= last => first = last.saturating_add(1),
            (true | false, _) => break,
        }
    }
    let highest = found.iter().map(|job| job.id).max();
    match read {
        Read::From(since) => {
            let since = since.as_second();
            found.retain(|job| since <= job.made_at);
            *read = Read::Through(highest.unwrap_or(0));
        }
        Read::Through(last) => {
            if highest.is_none() && 0 < *last {
                // Its history was emptied, or it counts anew; then what is there now is all new.
                let anew = ask(socket, 1).await?;
                let top = anew.iter().map(|job| job.id).max().unwrap_or(0);
                if top < *last {
                    *last = top;
                    found = anew;
                    return Ok(found);
                }
            }
            let before = *last;
            found.retain(|job| before < job.id);
            *last = highest.unwrap_or(before).max(before);
        }
    }

    Ok(found)
}

async fn ask(socket: &Path, first: i32) -> Result<Vec<Job>, Blind> {
    let asked = tokio::time::timeout(PATIENCE, exchange(socket, first)).await;
    match asked {
        Ok(Ok(answer)) => ipp::jobs(&answer).map_err(Blind::Silent),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(Blind::NotThere),
        Ok(Err(error)) => Err(Blind::Silent(format!("CUPS does not answer: {error}"))),
        Err(_) => {
            let why = format!("CUPS did not answer within {} s", PATIENCE.as_secs());
            Err(Blind::Silent(why))
        }
    }
}

async fn exchange(socket: &Path, first: i32) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).await?;
    stream
        .write_all(&ipp::question(first, JOBS_AT_ONCE))
        .await?;
    let mut answer = Vec::new();
    stream
        .take(ANSWER_MAX_BYTES)
        .read_to_end(&mut answer)
        .await?;

    Ok(answer)
}
