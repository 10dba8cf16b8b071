//! The thread that takes reports out of the kernel's queue, and does nothing else that could take long.
//!
//! After each drain it lets changes gather: cheaper than one by one, and the kernel merges what is the same. A few
//! milliseconds at the beginning of some activity and as long as there is haste, since something was seen that may be
//! harm; longer while ordinary work goes on, for being woken costs more than all that is done then. The first change
//! after a pause is taken at once, while its process is still there. When the worker's queue is full it waits, and the
//! kernel's own queue, which is larger, fills.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::actors::Actors;
use super::records;
use super::sys::{self, Woken};
use crate::sensors::files::raw::{Batch, Inlet, Raw, RawEvent, Slot, Waiting};

/// Batches that may wait for the worker; 32 KiB each.
const BATCHES_MAX: usize = 256;
/// How long to wait for the worker to make room.
const ROOM_PAUSE: Duration = Duration::from_millis(2);
/// Bytes read at once: some three hundred changes.
const READ_BYTES: usize = 32 * 1024;
/// No report is longer: a head, and at the most two names of 255 bytes with their handles.
const REPORT_MAX_BYTES: usize = 2048;
/// How long changes gather at the beginning of some activity: each millisecond is a third of a file lost.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// How long they gather when it goes on and there is no haste. Whoever begins to harm files amid it has reached seven
/// at the most, at 280 a second, when the first of them are seen; from then on there is haste.
const LATER_PAUSE: Duration = Duration::from_millis(25);
/// Activity that has lasted this long goes on.
const LASTING_MS: u64 = 1000;
/// Rest before reading is tried again after it failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// A pause this long ends an activity.
const QUIET_MS: u64 = 100;

/// What the thread owns.
pub(super) struct Reader {
    pub(super) group: Arc<OwnedFd>,
    /// Its other end is closed when the thread should end.
    pub(super) stop: io::PipeReader,
    pub(super) inlet: Inlet,
    /// Counts the batches that wait.
    pub(super) slots: Slot,
}

impl Reader {
    /// Reads until the other end of `stop` is closed or nobody takes what was read.
    pub(super) fn run(self) {
        self.inlet.haste.gather_here();
        let mut actors = Actors::default();
        let mut buffer = vec![0; READ_BYTES];
        let (mut begun_ms, mut last_ms, mut failed) = (0, 0, false);
        loop {
            match sys::wait(self.group.as_fd(), self.stop.as_fd()) {
                Ok(Woken::Readable) => {}
                Ok(Woken::Stopped) => return,
                Ok(Woken::ByNothing) => continue,
                Err(error) => {
                    self.missed(&error, &mut failed);
                    if sys::has_ended(self.stop.as_fd()) {
                        return;
                    }
                    continue;
                }
            }
            match self.drain(&mut buffer, &mut actors) {
                Ok(true) => failed = false,
                Ok(false) => return,
                Err(error) => self.missed(&error, &mut failed),
            }
            let now_ms = self.inlet.clock.moment().monotonic_ms;
            if last_ms + QUIET_MS < now_ms {
                begun_ms = now_ms;
            }
            last_ms = now_ms;
            let lasting = begun_ms + LASTING_MS < now_ms;
            let calm = lasting && !self.inlet.haste.is_asked(now_ms);
            std::thread::park_timeout(if calm { LATER_PAUSE } else { FIRST_PAUSE });
        }
    }

    /// Takes everything that waits. Returns whether somebody still wants it.
    fn drain(&self, buffer: &mut [u8], actors: &mut Actors) -> io::Result<bool> {
        actors.begin_batch(self.inlet.clock.moment().monotonic_ms);
        loop {
            if BATCHES_MAX < self.slots.taken() {
                // The kernel's queue has more room than this process should have.
                std::thread::sleep(ROOM_PAUSE);
                if sys::has_ended(self.stop.as_fd()) {
                    return Ok(false);
                }
                continue;
            }
            let length = match sys::read(self.group.as_fd(), buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let batch = self.batch(buffer.get(..length).unwrap_or_default(), actors);
            if !batch.actors.is_empty() && self.inlet.queue.send(Waiting::Many(batch)).is_err() {
                return Ok(false);
            }
            if length + REPORT_MAX_BYTES < buffer.len() {
                // It was not for want of room that reading ended.
                return Ok(true);
            }
        }
    }

    /// Notes who did each change.
    fn batch(&self, read: &[u8], actors: &mut Actors) -> Batch {
        let at = self.inlet.clock.moment();
        let slot = self.slots.take();
        let mut batch = Batch { at, bytes: read.to_vec(), actors: Vec::new(), _slot: slot };
        let mut last = None;
        for report in records::reports(read) {
            let actor = match &last {
                _ if report.has(libc::FAN_Q_OVERFLOW) => None,
                Some((pid, actor)) if *pid == report.pid => Some(Arc::clone(actor)),
                Some(_) | None => {
                    let actor = actors.who(report.pid);
                    last = Some((report.pid, actor.clone()));
                    Some(actor)
                }
            };
            batch.actors.push(actor);
        }
        batch
    }

    /// Tells that something was missed, once for a run of failures, and rests before the next try.
    fn missed(&self, error: &io::Error, failed: &mut bool) {
        if !*failed {
            *failed = true;
            tracing::error!(error = %error, "the kernel's queue of file changes cannot be read; it is tried again");
            let (at, path) = (self.inlet.clock.moment(), PathBuf::new());
            let event = RawEvent { at, path, what: Raw::Overflow, actor: None };
            // A closed queue means that the sensor is ending.
            drop(self.inlet.queue.send(Waiting::One(event)));
        }
        std::thread::sleep(RETRY_PAUSE);
    }
}
