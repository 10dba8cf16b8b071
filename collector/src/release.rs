//! Carries a person's decision on a report out: reads, renders, signs, stores, and reads back what was stored.
//!
//! ```text
//! submit ─▶ store freezes     approve ─▶ rules ─▶ render frozen answers ─▶ sign ─▶ store ─▶ read back ─▶ Approved
//! ```
//!
//! Always holds:
//! - the rules are asked before the rendering and again inside the transaction that stores the decision;
//! - an approved file is rendered once; asked for again, the stored one is verified and returned;
//! - the profile an approved file follows is the text that was frozen, whatever became of the file since;
//! - without a font nothing is approved and the error says what to install; everything else goes on.
//!
//! Not here: who is signed in and in which role (see `people`); the callers check that.

mod decide;
mod files;
mod forms;
mod chart;
mod inspection;
mod parcel;
mod sharing;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::ids::{FacilityId, ReportId};
use tokio::sync::OnceCell;

use crate::approval::{Approved, Format, Former, Frozen, Refusal, Sender, Submission, Tampered};
use crate::facilities::{Duty, Facility};
use crate::keys::SigningKey;
use crate::locale::{Lang, Locale};
use crate::reports::Report;
use crate::reports::answer::{Answer, Revision};
use crate::reports::fields::Field;
use crate::reports::official::FormError;
use crate::reports::profile::{Profile, ProfileError, Profiles};
use crate::reports::render::files::RenderError;
use crate::reports::render::fonts::FontError;
use crate::reports::render::pdf::{PdfError, PdfRenderer};
use crate::reports::round::{self, own_answers};
use crate::store::{DecisionError, Store, StoreError};

pub use files::ReportFile;
pub use forms::FilledFile;
pub use inspection::{CHECKLISTS_DIR, ChecklistDesk, ChecklistsError, FilledList, read_checklists};
pub use sharing::PAGE_FILE;

/// Directory in the data directory in which a hospital keeps its own profiles.
pub const PROFILES_DIR: &str = "profiles";
/// Language of what goes to a Japanese ministry.
const LANG: Lang = Lang::Ja;

/// Why a report was not submitted, decided on or rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The rules of approval refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no font to render with.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// A file could not be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// An official form does not read, or cannot be filled.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The answers give nothing for this kind of file, or it was not made when the report was approved.
    #[error("report {report} has no file of the kind `{format}`")]
    NoSuchFile {
        /// Which report.
        report: ReportId,
        /// What was asked for.
        format: Format,
    },
    /// What is stored does not prove what it claims.
    #[error("the stored approval does not stand: {0}")]
    Tampered(#[from] Tampered),
    /// The report follows a profile this collector does not have.
    #[error("there is no profile `{0}`; put its file into the data directory's `profiles`")]
    NoProfile(String),
    /// A sharing product cannot stand, or was not decided on.
    #[error(transparent)]
    Product(#[from] crate::sharing::ProductError),
    /// A rendering was broken off.
    #[error("the rendering was broken off")]
    BrokenOff(#[source] tokio::task::JoinError),
}

impl From<crate::sharing::BodyError> for ReleaseError {
    fn from(error: crate::sharing::BodyError) -> Self {
        Self::Product(error.into())
    }
}

impl From<DecisionError> for ReleaseError {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::Refused(refusal) => Self::Refused(refusal),
            DecisionError::Moved => Self::Store(StoreError::Stale("report")),
            DecisionError::Store(error) => Self::Store(error),
        }
    }
}

/// Why a hospital's own profiles cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// The directory or a file in it cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Files have mistakes.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Mistakes(Vec<ProfileError>),
}

/// Reads the profiles of a data directory over the built-in ones.
///
/// # Errors
/// Names every file with mistakes, each with its key and line.
pub fn read_profiles(data_dir: &Path) -> Result<Profiles, ProfilesError> {
    let files = read_toml_files(&data_dir.join(PROFILES_DIR))
        .map_err(|(path, source)| ProfilesError::Read { path, source })?;

    Profiles::with_files(&files).map_err(ProfilesError::Mistakes)
}

/// Reads the files `*.toml` of a directory with their names, in the order of names; none if there is no directory.
fn read_toml_files(dir: &Path) -> Result<Vec<(String, String)>, (PathBuf, io::Error)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| (path, source)
    };
    let mut files = Vec::new();
    if dir.exists() {
        for entry in fs::read_dir(dir).map_err(failed(dir))? {
            let path = entry.map_err(failed(dir))?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default()
                .to_owned();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push((name, fs::read_to_string(&path).map_err(failed(&path))?));
            }
        }
    }
    files.sort();

    Ok(files)
}

/// Everything a decision on a report needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Releases(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    profiles: Arc<Profiles>,
    report_key: Arc<SigningKey>,
    font: Option<PathBuf>,
    renderer: OnceCell<PdfRenderer>,
    clock: Clock,
}

struct Clock(SharedClock);

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Releases {
    /// Gathers what is needed. The font is loaded when it is first used; an empty path means the system's best one.
    #[must_use]
    pub fn new(
        store: Store,
        clock: SharedClock,
        profiles: Arc<Profiles>,
        report_key: Arc<SigningKey>,
        font: &Path,
    ) -> Self {
        let font = (!font.as_os_str().is_empty()).then(|| font.to_owned());
        let renderer = OnceCell::new();
        Self(Arc::new(Inner { store, profiles, report_key, font, renderer, clock: Clock(clock) }))
    }

    /// Returns the profiles in use.
    #[must_use]
    pub fn profiles(&self) -> &Profiles {
        &self.0.profiles
    }

    /// Returns the profiles in use, to be kept.
    #[must_use]
    pub fn shared_profiles(&self) -> Arc<Profiles> {
        Arc::clone(&self.0.profiles)
    }

    /// Looks for the font now, so that a start can say what is missing; returns the family's name.
    ///
    /// # Errors
    /// Says what to install.
    pub async fn find_font(&self) -> Result<String, ReleaseError> {
        Ok(self.renderer().await?.family().to_owned())
    }

    /// Returns the released report after checking everything stored about it; `None` while it is not approved.
    ///
    /// # Errors
    /// When the record was tampered with.
    pub async fn approved(
        &self,
        facility: &FacilityId,
        report: ReportId,
    ) -> Result<Option<Approved>, ReleaseError> {
        let stored = self.0.store.stored_approval(facility, report).await?;
        let key = self.0.report_key.public_base64();
        let approved = stored
            .map(|stored| Approved::verify(stored, &key))
            .transpose()?;

        Ok(approved)
    }

    /// Returns the answers that are a draft's own: its round and its addressees.
    ///
    /// # Errors
    /// When its profile is gone.
    pub fn own(&self, report: &Report) -> Result<BTreeMap<Field, Answer>, ReleaseError> {
        let profile = self.profile(&report.profile)?;
        Ok(own_answers(report, profile, None, (self.now(), Locale::new(LANG))))
    }

    /// Returns what the report before said where `answers` read otherwise; `None` for the first of a series.
    ///
    /// # Errors
    /// When what it froze cannot be read.
    pub async fn former(
        &self,
        report: &Report,
        answers: &BTreeMap<Field, Answer>,
    ) -> Result<Option<Former>, ReleaseError> {
        let store = &self.0.store;
        let all = store
            .reports_of_incident(&report.facility, report.incident)
            .await?;
        let Some(before) = round::before(report, &all) else { return Ok(None) };
        let found = store
            .submission(&report.facility, before.id, before.revision)
            .await?;
        let submission = found.ok_or(StoreError::Missing("frozen answers"))?;
        let frozen = read_frozen(&submission)?;
        let profile = self.profile(&report.profile)?;
        let said = (before.round.number, &submission, &frozen);

        Ok(Some(round::former(said, profile, answers)))
    }

    /// Returns what an earlier submission of the same report said where `answers` read otherwise.
    ///
    /// # Errors
    /// When what it froze cannot be read.
    pub async fn since(
        &self,
        report: &Report,
        revision: Revision,
        answers: &BTreeMap<Field, Answer>,
    ) -> Result<Option<Former>, ReleaseError> {
        let found = self
            .0
            .store
            .submission(&report.facility, report.id, revision)
            .await?;
        let Some(submission) = found else { return Ok(None) };
        let frozen = read_frozen(&submission)?;
        let profile = self.profile(&report.profile)?;
        let said = (report.round.number, &submission, &frozen);

        Ok(Some(round::former(said, profile, answers)))
    }

    async fn renderer(&self) -> Result<&PdfRenderer, ReleaseError> {
        let font = self.0.font.clone();
        let load = || async {
            let loaded = tokio::task::spawn_blocking(move || PdfRenderer::load(font.as_deref()));
            let loaded = loaded.await.map_err(ReleaseError::BrokenOff)?;
            loaded.map_err(|error: FontError| ReleaseError::Pdf(PdfError::Font(error)))
        };
        self.0.renderer.get_or_try_init(load).await
    }

    fn profile(&self, id: &str) -> Result<&Profile, ReleaseError> {
        self.0
            .profiles
            .profile(id)
            .ok_or_else(|| ReleaseError::NoProfile(id.to_owned()))
    }

    async fn sender(&self, id: &FacilityId) -> Result<Sender, ReleaseError> {
        let facility = self.0.store.facility(id).await?;
        let Facility { master, .. } = facility.ok_or(StoreError::Missing("facility"))?;
        let director = master
            .person(Duty::Director)
            .map(|person| person.name.clone());

        Ok(Sender {
            facility: id.clone(),
            director: director.unwrap_or_default(),
            name: master.name,
        })
    }

    async fn incident_number(&self, report: &Report) -> Result<u64, ReleaseError> {
        let incident = self
            .0
            .store
            .incident(&report.facility, report.incident)
            .await?;
        Ok(incident.ok_or(StoreError::Missing("incident"))?.number)
    }

    fn now(&self) -> Timestamp {
        self.0.clock.0.now()
    }
}

fn read_frozen(submission: &Submission) -> Result<Frozen, ReleaseError> {
    serde_json::from_str(&submission.frozen_json)
        .map_err(|error| StoreError::unreadable("frozen answers", error).into())
}

#[cfg(test)]
pub(crate) mod night;
#[cfg(test)]
mod tests;
