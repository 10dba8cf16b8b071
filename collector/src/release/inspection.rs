//! A filled checklist with all that stands beside it, for pages and for the inspection (立入検査) as PDF and XLSX.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::UserId;

use super::{ReleaseError, Releases, read_toml_files};
use crate::cases::Figures;
use crate::checklist::{
    Checklist, ChecklistError, Checklists, Comparison, Entry, Evidence, Filled, Item, Known, Paper,
    PaperChanges, PaperParts, Scope, Sheet, SheetKey, compare, evidence, sheets,
};
use crate::contacts::{ChartSheet, Contact};
use crate::facilities::{Facility, Host};
use crate::locale::Locale;
use crate::people::{Role, User};
use crate::records::{HeartbeatSeen, SeenRecord};
use crate::reports::render::files::RenderError;
use crate::reports::render::xlsx;
use crate::store::StoreError;

/// Directory in the data directory in which a hospital keeps checklists of its own.
pub const CHECKLISTS_DIR: &str = "checklists";
/// How far back records bear on an item.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Kinds of records that can bear on one.
const KINDS: [&str; 4] = ["logon", "protection", "backup", "agent"];

/// Why a hospital's own checklists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChecklistsError {
    /// The directory or a file in it cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Files have mistakes.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Mistakes(Vec<ChecklistError>),
}

/// Reads the checklists of a data directory over the built-in ones.
///
/// # Errors
/// Names every file with mistakes, each with its line, key and what to do.
pub fn read_checklists(data_dir: &Path) -> Result<Checklists, ChecklistsError> {
    let files = read_toml_files(&data_dir.join(CHECKLISTS_DIR))
        .map_err(|(path, source)| ChecklistsError::Read { path, source })?;

    Checklists::with_files(&files).map_err(ChecklistsError::Mistakes)
}

/// What the collector's configuration says that bears on a checklist.
#[derive(Clone, Debug)]
pub struct ChecklistDesk {
    /// The lists in use.
    pub lists: Arc<Checklists>,
    /// Days an event stays that belongs to no incident; 0 for ever.
    pub events_days: u32,
    /// After how long without a sign of life a host counts as silent.
    pub silence: SignedDuration,
}

/// Every version of every answer, by sheet and item, the newest first.
type Answers = BTreeMap<(SheetKey, String), Vec<Filled>>;

/// A list of a facility with its sheets and every version of the answers.
#[derive(Clone, Debug)]
pub struct FilledList {
    /// The sheets there are.
    pub sheets: Vec<Sheet>,
    /// Every version of every answer.
    pub answers: Answers,
}

impl FilledList {
    /// Returns a sheet by its key.
    #[must_use]
    pub fn sheet(&self, key: &SheetKey) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.key == *key)
    }

    /// Returns the answers in force of one sheet, by item.
    #[must_use]
    pub fn in_force(&self, key: &SheetKey) -> BTreeMap<String, Filled> {
        let of_sheet = self.answers.iter().filter(|((sheet, _), _)| sheet == key);
        of_sheet
            .filter_map(|((_, item), versions)| Some((item.clone(), versions.first()?.clone())))
            .collect()
    }

    /// The same without who and when.
    fn entries(&self, key: &SheetKey) -> BTreeMap<String, Entry> {
        let of_item = |(item, filled): (String, Filled)| (item, filled.entry);
        self.in_force(key).into_iter().map(of_item).collect()
    }
}

/// What was gathered of a facility to look for evidence in.
struct Gathered {
    facility: Facility,
    hosts: Vec<Host>,
    heard: BTreeMap<shirase_shared::ids::HostId, HeartbeatSeen>,
    records: Vec<SeenRecord>,
    users: Vec<User>,
    contacts: Vec<Contact>,
    chart: crate::contacts::Chart,
    now: Timestamp,
}

impl Releases {
    /// Returns the sheets of a list with their answers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn filled_list(
        &self,
        facility: &Facility,
        list: &Checklist,
    ) -> Result<FilledList, StoreError> {
        let store = &self.0.store;
        let known = store.with_vendors(facility, self.now()).await?;
        let answers = store.checklist_answers(&facility.id, &list.body.id).await?;
        let newest: Vec<Filled> = answers
            .values()
            .filter_map(|versions| versions.first().cloned())
            .collect();

        Ok(FilledList { sheets: sheets(&known.master.vendors, &newest), answers })
    }

    /// Returns a filled list in words with its evidence: the sheets named, or all with what changed since the year before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checklist_paper(
        &self,
        facility: &Facility,
        (desk, list): (&ChecklistDesk, &Checklist),
        only: Option<&SheetKey>,
        locale: Locale,
    ) -> Result<Paper, StoreError> {
        let filled = self.filled_list(facility, list).await?;
        let names = self.0.store.user_names().await?;
        let gathered = self.gather(facility).await?;
        let parts = PaperParts { list, names: &names, now: gathered.now, locale };
        let wanted = filled
            .sheets
            .iter()
            .filter(|one| only.is_none_or(|key| one.key == *key));
        let said = wanted.map(|sheet| {
            let evidence = gathered.evidence(desk, list, sheet);
            parts.sheet(sheet, &filled.in_force(&sheet.key), &evidence)
        });
        let said = said.collect();
        let changes = match only {
            Some(_) => None,
            None => {
                self.checklist_changes(facility, (desk, list), &names, locale)
                    .await?
            }
        };
        let chart = ChartSheet::of(&gathered.chart, facility.display_name(), gathered.now, locale);

        Ok(parts.paper(facility.display_name(), (said, changes, chart)))
    }

    /// Returns what changed since the year before, sheet by sheet; `None` if there is no list of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checklist_changes(
        &self,
        facility: &Facility,
        (desk, list): (&ChecklistDesk, &Checklist),
        names: &BTreeMap<UserId, String>,
        locale: Locale,
    ) -> Result<Option<PaperChanges>, StoreError> {
        let Some(before) = desk.lists.before(list) else { return Ok(None) };
        let now = self.filled_list(facility, list).await?;
        let then = self.filled_list(facility, before).await?;
        let compared: Vec<(Sheet, Comparison<'_>)> = now
            .sheets
            .iter()
            .map(|sheet| {
                let (given, given_then) = (now.entries(&sheet.key), then.entries(&sheet.key));
                let kind = sheet.key.kind();
                (sheet.clone(), compare(kind, (list, &given), (before, &given_then)))
            })
            .collect();
        let parts = PaperParts { list, names, now: self.now(), locale };

        Ok(Some(parts.changes(before, &compared)))
    }

    async fn gather(&self, facility: &Facility) -> Result<Gathered, StoreError> {
        let (store, id) = (&self.0.store, &facility.id);
        let now = self.now();
        let all = store.users().await?;
        let users = all
            .into_iter()
            .filter(|(_, grants)| grants.allow(id, Role::Viewer))
            .map(|(user, _)| user);
        Ok(Gathered {
            hosts: store.hosts(id).await?,
            heard: store.heartbeats(id).await?,
            records: store.stories_since(id, now - LOOKED_BACK, &KINDS).await?,
            users: users.collect(),
            contacts: store.contacts(id).await?,
            chart: self.contact_chart(id).await?,
            facility: facility.clone(),
            now,
        })
    }

    /// Returns a filled list as PDF, with its evidence, what changed and the emergency chart.
    ///
    /// # Errors
    /// When there is no font to set it in.
    pub async fn checklist_pdf(&self, paper: Paper) -> Result<Vec<u8>, ReleaseError> {
        let renderer = self.renderer().await?.clone();
        let now = self.now();
        let identity = format!("shirase-checklist {} {now}", paper.title);
        let work = move || renderer.render_checklist(&paper, &identity, now);
        let made = tokio::task::spawn_blocking(work).await;

        Ok(made.map_err(ReleaseError::BrokenOff)??)
    }

    /// Returns the same as a workbook.
    ///
    /// # Errors
    /// When it is larger than the format can hold.
    pub async fn checklist_xlsx(&self, paper: Paper) -> Result<Vec<u8>, ReleaseError> {
        let now = self.now();
        let work = move || xlsx::checklist::render(&paper, now);
        let made = tokio::task::spawn_blocking(work).await;

        Ok(made
            .map_err(ReleaseError::BrokenOff)?
            .map_err(RenderError::from)?)
    }

    /// Returns a municipality's yearly figures as a workbook.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn figures_xlsx(
        &self,
        facility: String,
        years: BTreeMap<i16, Figures>,
        locale: Locale,
    ) -> Result<Vec<u8>, ReleaseError> {
        let now = self.now();
        let work = move || xlsx::figures::render(&facility, &years, (now, locale));
        let made = tokio::task::spawn_blocking(work).await;

        Ok(made
            .map_err(ReleaseError::BrokenOff)?
            .map_err(RenderError::from)?)
    }
}

impl Gathered {
    /// Returns the evidence beside each item of a sheet.
    fn evidence(
        &self,
        desk: &ChecklistDesk,
        list: &Checklist,
        sheet: &Sheet,
    ) -> BTreeMap<String, Vec<Evidence>> {
        let known = Known {
            facility: &self.facility,
            hosts: &self.hosts,
            heard: &self.heard,
            records: &self.records,
            since: self.now - LOOKED_BACK,
            users: &self.users,
            contacts: &self.contacts,
            chart: &self.chart,
            events_days: desk.events_days,
            silence: desk.silence,
            now: self.now,
        };
        let scope = match sheet.key {
            SheetKey::Institution => Scope::Institution,
            SheetKey::Vendor(_) => Scope::Systems(sheet.systems.clone()),
        };
        let of_item = |item: &Item| {
            let found = item
                .evidence
                .iter()
                .flat_map(|basis| evidence(*basis, &known, &scope));
            (item.id.clone(), found.collect())
        };
        list.items(sheet.key.kind()).map(of_item).collect()
    }
}
