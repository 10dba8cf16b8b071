//! Files of a report: the stored, verified ones of an approved report, or ones rendered now from how it stands.

use shirase_shared::ids::{FacilityId, ReportId, UserId};
use shirase_shared::tls::sha256_hex;

use super::{LANG, ReleaseError, Releases, read_frozen};
use crate::approval::{Approved, Format, Frozen};
use crate::contacts::ContactKind;
use crate::facilities::Facility;
use crate::locale::Locale;
use crate::reports::ReportStatus;
use crate::reports::profile::Profile;
use crate::reports::render::pdf::PdfRenderer;
use crate::reports::render::{Document, HouseNames, Stage, document, file_stem, files, nameless};
use crate::store::StoreError;

/// A rendered report on its way to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// A plain name for it.
    pub name: String,
    /// What kind of file it is.
    pub format: Format,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether it is the released one.
    pub status: ReportStatus,
}

/// What a rendering of a report as it stands is made from.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// How far the report is.
    pub(crate) status: ReportStatus,
    /// Its answers: frozen, or as they would be frozen now.
    pub(crate) frozen: Frozen,
    /// Their hash.
    pub(crate) answers_sha256: String,
    /// The stage to render at.
    pub(crate) stage: Stage,
    /// The verified approval, if there is one.
    pub(crate) approved: Option<Approved>,
}

impl Known {
    /// Returns what the names of its files begin with.
    pub(crate) fn file_stem(&self) -> Result<String, ReleaseError> {
        let profile = frozen_profile(&self.frozen)?;
        Ok(file_stem(&self.frozen, &profile, &self.stage))
    }
}

pub(super) fn frozen_profile(frozen: &Frozen) -> Result<Profile, ReleaseError> {
    Profile::read(&frozen.profile.text)
        .map_err(|_| ReleaseError::NoProfile(frozen.profile.id.clone()))
}

impl Releases {
    /// Returns the report as a PDF: the stored one if it is approved, else one rendered now and marked 下書き.
    ///
    /// # Errors
    /// When it cannot be rendered, or the stored one was tampered with.
    pub async fn file(
        &self,
        facility: &FacilityId,
        id: ReportId,
    ) -> Result<ReportFile, ReleaseError> {
        self.file_as(facility, id, Format::Pdf).await
    }

    /// Returns the report as a file of one kind: the stored one if it is approved, else one rendered now.
    ///
    /// # Errors
    /// When it cannot be rendered, the stored one was tampered with, or the answers give nothing for an attachment.
    pub async fn file_as(
        &self,
        facility: &FacilityId,
        id: ReportId,
        format: Format,
    ) -> Result<ReportFile, ReleaseError> {
        let files = self.files(facility, id, &[format]).await?;
        let found = files.into_iter().find(|file| file.format == format);
        found.ok_or(ReleaseError::NoSuchFile { report: id, format })
    }

    /// Returns the report as files of the kinds asked for, as far as there is something for them.
    ///
    /// # Errors
    /// As [`Self::file_as`], but for kinds there is nothing for: those are left out.
    pub async fn files(
        &self,
        facility: &FacilityId,
        id: ReportId,
        formats: &[Format],
    ) -> Result<Vec<ReportFile>, ReleaseError> {
        let known = self.known(facility, id).await?;
        let stem = known.file_stem()?;
        let status = known.status;
        let named = |format: Format, bytes: Vec<u8>| ReportFile {
            name: format!("{stem}{}", format.suffix()),
            format,
            bytes,
            status,
        };
        if let Some(approved) = known.approved {
            let stored = formats
                .iter()
                .filter_map(|&format| approved.rendering_of(format));
            return Ok(stored
                .map(|file| named(file.format, file.bytes.clone()))
                .collect());
        }
        let formats = formats.to_vec();
        let work = move |document: Document, renderer: PdfRenderer| {
            let mut made = Vec::new();
            for format in formats {
                if let Some(bytes) = files::file(&document, format, &renderer)? {
                    made.push((format, bytes));
                }
            }
            Ok(made)
        };
        let made = self
            .with_document(known.frozen, known.answers_sha256, known.stage, work)
            .await?;

        Ok(made
            .into_iter()
            .map(|(format, bytes)| named(format, bytes))
            .collect())
    }

    /// Returns the kinds of file the report can be had as: an attachment without content does not exist.
    ///
    /// # Errors
    /// When the report cannot be rendered at all, or what is stored was tampered with.
    pub async fn kinds(
        &self,
        facility: &FacilityId,
        id: ReportId,
    ) -> Result<Vec<Format>, ReleaseError> {
        let known = self.known(facility, id).await?;
        if let Some(approved) = known.approved {
            let stored = |format: &Format| approved.rendering_of(*format).is_some();
            return Ok(Format::ALL.into_iter().filter(stored).collect());
        }
        let work = |document: Document, _| {
            let attached = document.attachments.iter().map(|file| file.format);
            Ok(Format::DOCUMENTS.into_iter().chain(attached).collect())
        };
        self.with_document(known.frozen, known.answers_sha256, known.stage, work)
            .await
    }

    /// Gathers what a rendering of the report as it stands is made from.
    pub(crate) async fn known(
        &self,
        facility: &FacilityId,
        id: ReportId,
    ) -> Result<Known, ReleaseError> {
        let sheet = self.0.store.sheet(facility, id).await?;
        let report = sheet.report;
        let (frozen, answers_sha256, stage, approved) = match report.status {
            ReportStatus::Approved => {
                let approved = self.approved(facility, id).await?;
                let approved = approved.ok_or(StoreError::Missing("approval"))?;
                let (frozen, hash) =
                    (approved.frozen().clone(), approved.answers_sha256().to_owned());
                let stage = self.stage_of(&approved).await?;
                (frozen, hash, stage, Some(approved))
            }
            ReportStatus::Submitted => {
                let found = self
                    .0
                    .store
                    .submission(facility, id, report.revision)
                    .await?;
                let submission = found.ok_or(StoreError::Missing("frozen answers"))?;
                let frozen = read_frozen(&submission)?;
                let stage = Stage::Submitted { at: submission.submitted_at };
                (frozen, submission.answers_sha256, stage, None)
            }
            ReportStatus::Draft | ReportStatus::Withdrawn => {
                let number = self.incident_number(&report).await?;
                let profile = self.profile(&report.profile)?.frozen();
                let sender = self.sender(facility).await?;
                let former = self.former(&report, &sheet.answers).await?;
                let mut answers = sheet.answers;
                answers.extend(self.own(&report)?);
                let frozen = Frozen::of(&report, &answers, profile, sender, number).after(former);
                let text = frozen
                    .canonical()
                    .map_err(|error| StoreError::unreadable("answer", error))?;
                (frozen, sha256_hex(text.as_bytes()), Stage::Draft { at: self.now() }, None)
            }
        };

        Ok(Known { status: report.status, frozen, answers_sha256, stage, approved })
    }

    /// Returns the stage an approved report was rendered at.
    async fn stage_of(&self, approved: &Approved) -> Result<Stage, ReleaseError> {
        let mut decisions = approved.approvals().to_vec();
        for record in decisions
            .iter_mut()
            .filter(|record| record.decided_name.is_empty())
        {
            record.decided_name = self.former_name(approved, record.decided_by).await?;
        }
        Ok(Stage::released(&decisions, approved.approved_at()))
    }

    /// Returns the name of somebody who approved before names were kept: the one the signed files show.
    async fn former_name(&self, approved: &Approved, by: UserId) -> Result<String, ReleaseError> {
        let shown = approved
            .rendering_of(Format::Json)
            .and_then(|file| serde_json::from_slice::<serde_json::Value>(&file.bytes).ok())
            .and_then(|json| json["record"]["approved_by"].as_str().map(str::to_owned));
        match shown {
            Some(name) => Ok(name),
            // Approved before there was a JSON file: the account's name is the best there is.
            None => {
                let names = self.0.store.user_names().await?;
                Ok(names.get(&by).cloned().unwrap_or_else(|| by.to_string()))
            }
        }
    }

    pub(super) async fn render_all(
        &self,
        frozen: Frozen,
        answers_sha256: String,
        stage: Stage,
    ) -> Result<Vec<(Format, Vec<u8>)>, ReleaseError> {
        let work =
            |document: Document, renderer: PdfRenderer| Ok(files::all(&document, &renderer)?);
        self.with_document(frozen, answers_sha256, stage, work)
            .await
    }

    /// Returns the answers as the addressee may read them: without any name of the house, where it is not to be known.
    pub(super) async fn for_addressee(
        &self,
        frozen: Frozen,
        profile: &Profile,
    ) -> Result<Frozen, ReleaseError> {
        if !profile.body.anonymous {
            return Ok(frozen);
        }
        let id = &frozen.sender.facility;
        let facility = self.0.store.facility(id).await?;
        let Facility { master, .. } = facility.ok_or(StoreError::Missing("facility"))?;
        let hosts = self.0.store.hosts(id).await?;
        let contacts = self.0.store.contacts(id).await?;
        let users = self.0.store.user_names().await?;
        let mut house = HouseNames {
            places: vec![master.name, master.founder, master.code, master.corporate_number],
            people: users.into_values().collect(),
            hosts: hosts.into_iter().map(|host| host.name).collect(),
            reach: vec![master.address],
        };
        for person in master.people {
            house.people.push(person.name);
            house
                .reach
                .extend([person.phone, person.phone_24h, person.mail]);
        }
        let staff = contacts
            .into_iter()
            .map(|contact| contact.details)
            .filter(|details| details.kind == ContactKind::Staff);
        for details in staff {
            house.people.push(details.person);
            house
                .reach
                .extend([details.phone, details.night_phone, details.fax, details.mail]);
        }

        Ok(nameless(&frozen, house, Locale::new(LANG)))
    }

    /// Makes the document and does something with it where blocking is allowed.
    pub(super) async fn with_document<T: Send + 'static>(
        &self,
        frozen: Frozen,
        answers_sha256: String,
        stage: Stage,
        work: impl FnOnce(Document, PdfRenderer) -> Result<T, ReleaseError> + Send + 'static,
    ) -> Result<T, ReleaseError> {
        let renderer = self.renderer().await?.clone();
        let head = self.0.store.audit_head().await?;
        let profile = frozen_profile(&frozen)?;
        let locale = Locale::new(LANG);
        let frozen = self.for_addressee(frozen, &profile).await?;
        let whole = move || {
            let made = document(&frozen, &profile, &answers_sha256, &stage, locale);
            work(made.carrying(head.as_ref(), locale), renderer)
        };

        tokio::task::spawn_blocking(whole)
            .await
            .map_err(ReleaseError::BrokenOff)?
    }
}
