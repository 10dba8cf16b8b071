//! `official-form import|map|check|list|remove`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::FacilityId;
use shirase_shared::tls::sha256_hex;

use super::Desk;
use super::table::{self, Row};
use crate::args::OfficialFormCommand;
use crate::audit::Actor;
use crate::locale::japan_time;
use crate::release::ReleaseError;
use crate::reports::official::{
    FormError, FormId, FormKind, Mapping, MappingProblem, OfficialForm, UPLOAD_MAX_BYTES, accept,
    check,
};

#[derive(Serialize)]
struct FormRow {
    facility: FacilityId,
    form: FormId,
    kind: FormKind,
    file_name: String,
    sha256: String,
    places: usize,
    uploaded_at: Timestamp,
}

impl FormRow {
    fn of(form: &OfficialForm) -> Self {
        Self {
            facility: form.facility.clone(),
            form: form.id.clone(),
            kind: form.kind,
            file_name: form.file_name.clone(),
            sha256: form.sha256.clone(),
            places: form.mapping.place.len(),
            uploaded_at: form.uploaded_at,
        }
    }
}

impl Row for FormRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "FORM", "KIND", "PLACES", "FILE", "UPLOADED", "SHA-256"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.form.to_string(),
            self.kind.as_str().to_owned(),
            self.places.to_string(),
            self.file_name.clone(),
            japan_time(self.uploaded_at),
            self.sha256.chars().take(16).collect(),
        ]
    }
}

#[derive(Serialize)]
struct Checked {
    form: FormId,
    places: usize,
    problems: Vec<MappingProblem>,
}

impl Desk<'_> {
    pub(super) async fn official_form(mut self, command: OfficialFormCommand) -> Result<ExitCode> {
        match command {
            OfficialFormCommand::Import { facility, form, file, json } => {
                self.one_facility(&facility).await?;
                let form = self.import(facility, form, &file).await?;
                self.tell(&form, json)?;
            }
            OfficialFormCommand::Map { facility, form, mapping, json } => {
                return self.map((facility, form), mapping.as_deref(), json).await;
            }
            OfficialFormCommand::Check { facility, form, report, json } => {
                return self
                    .check_form((facility, form), report.as_deref(), json)
                    .await;
            }
            OfficialFormCommand::List { facility, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let forms = self.store.official_forms(&facility.id).await?;
                    rows.extend(forms.iter().map(FormRow::of));
                }
                table::print(&rows, list, self.terminal)?;
            }
            OfficialFormCommand::Remove { facility, form } => {
                let now = self.clock.now();
                let place = (&facility, &form);
                self.store
                    .remove_official_form(place, Actor::CommandLine, now)
                    .await?;
                self.terminal.line(&format!("removed `{form}`"))?;
            }
        }

        Ok(ExitCode::SUCCESS)
    }

    async fn import(&self, facility: FacilityId, id: FormId, file: &Path) -> Result<OfficialForm> {
        let size = fs::metadata(file)
            .with_context(|| format!("failed to read `{}`", file.display()))?
            .len();
        if u64::try_from(UPLOAD_MAX_BYTES).is_ok_and(|most| most < size) {
            let bytes = usize::try_from(size).unwrap_or(usize::MAX);
            return Err(FormError::TooLarge { bytes }.into());
        }
        let bytes =
            fs::read(file).with_context(|| format!("failed to read `{}`", file.display()))?;
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let form = OfficialForm {
            facility,
            id,
            kind: accept(&bytes)?,
            file_name: name.unwrap_or_default(),
            sha256: sha256_hex(&bytes),
            bytes,
            mapping: Mapping::default(),
            uploaded_by: None,
            uploaded_at: self.clock.now(),
        };
        self.store
            .put_official_form(&form, Actor::CommandLine)
            .await?;
        let stored = self.store.official_form(&form.facility, &form.id).await?;

        Ok(stored)
    }

    fn tell(&mut self, form: &OfficialForm, json: bool) -> Result<()> {
        let row = FormRow::of(form);
        if json {
            return table::json(&row, self.terminal);
        }
        self.terminal.line(&format!(
            "`{}`: {} `{}`, SHA-256 {}, {} places mapped",
            row.form,
            row.kind.as_str(),
            row.file_name,
            row.sha256,
            row.places
        ))
    }

    async fn map(
        &mut self,
        (facility, id): (FacilityId, FormId),
        file: Option<&Path>,
        json: bool,
    ) -> Result<ExitCode> {
        let form = self.one_form(&facility, &id).await?;
        let Some(file) = file else {
            if json {
                table::json(&form.mapping, self.terminal)?;
            } else {
                let text = toml::to_string(&form.mapping).context("failed to print the mapping")?;
                self.terminal.print(&text)?;
            }
            return Ok(ExitCode::SUCCESS);
        };
        let text = fs::read_to_string(file)
            .with_context(|| format!("failed to read `{}`", file.display()))?;
        let mapping = Mapping::from_toml(&text).map_err(|problems| {
            let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("`{}` has mistakes: {}", file.display(), told.join("; "))
        })?;
        let problems = check(form.kind, &form.bytes, &mapping)?;
        if problems.is_empty() {
            let now = self.clock.now();
            self.store
                .map_official_form((&facility, &id), &mapping, Actor::CommandLine, now)
                .await?;
        }
        self.tell_problems(&form, mapping.place.len(), (problems, json))
    }

    async fn check_form(
        &mut self,
        (facility, id): (FacilityId, FormId),
        report: Option<&str>,
        json: bool,
    ) -> Result<ExitCode> {
        let form = self.one_form(&facility, &id).await?;
        let mut problems = check(form.kind, &form.bytes, &form.mapping)?;
        if let (Some(report), true) = (report, problems.is_empty()) {
            let report = self.one_report(&facility, report).await?;
            let tried = self
                .releases()?
                .official_copy(&facility, report.id, &id)
                .await;
            match tried {
                Ok(_) => {}
                Err(ReleaseError::Form(FormError::Mapping(found))) => problems.extend(found),
                Err(error) => return Err(error.into()),
            }
        }
        self.tell_problems(&form, form.mapping.place.len(), (problems, json))
    }

    fn tell_problems(
        &mut self,
        form: &OfficialForm,
        places: usize,
        (problems, json): (Vec<MappingProblem>, bool),
    ) -> Result<ExitCode> {
        let sound = problems.is_empty();
        if json {
            let checked = Checked { form: form.id.clone(), places, problems };
            table::json(&checked, self.terminal)?;
        } else if sound {
            self.terminal
                .line(&format!("`{}` is in order: {places} places", form.id))?;
        } else {
            for problem in &problems {
                self.terminal.line(&problem.to_string())?;
            }
        }
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn one_form(&self, facility: &FacilityId, id: &FormId) -> Result<OfficialForm> {
        self.one_facility(facility).await?;
        let forms = self.store.official_forms(facility).await?;
        let Some(form) = forms.into_iter().find(|form| form.id == *id) else {
            bail!("`{facility}` has no form `{id}`; `official-form list` shows those there are");
        };
        Ok(form)
    }
}
