//! The one place that reads a clock.
//!
//! Always holds: everything that decides takes the time as an argument; what acts asks a [`Clock`].

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::BootId;

/// Where the clock of a program begins that does not know when the machine started, in milliseconds: so that there are
/// numbers for what happened before, up to a month ago.
#[cfg(not(target_os = "linux"))]
const HEAD_START_MS: u64 = 31 * 24 * 60 * 60 * 1000;

/// A moment as a machine knows it: wall time can be wrong or jump, the other two cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Wall time in UTC.
    pub wall: Timestamp,
    /// Which start of the operating system this was.
    pub boot: BootId,
    /// Milliseconds since that start, time asleep included.
    pub monotonic_ms: u64,
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns wall time, boot and monotonic time, read together.
    fn moment(&self) -> Moment;

    /// Returns wall time in UTC.
    fn now(&self) -> Timestamp {
        self.moment().wall
    }
}

/// A clock that many parts share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
pub struct SystemClock {
    boot: BootId,
    #[cfg(not(target_os = "linux"))]
    started: std::time::Instant,
}

impl SystemClock {
    /// Makes a clock for this start of the machine.
    ///
    /// `boot` is what the operating system calls this start (Linux: `/proc/sys/kernel/random/boot_id`); where it
    /// has no name for it, pass a random one, which then stands for this start of the program.
    #[must_use]
    pub fn new(boot: BootId) -> Self {
        Self {
            boot,
            #[cfg(not(target_os = "linux"))]
            started: std::time::Instant::now(),
        }
    }

    #[cfg(target_os = "linux")]
    #[expect(clippy::unused_self, reason = "other systems measure from the start of the program")]
    fn monotonic_ms(&self) -> u64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let millis = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or(0);

        seconds * 1000 + millis
    }

    #[cfg(not(target_os = "linux"))]
    fn monotonic_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        elapsed.saturating_add(HEAD_START_MS)
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn moment(&self) -> Moment {
        Moment { wall: Timestamp::now(), boot: self.boot, monotonic_ms: self.monotonic_ms() }
    }
}

/// A clock that stands still until a test moves it.
pub struct ManualClock(Mutex<Moment>);

impl ManualClock {
    /// Starts at `wall`, one minute after boot.
    #[must_use]
    pub fn new(wall: Timestamp) -> Self {
        let boot = BootId::from_uuid(uuid::Uuid::from_u128(1));
        Self(Mutex::new(Moment { wall, boot, monotonic_ms: 60_000 }))
    }

    /// Lets time pass: wall and monotonic time move together.
    pub fn advance(&self, by: SignedDuration) {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moment.wall += by;
        moment.monotonic_ms += u64::try_from(by.as_millis()).unwrap_or(0);
    }

    /// Sets the wall clock alone, as a person or a time server would.
    pub fn set_wall(&self, wall: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wall = wall;
    }
}

impl Clock for ManualClock {
    fn moment(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
