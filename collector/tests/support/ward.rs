//! A collector's store with one facility and one host whose agent sends a mass change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use shirase_collector::correlate::CorrelateConfig;
use shirase_collector::enrolment::{Applicant, issue_token};
use shirase_collector::facilities::{CareRole, Facility, Master, Vendor};
use shirase_collector::ingest::{Intake, Taken, take_batch};
use shirase_collector::jobs::correlate::CorrelateJob;
use shirase_collector::jobs::{Job, Nudge, Outcome};
use shirase_collector::store::Store;
use shirase_shared::clock::{Clock, ManualClock, SharedClock};
use shirase_shared::event::{Phase, Severity};
use shirase_shared::ids::{BurstId, FacilityId, HostId, StreamId};
use shirase_shared::testing::builders::{mass_change, night, numbered};
use shirase_shared::tls::{install_crypto_provider, sha256_hex};
use shirase_shared::wire::{Batch, BatchHead, WIRE_VERSION};

pub(crate) const VENDOR_PHONE: &str = "03-0000-0011";

/// A collector's store with one facility and one host, and a job that tells its staff.
pub(crate) struct Ward {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) facility: FacilityId,
    pub(crate) host: HostId,
    stream: StreamId,
    burst: BurstId,
    sent: u64,
}

impl Ward {
    pub(crate) async fn open(name: &str) -> Self {
        install_crypto_provider();
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let clock = Arc::new(ManualClock::new(night()));
        let facility: FacilityId = "handa-hp".parse().unwrap();
        let vendor = Vendor {
            system: CareRole::Ehr,
            company: "架空電子カルテ株式会社".to_owned(),
            person: String::new(),
            phone: String::new(),
            phone_24h: VENDOR_PHONE.to_owned(),
            mail: String::new(),
        };
        let master = Master { name: name.to_owned(), vendors: vec![vendor], ..Master::default() };
        let new = Facility::create(facility.clone(), master, clock.now());
        store.add_facility(&new.facility).await.unwrap();
        let host = enrolled(&store, &facility, &*clock).await;

        let (stream, burst) = (StreamId::random(), BurstId::random());
        Self { dir, store, clock, facility, host, stream, burst, sent: 0 }
    }

    /// Stores one more event of the same burst and lets the rules run.
    pub(crate) async fn burst(&mut self, severity: Severity) {
        self.sent += 1;
        let phase = if self.sent == 1 { Phase::Opened } else { Phase::Grew };
        let mut event = mass_change(self.burst, phase, 30 * self.sent, 0);
        event.severity = severity;
        let sent = event.moment;
        let mut records = numbered(self.stream, vec![event]);
        records[0].sequence.0 = self.sent;
        let head = BatchHead {
            wire: WIRE_VERSION,
            stream: self.stream,
            first: records[0].sequence,
            count: 1,
            sent,
        };
        let lines = vec![serde_json::to_vec(&records[0]).unwrap()];
        let body = Batch { head, lines }.encode().unwrap();
        let intake = Intake {
            facility: self.facility.clone(),
            host: self.host,
            received_at: self.clock.now(),
        };
        let taken = take_batch(&self.store, &intake, body).await.unwrap();
        assert!(matches!(taken, Taken::Stored(..)), "{taken:?}");
        let rules = CorrelateConfig::default();
        let clock: SharedClock = self.clock.clone();
        let mut job = CorrelateJob::new(self.store.clone(), clock, Nudge::default(), rules);
        assert!(matches!(job.activate().await, Outcome::Changed(_)));
    }
}

async fn enrolled(store: &Store, facility: &FacilityId, clock: &dyn Clock) -> HostId {
    let hour = SignedDuration::from_hours(1);
    let (token, _) = issue_token(store, facility, "ehr1", hour, clock)
        .await
        .unwrap();
    let applicant = Applicant {
        token_sha256: &token.sha256,
        key_sha256: &sha256_hex(b"key"),
        hostname: "ehr1",
        os: "Debian GNU/Linux 12",
    };
    let host = store
        .let_in(&applicant, clock.now())
        .await
        .unwrap()
        .unwrap()
        .host;
    let roles = BTreeSet::from([CareRole::Ehr]);
    store
        .set_host_care((facility, host), &roles, &BTreeMap::new())
        .await
        .unwrap();
    host
}
