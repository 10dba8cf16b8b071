//! The settings of approval: rules for the facility and for single profiles, and who is away.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use shirase_shared::ids::{AbsenceId, UserId};

use super::console::{ConsoleState, page};
use super::form::Form;
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::approval::{Absence, Emergency, NamedApprover, Rule, RuleLayer};
use crate::audit::Actor;
use crate::console::Tab;
use crate::console::approval::{AbsenceView, ApprovalPage, ProfileRule, RuleForm, rule_words};
use crate::console::incident::{read_time_field, time_field};
use crate::facilities::{Facility, SelfApproval};
use crate::locale::Locale;
use crate::people::Role;
use crate::reports::answer::NamedPerson;
use crate::reports::profile::ReportedBy;
use crate::store::{RuleChange, RuleFailure, StoredRule};

type Answer = Result<Response, PageError>;

/// Shows the settings, with the form of the profile the address names.
pub(super) async fn show(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let named = call
        .path
        .split_once("?profile=")
        .map(|(_, id)| id.to_owned());
    page(&settings(&state, &call, &facility, (named, None)).await?)
}

type Wanted = (Option<String>, Option<(RuleLayer, String)>);

/// Makes the page; with a layer that was refused, its form holds that layer and the page says why.
async fn settings(
    state: &ConsoleState,
    call: &Call,
    facility: &Facility,
    (profile, refused): Wanted,
) -> Result<ApprovalPage, PageError> {
    let (locale, now) = (call.locale, state.clock.now());
    let names = state.store.user_names().await?;
    let gone = locale.text("who-gone");
    let name = |user: UserId| names.get(&user).cloned().unwrap_or_else(|| gone.clone());
    let in_role = state.store.approvers(&facility.id).await?;
    let people: BTreeMap<UserId, String> =
        in_role.iter().map(|user| (*user, name(*user))).collect();
    let (whole, single) = state.store.approval_rules(&facility.id).await?;
    let files = profile_layers(state);
    let known = profile.as_deref().map(|id| {
        let body = state
            .releases
            .profiles()
            .profile(id)
            .map(|profile| &profile.body);
        body.filter(|body| body.enabled).ok_or(PageError::NotFound)
    });
    let known = known.transpose()?;
    let stored = match &profile {
        None => whole.clone(),
        Some(id) => single.get(id).cloned().unwrap_or_default(),
    };
    let rule = profile
        .as_ref()
        .map_or_else(|| Rule::of(&[&whole.layer]), |id| in_force(&whole, &files, &single, id));
    let (layer, problem) = refused.unwrap_or((stored.layer, String::new()));
    let caller = call.caller()?;
    let (reader, administrator) =
        (caller.user.id, caller.grants.allow(&facility.id, Role::Administrator));
    let absences = state.store.absences(&facility.id, now).await?;
    let profiles = state
        .releases
        .profiles()
        .all()
        .filter(|profile| profile.body.enabled);

    Ok(ApprovalPage {
        f: place_frame(call, state, facility, ("title-approval", Tab::Settings))?,
        profile: known.map(|body| (body.id.clone(), body.title.in_lang(locale.lang()).to_owned())),
        form: RuleForm::of(&layer, profile.is_none(), &people, (stored.updated_at, locale)),
        in_force: rule_words(&rule, &name, locale),
        profiles: profiles
            .map(|profile| {
                let id = &profile.body.id;
                ProfileRule {
                    id: id.clone(),
                    title: profile.body.title.in_lang(locale.lang()).to_owned(),
                    rule: rule_words(&in_force(&whole, &files, &single, id), &name, locale),
                    own: single
                        .get(id)
                        .is_some_and(|own| own.layer != RuleLayer::default()),
                }
            })
            .collect(),
        absences: absences
            .iter()
            .map(|absence| AbsenceView::of(absence, (reader, administrator), now))
            .collect(),
        may_be_away: people
            .iter()
            .filter(|(user, _)| administrator || **user == reader)
            .map(|(user, name)| (*user, name.clone()))
            .collect(),
        now_field: time_field(now),
        care: care(&rule, in_role.len(), locale),
        problem,
    })
}

/// Warns of a rule too few people are there for. It may stand: they can come tomorrow.
fn care(rule: &Rule, count: usize, locale: Locale) -> String {
    if usize::from(rule.approvers) <= count {
        return String::new();
    }
    locale.text_with("rule-too-few-in-role", &[("needed", &rule.approvers), ("count", &count)])
}

fn in_force(
    whole: &StoredRule,
    files: &BTreeMap<String, RuleLayer>,
    single: &BTreeMap<String, StoredRule>,
    id: &str,
) -> Rule {
    let nothing = RuleLayer::default();
    let file = files.get(id).unwrap_or(&nothing);
    let own = single.get(id).map_or(&nothing, |own| &own.layer);
    Rule::of(&[&whole.layer, file, own])
}

/// Returns what the files of all profiles of this kind of organisation say about approval.
fn profile_layers(state: &ConsoleState) -> BTreeMap<String, RuleLayer> {
    let supervises = state.post.organisation().supervises();
    let profiles = state.releases.profiles().all();
    profiles
        .filter(|profile| supervises || profile.body.by == ReportedBy::Institution)
        .map(|profile| (profile.body.id.clone(), profile.body.approval.clone()))
        .collect()
}

/// Replaces one layer. What is wrong with it is said on the filled form.
pub(super) async fn save(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let form = &call.form;
    let profile = Some(form.field("profile").to_owned()).filter(|id| !id.is_empty());
    let layer = read_layer(form)?;
    let seen = match form.field("seen") {
        "" => None,
        ms => {
            let ms = ms.parse().map_err(|_| PageError::BadForm)?;
            Some(Timestamp::from_millisecond(ms).map_err(|_| PageError::BadForm)?)
        }
    };
    let files = profile_layers(&state);
    if profile.as_ref().is_some_and(|id| !files.contains_key(id)) {
        return Err(PageError::BadForm);
    }
    let change = RuleChange {
        facility: &facility.id,
        profile: profile.as_deref(),
        layer: &layer,
        seen,
        files: &files,
    };
    let by = Actor::User(call.user_id()?);
    match state
        .store
        .set_approval_rule(&change, by, state.clock.now())
        .await
    {
        Ok(()) => {}
        Err(RuleFailure::Problem { profile: at, problem }) => {
            let words = call.locale.text(problem.text_key());
            let words = match &at {
                None => words,
                Some(id) => call
                    .locale
                    .text_with("rule-problem-for", &[("profile", id), ("problem", &words)]),
            };
            let shown = settings(&state, &call, &facility, (profile, Some((layer, words)))).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response());
        }
        Err(RuleFailure::Store(error)) => return Err(error.into()),
    }

    Ok(done(&format!("/facilities/{}/approval", facility.id), "done-saved"))
}

fn read_layer(form: &Form) -> Result<RuleLayer, PageError> {
    let number = |name: &str| match form.field(name) {
        "" => Ok(None),
        text => text
            .parse::<u32>()
            .map(Some)
            .map_err(|_| PageError::BadForm),
    };
    let approvers = number("approvers")?.map(|count| u8::try_from(count).unwrap_or(u8::MAX));
    let user = |text: &str| text.parse::<UserId>().map_err(|_| PageError::BadForm);
    let mut named = Vec::new();
    for text in form.all("named") {
        let approver = user(text)?;
        let mut deputies = Vec::new();
        for pair in form.all("deputy") {
            let (whose, who) = pair.split_once(':').ok_or(PageError::BadForm)?;
            if user(whose)? == approver {
                deputies.push(user(who)?);
            }
        }
        named.push(NamedApprover { user: approver, deputies });
    }

    Ok(RuleLayer {
        approvers,
        named: (form.field("names_people") == "yes").then_some(named),
        deputies_after_mins: number("deputies_after_mins")?,
        self_approval: match form.field("self_approval") {
            "allowed" => Some(SelfApproval::Allowed),
            "refused" => Some(SelfApproval::Refused),
            _ => None,
        },
        emergency: match form.field("emergency") {
            "allowed" => Some(Emergency::Allowed),
            "refused" => Some(Emergency::Refused),
            _ => None,
        },
    })
}

/// Marks an approver as away: oneself, or anybody for an administrator.
pub(super) async fn note_absence(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = call.facility()?.clone();
    let now = state.clock.now();
    let invalid = |key: &str| PageError::Invalid(call.locale.text(key));
    let user: UserId = call
        .form
        .field("user")
        .parse()
        .map_err(|_| PageError::BadForm)?;
    if !may_mark(&call, user)? {
        return Err(invalid("absence-not-yours"));
    }
    if !state.store.approvers(&facility).await?.contains(&user) {
        return Err(PageError::BadForm);
    }
    let times =
        (read_time_field(call.form.field("from")), read_time_field(call.form.field("until")));
    let (Some(from), Some(until)) = times else { return Err(invalid("step-time-wrong")) };
    if until <= from || until <= now {
        return Err(invalid("absence-wrong-times"));
    }
    let name = state.store.user(user).await?.name;
    let absence = Absence {
        id: AbsenceId::random(),
        facility: facility.clone(),
        who: NamedPerson { user, name },
        from,
        until,
        ended_at: None,
    };
    state
        .store
        .add_absence(&absence, Actor::User(call.user_id()?), now)
        .await?;

    Ok(done(&format!("/facilities/{facility}/approval"), "done-absence-noted"))
}

/// Ends an absence before its time.
pub(super) async fn end_absence(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, AbsenceId)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?.clone();
    let now = state.clock.now();
    let absences = state.store.absences(&facility, now).await?;
    let found = absences.into_iter().find(|absence| absence.id == id);
    let absence = found.ok_or(PageError::NotFound)?;
    if !may_mark(&call, absence.who.user)? {
        return Err(PageError::Invalid(call.locale.text("absence-not-yours")));
    }
    let by = Actor::User(call.user_id()?);
    state.store.end_absence((&facility, id), by, now).await?;

    Ok(done(&format!("/facilities/{facility}/approval"), "done-absence-ended"))
}

fn may_mark(call: &Call, user: UserId) -> Result<bool, PageError> {
    let caller = call.caller()?;
    let administrator = caller.grants.allow(call.facility()?, Role::Administrator);
    Ok(administrator || caller.user.id == user)
}
