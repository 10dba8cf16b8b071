//! Master data and alert channels of a facility.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::console::{ConsoleState, page};
use super::form::Form;
use super::page_error::PageError;
use super::place::{done, entry, facility, place_frame};
use super::session::Call;
use crate::audit::{Carrier, Departure};
use crate::console::Tab;
use crate::console::settings::{ChannelView, SettingsPage};
use crate::facilities::{Duty, Facility, FacilityKind, Master, Person, Vendor};
use crate::notify::{Channel, ChannelId, ChannelKind, parse_severity};

type Answer = Result<Response, PageError>;

/// Shows master data and channels.
pub(super) async fn show(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let master = facility.master.clone();
    page(&settings_page(&state, &call, &facility, master).await?)
}

async fn settings_page(
    state: &ConsoleState,
    call: &Call,
    facility: &Facility,
    master: Master,
) -> Result<SettingsPage, PageError> {
    let f = place_frame(call, state, facility, ("title-settings", Tab::Settings))?;
    let mut channels = Vec::new();
    for channel in state.store.alert_channels(&facility.id).await? {
        let told = state.store.channel_state(&facility.id, &channel.id).await?;
        channels.push(ChannelView {
            id: channel.id.to_string(),
            kind: call.locale.text(match channel.kind {
                ChannelKind::Mail => "channel-mail",
                ChannelKind::Webhook => "channel-webhook",
            }),
            target: channel.shown_target(),
            from: crate::console::Badge::severity(channel.min_severity, call.locale).text,
            state: call
                .locale
                .text_with("channel-counts", &[("sent", &told.sent), ("waiting", &told.waiting)]),
            last_error: told.last_error,
        });
    }
    Ok(SettingsPage::of(f, facility, master, channels))
}

/// Replaces the master data. What is wrong with it is said on the filled form.
pub(super) async fn save(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    if call.form.field("version") != facility.updated_at.as_millisecond().to_string() {
        return Err(PageError::Conflict);
    }
    let (master, mut problems) = read_master(&call.form);
    let named = |(field, problem): (String, &'static str)| format!("{field}: {problem}");
    problems.extend(master.problems().into_iter().map(named));
    if !problems.is_empty() {
        let mut shown = settings_page(&state, &call, &facility, master).await?;
        shown.problems = problems;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response());
    }
    let now = state.clock.now();
    state.store.set_master(&facility.id, &master, now).await?;
    let entry = entry(&state, &call, "facility.changed", &facility.id)?;
    state.store.audit(&entry).await?;

    Ok(done(&format!("/facilities/{}/settings", facility.id), "done-saved"))
}

fn read_master(form: &Form) -> (Master, Vec<String>) {
    let mut problems = Vec::new();
    let beds = match form.field("beds") {
        "" => None,
        text => {
            let beds = text.parse().ok();
            if beds.is_none() {
                problems
                    .push("beds: is not a number; leave it empty while it is unknown".to_owned());
            }
            beds
        }
    };
    let kind = form.field("kind");
    let text = |name: &str| form.field(name).to_owned();
    let master = Master {
        name: text("name"),
        founder: text("founder"),
        kind: FacilityKind::ALL
            .into_iter()
            .find(|k| k.as_str() == kind)
            .unwrap_or_default(),
        beds,
        code: text("code"),
        corporate_number: text("corporate_number"),
        address: text("address"),
        prefecture: text("prefecture"),
        jurisdiction: text("jurisdiction"),
        people: read_people(form),
        vendors: read_vendors(form),
    };
    (master, problems)
}

fn read_people(form: &Form) -> Vec<Person> {
    let column = |name| form.all(name).map(str::to_owned).collect::<Vec<_>>();
    let at = |values: &[String], index: usize| values.get(index).cloned().unwrap_or_default();
    let (names, phones) = (column("person_name"), column("person_phone"));
    let (mails, nights) = (column("person_mail"), column("person_phone_24h"));
    let person = |(index, duty): (usize, &str)| Person {
        duty: Duty::ALL
            .into_iter()
            .find(|d| d.as_str() == duty)
            .unwrap_or(Duty::Contact),
        name: at(&names, index),
        phone: at(&phones, index),
        mail: at(&mails, index),
        phone_24h: at(&nights, index),
    };
    let said = |person: &Person| {
        [&person.name, &person.phone, &person.mail, &person.phone_24h]
            .iter()
            .any(|t| !t.is_empty())
    };
    form.all("person_duty")
        .enumerate()
        .map(person)
        .filter(said)
        .collect()
}

fn read_vendors(form: &Form) -> Vec<Vendor> {
    let column = |name| form.all(name).map(str::to_owned).collect::<Vec<_>>();
    let at = |values: &[String], index: usize| values.get(index).cloned().unwrap_or_default();
    let (companies, people) = (column("vendor_company"), column("vendor_person"));
    let (phones, nights) = (column("vendor_phone"), column("vendor_phone_24h"));
    let mails = column("vendor_mail");
    let vendor = |(index, system): (usize, &str)| {
        Some(Vendor {
            system: system.parse().ok()?,
            company: at(&companies, index),
            person: at(&people, index),
            phone: at(&phones, index),
            phone_24h: at(&nights, index),
            mail: at(&mails, index),
        })
    };
    let said = |vendor: &Vendor| {
        [&vendor.company, &vendor.person, &vendor.phone, &vendor.phone_24h, &vendor.mail]
            .iter()
            .any(|text| !text.is_empty())
    };
    form.all("vendor_system")
        .enumerate()
        .filter_map(vendor)
        .filter(said)
        .collect()
}

/// Adds or replaces an alert channel.
pub(super) async fn put_channel(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = call.facility()?.clone();
    let invalid = |error: crate::notify::ChannelError| PageError::Invalid(error.to_string());
    let kind: ChannelKind = call.form.field("kind").parse().map_err(invalid)?;
    let channel = Channel {
        facility: facility.clone(),
        id: call.form.field("id").parse().map_err(invalid)?,
        kind,
        target: call.form.field("target").to_owned(),
        min_severity: parse_severity(call.form.field("min_severity")).map_err(invalid)?,
    };
    let channel = channel.checked().map_err(invalid)?;
    state.store.put_alert_channel(&channel).await?;
    let entry = entry(&state, &call, "channel.set", &channel.id)?
        .with("kind", channel.kind)
        .with("target", channel.shown_target())
        .with("min_severity", channel.min_severity);
    state.store.audit(&entry).await?;

    Ok(done(&format!("/facilities/{facility}/settings"), "done-saved"))
}

/// Removes an alert channel.
pub(super) async fn remove_channel(
    State(state): State<ConsoleState>,
    Path((_, channel)): Path<(String, String)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    let channel: ChannelId = channel.parse().map_err(|_| PageError::NotFound)?;
    state.store.remove_alert_channel(facility, &channel).await?;
    state
        .store
        .audit(&entry(&state, &call, "channel.removed", &channel)?)
        .await?;

    Ok(done(&format!("/facilities/{facility}/settings"), "done-channel-removed"))
}

/// Sends a test message over a channel and says what the other side answered.
pub(super) async fn test_channel(
    State(state): State<ConsoleState>,
    Path((_, channel)): Path<(String, String)>,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let channels = state.store.alert_channels(&facility.id).await?;
    let named = channels
        .iter()
        .find(|known| known.id.to_string() == channel);
    let channel = named.ok_or(PageError::NotFound)?;
    let now = state.clock.now();
    let head = state.store.audit_head().await?;
    let sent = state
        .courier
        .test(channel, facility.display_name(), (now, head.as_ref()))
        .await;
    if let (Ok(_), ChannelKind::Mail, Some(head)) = (&sent, channel.kind, head) {
        let departure = Departure { carrier: Carrier::Mail, head, at: now };
        state.store.head_left(&departure).await?;
    }
    let entry = entry(&state, &call, "channel.tested", &channel.id)?;
    match sent {
        Ok(_) => {
            state.store.audit(&entry.with("outcome", "sent")).await?;
            Ok(done(&format!("/facilities/{}/settings", facility.id), "done-test-sent"))
        }
        Err(error) => {
            state.store.audit(&entry.with("outcome", &error)).await?;
            let words = call
                .locale
                .text_with("channel-test-failed", &[("why", &error)]);
            Err(PageError::Invalid(words))
        }
    }
}
