//! Submitting, approving, sending and taking back: the rules are asked, files rendered and signed, the decision stored.

use jiff::Timestamp;
use shirase_shared::error::Chain;
use shirase_shared::tls::sha256_hex;

use super::{LANG, ReleaseError, Releases, read_frozen};
use crate::approval::{
    Approved, DecisionRecord, Format, Rendering, ReviewOutcome, SignedParts, Submission, Verdict,
    Weight, WithdrawalAsked, signed_text,
};
use crate::audit::{Carrier, Departure, Head};
use crate::locale::Locale;
use crate::reports::answer::{Answer, Source};
use crate::reports::render::Stage;
use crate::reports::round::{HandedIn, own_answers};
use crate::store::{DecisionError, NewApproval, NewSubmission, StoreError, Weighed, Wish};

/// How often an approval is weighed and rendered anew because somebody else approved at the same moment.
const DECISION_ATTEMPTS: usize = 5;

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

    /// Approves submitted answers. Where others have to approve too, this one is stored and `None` returned; the last
    /// one renders, signs and stores the files with it and reads the record back.
    ///
    /// # Errors
    /// Refuses what the rules of approval refuse; without a font nothing is approved.
    pub async fn approve(&self, verdict: &Verdict) -> Result<Option<Approved>, ReleaseError> {
        self.decide(&Wish::approve(verdict.clone())).await
    }

    /// Releases submitted answers alone, because waiting would do harm. The caller has asked for the second factor.
    ///
    /// # Errors
    /// Refuses where the facility allows none, and without a reason; without a font nothing is approved.
    pub async fn approve_in_emergency(
        &self,
        verdict: &Verdict,
        reason: &str,
    ) -> Result<Option<Approved>, ReleaseError> {
        self.decide(&Wish::emergency(verdict.clone(), reason)).await
    }

    async fn decide(&self, wish: &Wish) -> Result<Option<Approved>, ReleaseError> {
        let Verdict { facility, report, .. } = &wish.verdict;
        for _ in 0..DECISION_ATTEMPTS {
            let weighed = self.0.store.weigh_decision(wish, self.now()).await?;
            let renderings = match weighed.weight {
                Weight::Counts => Vec::new(),
                Weight::Completes => self.renderings(&weighed).await?,
            };
            let (weight, revision) = (weighed.weight, weighed.submission.revision);
            let new = NewApproval { wish: wish.clone(), weighed, renderings };
            match self.0.store.approve_report(&new).await {
                Ok(_) => self.note_departure(&new.renderings).await,
                // Somebody else approved in between: the files have to tell of that too.
                Err(DecisionError::Moved) => continue,
                Err(error) => return Err(error.into()),
            }
            return match weight {
                Weight::Counts => {
                    tracing::info!(report.id = %report, %revision, "one of several approved report {report}");
                    Ok(None)
                }
                Weight::Completes => {
                    tracing::info!(report.id = %report, %revision, "approved report {report}");
                    let approved = self.approved(facility, *report).await?;
                    approved
                        .map(Some)
                        .ok_or(StoreError::Missing("approval").into())
                }
            };
        }

        Err(StoreError::Stale("report").into())
    }

    /// Renders and signs every file of a report that one more approval releases.
    async fn renderings(&self, weighed: &Weighed) -> Result<Vec<Rendering>, ReleaseError> {
        let Weighed { submission, so_far, record, .. } = weighed;
        let frozen = read_frozen(submission)?;
        let mut decisions = so_far.clone();
        decisions.push(record.clone());
        let stage = Stage::released(&decisions, record.decided_at);
        let made = self
            .render_all(frozen, submission.answers_sha256.clone(), stage)
            .await?;

        Ok(made
            .into_iter()
            .map(|file| self.sign(submission, file, record.decided_at))
            .collect())
    }

    /// Takes a report back before anybody outside has it: it is a draft again.
    ///
    /// # Errors
    /// Refuses what the rules of approval refuse, an empty reason and a delivered report among it.
    pub async fn withdraw(
        &self,
        verdict: &Verdict,
        asked: &WithdrawalAsked,
    ) -> Result<DecisionRecord, ReleaseError> {
        let record = self
            .0
            .store
            .take_report_back(verdict, asked, self.now())
            .await?;
        let report = verdict.report;
        tracing::info!(report.id = %report, revision = %record.revision, "withdrew report {report}");

        Ok(record)
    }

    /// Records that another person looked at an emergency release.
    ///
    /// # Errors
    /// Refuses whoever released it, a second review, and an objection without words.
    pub async fn review(
        &self,
        verdict: &Verdict,
        (outcome, note): (ReviewOutcome, &str),
    ) -> Result<(), ReleaseError> {
        self.0
            .store
            .review_release(verdict, (outcome, note), self.now())
            .await?;
        let report = verdict.report;
        tracing::info!(report.id = %report, outcome = outcome.as_str(), "reviewed the emergency release of report {report}");

        Ok(())
    }

    /// Notes which head of the audit log the files carry away. The approval stands, whether or not that is noted.
    async fn note_departure(&self, renderings: &[Rendering]) {
        let json = renderings.iter().find(|file| file.format == Format::Json);
        let heads = json.map(|file| Head::find_all(&String::from_utf8_lossy(&file.bytes)));
        let Some(head) = heads.and_then(|mut heads| heads.pop()) else { return };
        let departure = Departure { carrier: Carrier::Report, head, at: self.now() };
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
        Source::Machine { .. } | Source::Told { .. } | Source::MasterData => None,
    }
}
