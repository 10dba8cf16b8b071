//! The pages that show many incidents: overview, alerts, one facility.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;

use shirase_shared::ids::{FacilityId, UserId};

use super::console::{ConsoleState, frame, page};
use super::console_cases as cases;
use super::page_error::PageError;
use super::place::{facility, place_frame};
use super::session::Call;
use crate::console::Tab;
use crate::console::hosts::{HostHealth, HostsInput, health};
use crate::console::incident::IncidentRow;
use crate::console::overview::{
    AlertsPage, AlertsPart, FacilityCard, FacilityPage, OverviewPage, OverviewPart,
};
use crate::contacts::today;
use crate::correlate::Names;
use crate::facilities::Facility;
use crate::locale::japan_time;

/// Most alerts in the list.
const ALERTS_MAX: u32 = 100;
/// Most past incidents on a facility's page.
const PAST_MAX: u32 = 200;

type Answer = Result<Response, PageError>;

/// Shows all facilities.
pub(super) async fn overview(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facilities = cards(&state, &call).await?;
    page(&OverviewPage { f: frame(&call, &state, "title-overview", Tab::Overview), facilities })
}

/// Shows their cards alone.
pub(super) async fn overview_part(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facilities = cards(&state, &call).await?;
    page(&OverviewPart { f: frame(&call, &state, "title-overview", Tab::Overview), facilities })
}

async fn cards(state: &ConsoleState, call: &Call) -> Result<Vec<FacilityCard>, PageError> {
    let mut cards = Vec::new();
    for facility in visible_facilities(state, call).await? {
        cards.push(card(state, call, &facility).await?);
    }
    cards.sort_by_key(|card| {
        let counts = card.counts;
        std::cmp::Reverse((counts.critical, counts.high, counts.silent, counts.medium, counts.low))
    });
    Ok(cards)
}

async fn card(
    state: &ConsoleState,
    call: &Call,
    facility: &Facility,
) -> Result<FacilityCard, PageError> {
    let hosts = state.store.hosts(&facility.id).await?;
    let heartbeats = state.store.heartbeats(&facility.id).await?;
    let now = state.clock.now();
    let input = HostsInput { hosts: &hosts, heartbeats: &heartbeats, now, silence: state.silence };
    let mut counts = state.store.counts(&facility.id).await?;
    for host in &hosts {
        match health(host, heartbeats.get(&host.id), &input) {
            HostHealth::Well => counts.hosts += 1,
            HostHealth::Degraded => {
                counts.hosts += 1;
                counts.degraded += 1;
            }
            HostHealth::Silent => {
                counts.hosts += 1;
                counts.silent += 1;
            }
            HostHealth::ShutOut => {}
        }
    }
    let today = today(now);
    let standings = state.store.contacts(&facility.id).await?;
    let standings = standings.iter().map(|contact| contact.standing(today));
    for standing in standings.filter(|standing| standing.is_in_force()) {
        counts.contacts += 1;
        counts.contacts_flagged += u64::from(standing.is_flagged());
    }
    Ok(FacilityCard {
        id: facility.id.clone(),
        name: facility.display_name().to_owned(),
        state: counts.state(call.locale),
        class: counts.class(),
        counts,
        cases: cases::counts(state, &facility.id).await?,
    })
}

/// Returns the facilities at which the caller holds any role.
pub(super) async fn visible_facilities(
    state: &ConsoleState,
    call: &Call,
) -> Result<Vec<Facility>, PageError> {
    let grants = &call.caller()?.grants;
    let mut known = Vec::new();
    for id in grants.facilities() {
        if let Some(facility) = state.store.facility(id).await? {
            known.push(facility);
        }
    }
    Ok(known)
}

/// Shows the alerts of all facilities.
pub(super) async fn alerts(State(state): State<ConsoleState>, call: Call) -> Answer {
    let alerts = alert_rows(&state, &call).await?;
    page(&AlertsPage { f: frame(&call, &state, "title-alerts", Tab::Alerts), alerts })
}

/// Shows their list alone.
pub(super) async fn alerts_part(State(state): State<ConsoleState>, call: Call) -> Answer {
    let alerts = alert_rows(&state, &call).await?;
    page(&AlertsPart { f: frame(&call, &state, "title-alerts", Tab::Alerts), alerts })
}

async fn alert_rows(state: &ConsoleState, call: &Call) -> Result<Vec<IncidentRow>, PageError> {
    let users = state.store.user_names().await?;
    let mut found = Vec::new();
    for facility in visible_facilities(state, call).await? {
        let names = names(state, &facility.id, &users).await?;
        for incident in state
            .store
            .incidents_to_show(&facility.id, ALERTS_MAX)
            .await?
        {
            let row = IncidentRow::of(&incident, facility.display_name(), &names, call.locale);
            found.push((incident.updated_at, row));
        }
    }
    found.sort_by_key(|(updated, _)| std::cmp::Reverse(*updated));
    found.truncate(usize::try_from(ALERTS_MAX).unwrap_or(usize::MAX));

    Ok(found.into_iter().map(|(_, row)| row).collect())
}

/// Returns what hosts and people are called.
pub(super) async fn names(
    state: &ConsoleState,
    facility: &FacilityId,
    users: &BTreeMap<UserId, String>,
) -> Result<Names, PageError> {
    let hosts = state.store.hosts(facility).await?;
    let hosts = hosts.into_iter().map(|host| (host.id, host.name)).collect();
    Ok(Names { hosts, users: users.clone() })
}

/// Shows one facility with its incidents.
pub(super) async fn show_facility(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let users = state.store.user_names().await?;
    let names = names(&state, &facility.id, &users).await?;
    let incidents = state
        .store
        .incidents_to_show(&facility.id, PAST_MAX)
        .await?;
    let rows = incidents
        .iter()
        .map(|incident| IncidentRow::of(incident, facility.display_name(), &names, call.locale));
    let (live, past) = rows.partition(|row| row.live);

    page(&FacilityPage {
        f: place_frame(&call, &state, &facility, ("title-facility", Tab::Incidents))?,
        card: card(&state, &call, &facility).await?,
        reviews: open_reviews(&state, &call, &facility.id).await?,
        live,
        past,
    })
}

/// Returns the emergency releases that wait for their review.
async fn open_reviews(
    state: &ConsoleState,
    call: &Call,
    facility: &FacilityId,
) -> Result<Vec<(String, String)>, PageError> {
    let mut shown = Vec::new();
    for release in state.store.open_reviews(facility).await? {
        let report = state.store.report(facility, release.report).await?;
        let profile = state.releases.profiles().profile(&report.profile);
        let title = profile
            .map_or(report.profile.as_str(), |p| p.body.title.in_lang(call.locale.lang()))
            .to_owned();
        let by = format!("{} · {}", release.by.name, japan_time(release.at));
        let words = call.locale.text_with(
            "reviews-open-one",
            &[("title", &title), ("revision", &release.revision), ("by", &by)],
        );
        shown.push((words, format!("/facilities/{facility}/reports/{}", release.report)));
    }

    Ok(shown)
}
