//! Asks the print spooler for its jobs whenever it says that one was added.
//!
//! Always holds: its own thread; a job that is there at the beginning is told only if it was made since the last sign of
//! life.

mod spooler;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shirase_shared::clock::Moment;
use shirase_shared::event::LossKind;
use shirase_shared::wire::SensorState;
use tokio_util::sync::CancellationToken;

use super::{PRINTING, PrintingParts, titles};
use crate::observation::{Fact, Lost, Observation, PrintJob};
use crate::sensors::past::moment_of;
use spooler::{Job, Spooler};

/// How long to wait for word from the spooler before looking whether to stop.
const PATIENCE: Duration = Duration::from_millis(500);
/// Pause before a spooler that does not answer is asked again.
const RETRY_PAUSE: Duration = Duration::from_secs(30);

pub(super) async fn run(parts: PrintingParts, stop: CancellationToken) {
    let stopping = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stopping);
    let thread = tokio::task::spawn_blocking(move || {
        Watching { parts, stopping: seen, listed: None, told: false }.run();
    });
    stop.cancelled().await;
    stopping.store(true, Ordering::Relaxed);
    if thread.await.is_err() {
        tracing::error!("the thread that watches the print spooler panicked");
    }
}

struct Watching {
    parts: PrintingParts,
    stopping: Arc<AtomicBool>,
    /// The jobs of the last look; none before the first.
    listed: Option<BTreeSet<Job>>,
    told: bool,
}

impl Watching {
    fn run(mut self) {
        while !self.stopping.load(Ordering::Relaxed) {
            if let Err(error) = self.watch() {
                let why = format!("the print spooler does not answer: {error}");
                self.parts
                    .board
                    .set(PRINTING, SensorState::Blind, why.clone());
                if !std::mem::replace(&mut self.told, true) {
                    let detail = format!("print jobs are not seen: {why}");
                    let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
                    self.tell(self.parts.clock.moment(), Fact::Lost(lost));
                }
                self.rest();
            }
        }
    }

    fn watch(&mut self) -> std::io::Result<()> {
        let spooler = Spooler::open()?;
        self.look(&spooler)?;
        self.told = false;
        self.parts
            .board
            .set(PRINTING, SensorState::Well, "the print spooler");
        while !self.stopping.load(Ordering::Relaxed) {
            if spooler.wait(PATIENCE)? {
                self.look(&spooler)?;
            }
        }

        Ok(())
    }

    fn look(&mut self, spooler: &Spooler) -> std::io::Result<()> {
        let jobs = spooler.jobs()?;
        let begun = self.parts.since.unwrap_or_else(|| self.parts.clock.now());
        let is_new = |job: &&Job| match &self.listed {
            Some(listed) => !listed.contains(*job),
            None => begun <= job.made_at,
        };
        for job in jobs.iter().filter(is_new) {
            let wording = titles::wording(&job.title);
            let (printer, title) = (job.printer.clone(), job.title.clone());
            let at = moment_of(job.made_at, self.parts.clock.moment());
            self.tell(at, Fact::Print(PrintJob { printer, title, wording }));
        }
        self.listed = Some(jobs);

        Ok(())
    }

    fn tell(&self, at: Moment, fact: Fact) {
        // Closed only if the detectors' stage ended, which ends the agent.
        drop(self.parts.out.blocking_send(Observation { at, fact }));
    }

    fn rest(&self) {
        let mut rested = Duration::ZERO;
        while rested < RETRY_PAUSE && !self.stopping.load(Ordering::Relaxed) {
            std::thread::sleep(PATIENCE);
            rested += PATIENCE;
        }
    }
}
