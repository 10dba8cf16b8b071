//! A ward with a report somebody wrote and somebody else approved, and the job that delivers it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shirase_collector::approval::Verdict;
use shirase_collector::config::Config;
use shirase_collector::deliver::{
    Addressee, Attempt, Choice, Decided, DeliverConfig, Delivery, Purpose, Way, Wish,
};
use shirase_collector::enrolment::authority::Authority;
use shirase_collector::jobs::deliver::DeliverJob;
use shirase_collector::jobs::draft_reports::DraftReportsJob;
use shirase_collector::jobs::{Job, Nudge, Outcome};
use shirase_collector::keys::{REPORT_KEY_FILE, SigningKey};
use shirase_collector::locale::{Lang, Locale};
use shirase_collector::notify::mail::{MailConfig, MailTls, Patience};
use shirase_collector::post::Post;
use shirase_collector::release::{Releases, read_profiles};
use shirase_collector::reports::answer::NamedPerson;
use shirase_collector::reports::{Report, ReportStatus};
use shirase_shared::clock::{Clock as _, SharedClock};
use shirase_shared::event::Severity;
use shirase_shared::ids::{DeliveryId, UserId};

use crate::ward::Ward;

/// Who chooses, records and decides.
pub(crate) fn worker() -> NamedPerson {
    let user = UserId::from_uuid(uuid::Uuid::from_u128(42));
    NamedPerson { user, name: "佐藤 花子".to_owned() }
}

pub(crate) fn plain_mail(port: u16) -> MailConfig {
    MailConfig {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        from: "しらせ総合病院 <report@hospital.example>".to_owned(),
        ..MailConfig::default()
    }
}

/// Short enough for a test, long enough for a busy machine.
pub(crate) const PATIENCE: Patience =
    Patience { before: Duration::from_secs(8), text: Duration::from_secs(8) };

impl Ward {
    /// Lets an attack be seen and its report be approved.
    pub(crate) async fn released() -> (Self, Report) {
        let mut ward = Self::open("しらせ総合病院").await;
        ward.burst(Severity::Critical).await;
        let report = ward.drafted().await;
        let report = ward.approve(&report).await;
        (ward, report)
    }

    pub(crate) fn releases(&self) -> Releases {
        let key = SigningKey::load_or_create(&self.dir.path().join(REPORT_KEY_FILE)).unwrap();
        let profiles = Arc::new(read_profiles(self.dir.path()).unwrap());
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Releases::new(store, clock, profiles, key.into(), &PathBuf::new())
    }

    /// Lets the machine make the draft.
    pub(crate) async fn drafted(&self) -> Report {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let locale = Locale::new(Lang::Ja);
        let mut job = DraftReportsJob::new(store, clock, Nudge::default(), locale);
        job.activate().await;
        let mut reports = self.store.reports(&self.facility).await.unwrap();
        reports.pop().expect("a draft")
    }

    /// Submits a report and approves it as somebody else.
    pub(crate) async fn approve(&self, report: &Report) -> Report {
        let (facility, id) = (&self.facility, report.id);
        for name in ["提出 太郎", "承認 花子"] {
            let by = NamedPerson { user: UserId::random(), name: name.to_owned() };
            let revision = self.store.report(facility, id).await.unwrap().revision;
            let verdict = Verdict { facility: facility.clone(), report: id, revision, by };
            if name.starts_with("提出") {
                self.releases().submit(&verdict).await.unwrap();
            } else {
                self.releases().approve(&verdict).await.unwrap();
            }
        }
        let approved = self.store.report(facility, id).await.unwrap();
        assert_eq!(approved.status, ReportStatus::Approved);
        approved
    }

    pub(crate) fn wish(&self, report: &Report, way: Way, address: &str) -> Wish {
        Wish {
            facility: self.facility.clone(),
            report: report.id,
            way,
            purpose: Purpose::Report,
            addressee: Addressee {
                organisation: "厚生労働省 医政局".to_owned(),
                person: String::new(),
                address: address.to_owned(),
                drill_partner: false,
                contact: None,
                verified_on: None,
            },
            form: None,
            again: false,
            by: worker(),
        }
    }

    pub(crate) async fn choose(&self, report: &Report, way: Way, address: &str) -> DeliveryId {
        let wish = self.wish(report, way, address);
        let now = self.clock.now();
        self.store.create_delivery(&wish, now).await.unwrap().id
    }

    pub(crate) fn post(&self) -> Post {
        let key = SigningKey::load_or_create(&self.dir.path().join(REPORT_KEY_FILE)).unwrap();
        let authority = Authority::open(self.dir.path(), self.clock.now()).unwrap();
        let clock: SharedClock = self.clock.clone();
        Post::new(&Config::default(), (&self.store, &clock), &authority, key.into())
    }

    pub(crate) fn deliver_job(&self, mail: &MailConfig, config: &DeliverConfig) -> DeliverJob {
        DeliverJob {
            store: self.store.clone(),
            releases: self.releases(),
            post: self.post(),
            mail: mail.clone(),
            config: config.clone(),
            patience: PATIENCE,
            clock: self.clock.clone(),
            nudge: Nudge::default(),
        }
    }

    pub(crate) fn decided(&self, id: DeliveryId, choice: Choice, note: &str) -> Decided {
        Decided {
            facility: self.facility.clone(),
            delivery: id,
            choice,
            note: note.to_owned(),
            receipt: String::new(),
            by: worker().user,
        }
    }

    pub(crate) async fn decide(&self, id: DeliveryId, choice: Choice, note: &str) {
        let decided = self.decided(id, choice, note);
        self.store
            .decide_delivery(&decided, self.now())
            .await
            .unwrap();
    }

    /// Lets the job run once; a new job on the same store is what a restart comes to.
    pub(crate) async fn deliver(&self, mail: &MailConfig) -> Outcome {
        self.deliver_job(mail, &DeliverConfig::default())
            .activate()
            .await
    }

    pub(crate) async fn delivery(&self, id: DeliveryId) -> (Delivery, Vec<Attempt>) {
        let delivery = self.store.delivery(&self.facility, id).await.unwrap();
        let attempts = self.store.delivery_attempts(&self.facility, id).await;
        (delivery, attempts.unwrap())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
