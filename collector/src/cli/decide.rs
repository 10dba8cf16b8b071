//! `report submit|approve|reject|withdraw|review`: the same rules as in the console, for a terminal.

use anyhow::{Context, Result, bail};
use shirase_shared::secret::Secret;

use super::Desk;
use crate::approval::{ReviewOutcome, Verdict, WithdrawalAsked};
use crate::args::{ByPerson, OneReport};
use crate::audit::{Actor, AuditEntry};
use crate::people::{Grants, Role, User, check_totp, decoy_hash, verify_password};
use crate::reports::answer::{NamedPerson, Revision};

/// Somebody who proved who they are, and what they want to decide on.
struct Proven {
    verdict: Verdict,
    grants: Grants,
}

impl Desk<'_> {
    /// Submits a draft.
    pub(super) async fn submit(&mut self, one: &OneReport, person: &ByPerson) -> Result<()> {
        let Proven { verdict, .. } = self.proven(one, person, &[Role::Author]).await?;
        let submission = self.releases()?.submit(&verdict).await?;
        self.terminal.line(&format!(
            "submitted; revision {}, answers SHA-256 {}",
            submission.revision, submission.answers_sha256
        ))
    }

    /// Approves, or releases alone where `alone` says why.
    pub(super) async fn approve(
        &mut self,
        one: &OneReport,
        person: &ByPerson,
        alone: Option<&str>,
    ) -> Result<()> {
        let roles: &[Role] = match alone {
            None => &[Role::Approver],
            Some(_) => &[Role::Approver, Role::Administrator],
        };
        let Proven { verdict, .. } = self.proven(one, person, roles).await?;
        let releases = self.releases()?;
        let released = match alone {
            None => releases.approve(&verdict).await?,
            Some(reason) => releases.approve_in_emergency(&verdict, reason).await?,
        };
        let Verdict { facility, report, .. } = &verdict;
        let Some(approved) = released else {
            return self.terminal.line(&format!(
                "your approval is recorded; others have to approve too, `report show {facility} {report}` tells who may"
            ));
        };
        let sha256 = &approved.rendering().sha256;
        self.terminal.line(&format!(
            "approved; file SHA-256 {sha256}\n`report export {facility} {report} --out FILE` writes it"
        ))?;
        if approved.emergency().is_some() {
            self.terminal.line(&format!(
                "this was an emergency release: another person has to look at it, `report review {facility} {report}`"
            ))?;
        }

        Ok(())
    }

    /// Sends a submitted report back.
    pub(super) async fn reject(
        &mut self,
        one: &OneReport,
        person: &ByPerson,
        reason: &str,
    ) -> Result<()> {
        let Proven { verdict, .. } = self.proven(one, person, &[Role::Approver]).await?;
        let record = self.releases()?.reject(&verdict, reason).await?;
        self.terminal
            .line(&format!("revision {} is rejected; the report is a draft again", record.revision))
    }

    /// Takes a report back.
    pub(super) async fn withdraw(
        &mut self,
        one: &OneReport,
        person: &ByPerson,
        reason: &str,
    ) -> Result<()> {
        let Proven { verdict, grants } = self.proven(one, person, &[Role::Author]).await?;
        let asked = WithdrawalAsked {
            revision: verdict.revision,
            reason: reason.to_owned(),
            approver: grants.allow(&verdict.facility, Role::Approver),
        };
        let record = self.releases()?.withdraw(&verdict, &asked).await?;
        self.terminal.line(&format!(
            "revision {} is withdrawn; the report is a draft again",
            record.revision
        ))
    }

    /// Records the look at an emergency release.
    pub(super) async fn review(
        &mut self,
        one: &OneReport,
        person: &ByPerson,
        (outcome, note): (ReviewOutcome, &str),
    ) -> Result<()> {
        let roles = [Role::Approver, Role::Administrator];
        let Proven { mut verdict, .. } = self.proven(one, person, &roles).await?;
        let (facility, report) = (&verdict.facility, verdict.report);
        let releases = self.store.emergency_releases(facility, report).await?;
        let waiting = releases
            .into_iter()
            .find(|release| release.review.is_none());
        // Without a revision that was read, it is the release that waits.
        if let (None, Some(release)) = (person.revision, waiting) {
            verdict.revision = release.revision;
        }
        self.releases()?.review(&verdict, (outcome, note)).await?;
        self.terminal.line("the review is recorded")
    }

    /// Shows what is decided on, asks for password and code, and checks that the person holds one of these roles.
    async fn proven(
        &mut self,
        one: &OneReport,
        person: &ByPerson,
        roles: &[Role],
    ) -> Result<Proven> {
        let OneReport { facility, report, profile } = one;
        let report = self.report_of(facility, report, profile.as_deref()).await?;
        let (id, login) = (report.id, &person.login);
        let revision = person.revision.map_or(report.revision, Revision);
        let submission = self.store.submission(facility, id, revision).await?;
        let frozen = submission.map_or_else(String::new, |submission| {
            format!(", answers SHA-256 {}", submission.answers_sha256)
        });
        self.terminal
            .line(&format!("report {id}, revision {revision}{frozen}\nacting as {login}"))?;
        let user = self.prove(login).await?;
        let grants = self.store.grants(user.id).await?;
        if !roles.iter().any(|role| grants.allow(facility, *role)) {
            let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            bail!("{login} is not an {} of `{facility}`", names.join(" or "));
        }
        let by = NamedPerson { user: user.id, name: user.name };
        let verdict = Verdict { facility: facility.clone(), report: id, revision, by };

        Ok(Proven { verdict, grants })
    }

    /// Asks for password and code, and returns whose they are. Whatever is wrong, the answer is the same.
    pub(super) async fn prove(&mut self, login: &str) -> Result<User> {
        let password = self.terminal.read_secret("password")?;
        let code = self.terminal.read_secret("six-digit code")?;
        let found = self.store.user_by_login(&login.to_lowercase()).await?;
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let fits = tokio::task::spawn_blocking(move || {
            verify_password(password.reveal(), hash.as_deref().unwrap_or_else(|| decoy_hash()))
        });
        let fits = fits.await.context("failed to check the password")?;
        let refused = "login, password or code is wrong, or the account is not set up; \
                       sign in at the console once before";
        let Some(found) = found else { bail!(refused) };
        let user = found.user;
        let usable = fits && user.disabled.is_none() && !user.must_change;
        let code = code.reveal();
        let step = found
            .totp_secret
            .as_ref()
            .and_then(|secret: &Secret<String>| {
                check_totp(secret, code, found.totp_last_step, self.clock.now())
            })
            .filter(|_| usable);
        let taken = match step {
            Some(step) => self.store.use_totp_step(user.id, step).await?,
            None => false,
        };
        if !taken {
            let who = Actor::User(user.id);
            let now = self.clock.now();
            self.store
                .audit(&AuditEntry::new(now, who, "user.sign_in_refused", user.id))
                .await?;
            bail!(refused);
        }

        Ok(user)
    }
}
