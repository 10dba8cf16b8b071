//! `approval show|set|reset|away|back`: the rules of approval, and who is away.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{AbsenceId, FacilityId, UserId};

use super::Desk;
use crate::approval::{Absence, Emergency, NamedApprover, Rule, RuleLayer};
use crate::args::{ApprovalCommand, SelfApprovalArg};
use crate::audit::Actor;
use crate::console::approval::rule_words;
use crate::console::incident::read_time_field;
use crate::facilities::SelfApproval;
use crate::locale::{Lang, Locale, japan_time, visible};
use crate::people::User;
use crate::release::read_profiles;
use crate::reports::answer::NamedPerson;
use crate::store::{RuleChange, StoredRule};

#[derive(Serialize)]
struct Shown {
    facility: FacilityId,
    /// The facility's own rule, without what profiles say.
    rule: Rule,
    profiles: Vec<OfProfile>,
    absences: Vec<Absence>,
}

#[derive(Serialize)]
struct OfProfile {
    profile: String,
    in_force: Rule,
    /// What the profile's file says.
    file: RuleLayer,
    /// What the facility set for it.
    own: RuleLayer,
}

/// All layers of one facility.
struct Layers {
    whole: StoredRule,
    files: BTreeMap<String, RuleLayer>,
    single: BTreeMap<String, StoredRule>,
}

impl Layers {
    fn of(&self, profile: &str) -> OfProfile {
        let file = self.files.get(profile).cloned().unwrap_or_default();
        let own = self.single.get(profile).cloned().unwrap_or_default().layer;
        let in_force = Rule::of(&[&self.whole.layer, &file, &own]);
        OfProfile { profile: profile.to_owned(), in_force, file, own }
    }
}

impl Desk<'_> {
    pub(super) async fn approval(mut self, command: ApprovalCommand) -> Result<()> {
        match command {
            ApprovalCommand::Show { facility, profile, json } => {
                self.show_rules(&facility, profile.as_deref(), json).await
            }
            ApprovalCommand::Set {
                facility,
                profile,
                approvers,
                named,
                everybody,
                deputies_after_mins,
                self_approval,
                emergency,
            } => {
                let named = match (named.is_empty(), everybody) {
                    (true, false) => None,
                    (_, true) => Some(Vec::new()),
                    (false, false) => Some(self.named(&named).await?),
                };
                let change = RuleLayer {
                    approvers,
                    named,
                    deputies_after_mins,
                    self_approval: self_approval.map(|said| match said {
                        SelfApprovalArg::Allowed => SelfApproval::Allowed,
                        SelfApprovalArg::Refused => SelfApproval::Refused,
                    }),
                    emergency: emergency.map(|said| match said {
                        SelfApprovalArg::Allowed => Emergency::Allowed,
                        SelfApprovalArg::Refused => Emergency::Refused,
                    }),
                };
                self.set_rule(&facility, profile.as_deref(), Some(change))
                    .await
            }
            ApprovalCommand::Reset { facility, profile } => {
                self.set_rule(&facility, Some(&profile), None).await
            }
            ApprovalCommand::Away { facility, login, from, until } => {
                self.away(&facility, &login, (from.as_deref(), &until))
                    .await
            }
            ApprovalCommand::Back { facility, login } => self.back(&facility, &login).await,
        }
    }

    async fn layers(&self, facility: &FacilityId) -> Result<Layers> {
        self.one_facility(facility).await?;
        let (whole, single) = self.store.approval_rules(facility).await?;
        let profiles = read_profiles(&self.config.data_dir)?;
        let files = profiles
            .all()
            .map(|profile| (profile.body.id.clone(), profile.body.approval.clone()))
            .collect();

        Ok(Layers { whole, files, single })
    }

    async fn show_rules(
        &mut self,
        facility: &FacilityId,
        profile: Option<&str>,
        json: bool,
    ) -> Result<()> {
        let layers = self.layers(facility).await?;
        if let Some(profile) = profile {
            known(&layers, profile)?;
        }
        let wanted = |id: &&String| profile.is_none_or(|profile| profile == id.as_str());
        let shown = Shown {
            facility: facility.clone(),
            rule: Rule::of(&[&layers.whole.layer]),
            profiles: layers
                .files
                .keys()
                .filter(wanted)
                .map(|id| layers.of(id))
                .collect(),
            absences: self.store.absences(facility, self.clock.now()).await?,
        };
        if json {
            return super::table::json(&shown, self.terminal);
        }
        let names = self.store.user_names().await?;
        let name = |user: UserId| {
            names
                .get(&user)
                .cloned()
                .unwrap_or_else(|| user.to_string())
        };
        let locale = Locale::new(Lang::En);
        let words = |rule: &Rule| rule_words(rule, &name, locale).join("\n   ");
        let mut text = format!("{facility}\n   {}\n", words(&shown.rule));
        for one in &shown.profiles {
            // Without a profile asked for, only what differs is worth a line.
            if profile.is_some() || one.in_force != shown.rule {
                let own = if one.own == RuleLayer::default() { "its file" } else { "set here" };
                text.extend([
                    "\n",
                    one.profile.as_str(),
                    " (",
                    own,
                    ")\n   ",
                    &words(&one.in_force),
                    "\n",
                ]);
            }
        }
        for absence in &shown.absences {
            let Absence { who, from, until, .. } = absence;
            let (from, until) = (japan_time(*from), japan_time(*until));
            text.extend(["\naway: ", &who.name, " from ", &from, " until ", &until, "\n"]);
        }
        self.terminal.print(&visible(&text))
    }

    /// Changes parts of a layer, or empties it.
    async fn set_rule(
        &mut self,
        facility: &FacilityId,
        profile: Option<&str>,
        change: Option<RuleLayer>,
    ) -> Result<()> {
        let layers = self.layers(facility).await?;
        let stored = match profile {
            None => layers.whole.clone(),
            Some(id) => {
                known(&layers, id)?;
                layers.single.get(id).cloned().unwrap_or_default()
            }
        };
        let old = stored.layer;
        let layer = change.map_or_else(RuleLayer::default, |change| RuleLayer {
            approvers: change.approvers.or(old.approvers),
            named: change.named.or(old.named),
            deputies_after_mins: change.deputies_after_mins.or(old.deputies_after_mins),
            self_approval: change.self_approval.or(old.self_approval),
            emergency: change.emergency.or(old.emergency),
        });
        let change = RuleChange {
            facility,
            profile,
            layer: &layer,
            seen: stored.updated_at,
            files: &layers.files,
        };
        let now = self.clock.now();
        self.store
            .set_approval_rule(&change, Actor::CommandLine, now)
            .await?;
        self.show_rules(facility, profile, false).await
    }

    /// Reads approvers with their deputies: `login:deputy,deputy`.
    async fn named(&self, texts: &[String]) -> Result<Vec<NamedApprover>> {
        let mut named = Vec::new();
        for text in texts {
            let (login, deputies) = text.split_once(':').unwrap_or((text, ""));
            let mut found = Vec::new();
            for deputy in deputies.split(',').filter(|login| !login.is_empty()) {
                found.push(self.one_user(deputy).await?.id);
            }
            named.push(NamedApprover { user: self.one_user(login).await?.id, deputies: found });
        }

        Ok(named)
    }

    async fn one_user(&self, login: &str) -> Result<User> {
        let found = self.store.user_of_login(&login.to_lowercase()).await?;
        found.with_context(|| format!("nobody signs in as `{login}`; `user list` shows everybody"))
    }

    async fn away(
        &mut self,
        facility: &FacilityId,
        login: &str,
        (from, until): (Option<&str>, &str),
    ) -> Result<()> {
        self.one_facility(facility).await?;
        let user = self.one_user(login).await?;
        if !self.store.approvers(facility).await?.contains(&user.id) {
            bail!("{login} is not an approver of `{facility}`, so nobody stands in for them");
        }
        let now = self.clock.now();
        let from = from.map(read_time).transpose()?.unwrap_or(now);
        let until = read_time(until)?;
        if until <= from || until <= now {
            bail!("an absence ends after it begins, and in the future; correct --from or --until");
        }
        let absence = Absence {
            id: AbsenceId::random(),
            facility: facility.clone(),
            who: NamedPerson { user: user.id, name: user.name },
            from,
            until,
            ended_at: None,
        };
        self.store
            .add_absence(&absence, Actor::CommandLine, now)
            .await?;
        self.terminal.line(&format!(
            "{login} is away from {} until {}",
            japan_time(absence.from),
            japan_time(absence.until)
        ))
    }

    async fn back(&mut self, facility: &FacilityId, login: &str) -> Result<()> {
        self.one_facility(facility).await?;
        let user = self.one_user(login).await?;
        let now = self.clock.now();
        let absences = self.store.absences(facility, now).await?;
        let own: Vec<_> = absences
            .iter()
            .filter(|absence| absence.who.user == user.id)
            .collect();
        if own.is_empty() {
            bail!("{login} is not marked as away at `{facility}`");
        }
        for absence in &own {
            self.store
                .end_absence((facility, absence.id), Actor::CommandLine, now)
                .await?;
        }
        self.terminal
            .line(&format!("{login} is back; {} absence(s) ended", own.len()))
    }
}

fn known(layers: &Layers, profile: &str) -> Result<()> {
    if !layers.files.contains_key(profile) {
        bail!("there is no profile `{profile}`; `profile list` shows those there are");
    }
    Ok(())
}

fn read_time(text: &str) -> Result<Timestamp> {
    let found = read_time_field(text).or_else(|| text.parse().ok());
    found.with_context(|| format!("`{text}` is no time; write 2026-11-26T17:00 for Japan time"))
}
