//! Lets the detectors judge what the sensors see, and tells them what else they must know.

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::Event;
use shirase_shared::ids::DrillId;
use tokio::sync::mpsc;

use crate::detectors::Detectors;
use crate::drill::Drill;
use crate::manifest::Recorder;
use crate::observation::Observation;

/// Notices waiting for the detectors. When full, those who give them wait.
pub(super) const NOTICES_CAPACITY: usize = 16;

/// What the detectors must know besides observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// What happens below this directory belongs to a drill.
    DrillBegins(Drill),
    /// The drill's files are gone.
    DrillOver(DrillId),
    /// Ordinary mass work is expected until then.
    Maintenance {
        /// When it ends.
        until: Timestamp,
    },
}

pub(super) struct Detecting {
    pub(super) detectors: Detectors,
    pub(super) recorder: Recorder,
    pub(super) clock: SharedClock,
    pub(super) events: mpsc::Sender<Event>,
}

impl Detecting {
    pub(super) async fn run(self, mut o: mpsc::Receiver<Observation>, _n: mpsc::Receiver<Notice>) {
        while o.recv().await.is_some() {}
    }
}
