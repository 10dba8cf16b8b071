//! Submitting, approving and sending back: the rules are asked, files rendered and signed, the decision stored.

use jiff::Timestamp;
use shirase_shared::error::Chain;
use shirase_shared::tls::sha256_hex;

use super::{LANG, ReleaseError, Releases, read_frozen};
use crate::approval::{
    Approved, Decision, DecisionRecord, Format, Rendering, SignedParts, Submission, Verdict,
    signed_text,
};
use crate::audit::{Carrier, Departure, Head};
use crate::locale::Locale;
use crate::reports::answer::{Answer, Source};
use crate::reports::render::Stage;
use crate::reports::round::{HandedIn, own_answers};
use crate::store::{NewApproval, NewSubmission, StoreError};

impl Releases {
    /// Submits a draft: sets the report time and freezes the answers.
    ///
    /// # Errors
    /// Refuses a stale revision and a report that is no draft.
    pub async fn submit(&self, verdict: &Verdict) -> Result<Submission, ReleaseError> {
        let report = self
            .0
            .store
            .report(&verdict.facility, verdict.report)
            .await?;
        let now = self.now();
        let sheet = self.0.store.sheet(&verdict.facility, report.id).await?;
        let profile = self.profile(&report.profile)?;
        let mut authors: Vec<String> = sheet.answers.values().filter_map(author).collect();
        authors.sort();
        authors.dedup();
        let handed_in = HandedIn { by: verdict.by.clone(), at: now, authors };
        let new = NewSubmission {
            verdict: verdict.clone(),
            profile: profile.frozen(),
            sender: self.sender(&verdict.facility).await?,
            incident_number: self.incident_number(&report).await?,
            own: own_answers(&report, profile, Some(&handed_in), (now, Locale::new(LANG))),
            former: self.former(&report, &sheet.answers).await?,
        };
        let submission = self.0.store.submit_report(&new, now).await?;
        let (report, revision) = (submission.report, submission.revision);
        tracing::info!(report.id = %report, %revision, "submitted report {report}");

        Ok(submission)
    }

    /// Approves submitted answers: renders, signs and stores them with the decision, and reads the record back.
    ///
    /// # Errors
    /// Refuses what the rules of approval refuse; without a font nothing is approved.
    pub async fn approve(&self, verdict: &Verdict) -> Result<Approved, ReleaseError> {
        let (submission, own_answers) = self
            .0
            .store
            .weigh_decision(verdict, Decision::Approved, "")
            .await?;
        let frozen = read_frozen(&submission)?;
        let now = self.now();
        let stage = Stage::Approved { by: verdict.by.name.clone(), at: now, own_answers };
        let made = self
            .render_all(frozen, submission.answers_sha256.clone(), stage)
            .await?;
        let renderings = made
            .into_iter()
            .map(|file| self.sign(&submission, file, now))
            .collect();
        let new = NewApproval {
            verdict: verdict.clone(),
            answers_sha256: submission.answers_sha256,
            own_answers,
            renderings,
        };
        self.0.store.approve_report(&new, now).await?;
        self.note_departure(&new.renderings, now).await;
        let report = verdict.report;
        tracing::info!(report.id = %report, revision = %submission.revision, "approved report {report}");

        let approved = self.approved(&verdict.facility, report).await?;
        approved.ok_or(ReleaseError::Store(StoreError::Missing("approval")))
    }

    /// Notes which head of the audit log the files carry away. The approval stands, whether or not that is noted.
    async fn note_departure(&self, renderings: &[Rendering], at: Timestamp) {
        let json = renderings.iter().find(|file| file.format == Format::Json);
        let heads = json.map(|file| Head::find_all(&String::from_utf8_lossy(&file.bytes)));
        let Some(head) = heads.and_then(|mut heads| heads.pop()) else { return };
        let departure = Departure { carrier: Carrier::Report, head, at };
        if let Err(error) = self.0.store.head_left(&departure).await {
            tracing::warn!(error = %Chain(&error), "the departure of the audit log's head was not noted");
        }
    }

    /// Rejects submitted answers: the report is a draft again.
    ///
    /// # Errors
    /// Refuses what the rules of approval refuse, an empty reason among it.
    pub async fn reject(
        &self,
        verdict: &Verdict,
        reason: &str,
    ) -> Result<DecisionRecord, ReleaseError> {
        let record = self
            .0
            .store
            .reject_report(verdict, reason, self.now())
            .await?;
        let report = verdict.report;
        tracing::info!(report.id = %report, revision = %record.revision, "rejected report {report}");

        Ok(record)
    }

    /// Signs a file as made for these frozen answers.
    fn sign(
        &self,
        submission: &Submission,
        (format, bytes): (Format, Vec<u8>),
        now: Timestamp,
    ) -> Rendering {
        let sha256 = sha256_hex(&bytes);
        let text = signed_text(&SignedParts {
            report: submission.report,
            revision: submission.revision,
            answers_sha256: &submission.answers_sha256,
            format,
            file_sha256: &sha256,
        });
        Rendering {
            revision: submission.revision,
            format,
            signature: self.0.report_key.sign_base64(text.as_bytes()),
            sha256,
            bytes,
            made_at: now,
        }
    }
}

fn author(answer: &Answer) -> Option<String> {
    match &answer.source {
        Source::Person { name, .. } => Some(name.clone()),
        Source::Machine { .. } | Source::MasterData => None,
    }
}
