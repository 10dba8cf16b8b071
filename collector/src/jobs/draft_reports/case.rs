//! Loads what a municipality's draft over a case is made of.

use shirase_shared::error::Chain;
use shirase_shared::ids::{CaseId, FacilityId};

use crate::cases::{CaseFile, Letter};
use crate::exchange::kind::PackageKind;
use crate::institutions::Details;
use crate::reports::draft::{CameReport, CaseStory};
use crate::reports::told::told_answers;
use crate::store::{Store, StoreError};

/// Everything a draft over a case is made of.
pub(super) struct Loaded {
    file: CaseFile,
    institution: Details,
    report: Option<CameReport>,
}

impl Loaded {
    /// Loads a case with the institution's latest report.
    pub(super) async fn of(
        store: &Store,
        facility: &FacilityId,
        case: CaseId,
    ) -> Result<Self, StoreError> {
        let file = store.case_file(facility, case).await?;
        let institutions = store.institutions(facility).await?;
        let there = institutions
            .into_iter()
            .find(|one| one.id == file.case.institution);
        let there = there.ok_or(StoreError::Missing("institution of this case"))?;
        let mut reports: Vec<&Letter> = file
            .letters
            .iter()
            .filter(|letter| letter.came && letter.kind == PackageKind::Report)
            .collect();
        reports.sort_by_key(|letter| letter.made_at);
        let mut report = None;
        // The latest that reads: an institution without this program sends papers alone.
        for letter in reports.into_iter().rev() {
            report = came(store, facility, letter).await?;
            if report.is_some() {
                break;
            }
        }

        Ok(Self { file, institution: there.details, report })
    }

    pub(super) const fn story(&self) -> CaseStory<'_> {
        CaseStory { file: &self.file, institution: &self.institution, report: self.report.as_ref() }
    }
}

async fn came(
    store: &Store,
    facility: &FacilityId,
    letter: &Letter,
) -> Result<Option<CameReport>, StoreError> {
    // One that was changed on the disk tells nothing, and keeps no other draft waiting.
    let package = match store.whole_package(facility, &letter.id).await {
        Ok(package) => package,
        Err(error @ StoreError::Unreadable { .. }) => {
            tracing::error!(
                package.id = %letter.id,
                error = %Chain(&error),
                "the report in package {} is not read", letter.id
            );
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let documents = package.files().iter().filter(|file| {
        std::path::Path::new(file.name.as_str())
            .extension()
            .is_some_and(|extension| extension == "json")
    });
    for file in documents {
        match told_answers(&file.bytes) {
            Ok(answers) => {
                return Ok(Some(CameReport {
                    package: letter.id.clone(),
                    subject: letter.subject.clone(),
                    made_at: letter.made_at,
                    answers,
                }));
            }
            // The proof of the signatures is JSON as well.
            Err(error) => tracing::debug!(
                package = %letter.id,
                error = %Chain(&error),
                "a file of package {} is no report",
                letter.id
            ),
        }
    }

    Ok(None)
}
