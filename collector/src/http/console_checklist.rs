//! The cyber security checklist: shown, filled, printed, compared with the year before.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::console::{ConsoleState, page};
use super::console_decision;
use super::page_error::PageError;
use super::place::{done_at, facility, place_frame};
use super::session::Call;
use crate::audit::Actor;
use crate::checklist::{Checklist, Filled, Inputs, Paper, PaperParts, Sheet, SheetKey, read};
use crate::console::Tab;
use crate::console::checklist::{
    ChangesPage, ChecklistsPage, ItemView, ItemsInput, ListCard, Refused, SheetPage,
};
use crate::contacts::today;
use crate::facilities::Facility;
use crate::store::ItemPlace;

type Answer = Result<Response, PageError>;

/// Shows the lists there are, each with how its sheets stand.
pub(super) async fn lists(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let (now, locale) = (state.clock.now(), call.locale);
    let known = &state.checklists.lists;
    let names = BTreeMap::new();
    let mut cards = Vec::new();
    for list in known.newest_first() {
        let filled = state.releases.filled_list(&facility, list).await?;
        let parts = PaperParts { list, names: &names, now, locale };
        let said =
            |sheet: &Sheet| parts.sheet(sheet, &filled.in_force(&sheet.key), &BTreeMap::new());
        let sheets = filled.sheets.iter().map(said).collect();
        cards.push(ListCard::of(list, known.before(list).is_some(), sheets, locale));
    }
    let f = place_frame(&call, &state, &facility, ("title-checklists", Tab::Checklists))?;
    page(&ChecklistsPage { f, covered: known.covers(today(now)), lists: cards })
}

/// Shows one sheet.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, list, sheet)): Path<(String, String, String)>,
    call: Call,
) -> Answer {
    let key: SheetKey = sheet.parse().map_err(|_| PageError::NotFound)?;
    page(&sheet_page(&state, &call, (&list, &key), None).await?)
}

async fn sheet_page(
    state: &ConsoleState,
    call: &Call,
    (list, key): (&str, &SheetKey),
    refused: Option<&Refused<'_>>,
) -> Result<SheetPage, PageError> {
    let facility = facility(state, call).await?;
    let list = known(state, list)?;
    let (now, locale) = (state.clock.now(), call.locale);
    let filled = state.releases.filled_list(&facility, list).await?;
    let names = state.store.user_names().await?;
    let desk = (&state.checklists, list);
    let mut paper = state
        .releases
        .checklist_paper(&facility, desk, Some(key), locale)
        .await?;
    let sheet = paper.sheets.pop().ok_or(PageError::NotFound)?;
    let parts = PaperParts { list, names: &names, now, locale };
    let by = |filled: &Filled| parts.by(filled);
    let of_sheet = filled.answers.iter().filter(|((sheet, _), _)| sheet == key);
    let versions = of_sheet
        .map(|((_, item), found)| (item.clone(), found.clone()))
        .collect();
    let input = ItemsInput { list, versions: &versions, by: &by, refused, day: today(now), locale };
    let groups = sheet.groups.iter().map(|group| {
        let items = group.items.iter().cloned();
        (group.heading.clone(), items.map(|item| ItemView::of(item, &input)).collect())
    });
    let links = filled.sheets.iter().map(|one| {
        let words = match &one.key {
            SheetKey::Institution => locale.text("checklist-sheet-institution"),
            SheetKey::Vendor(_) => one.company.clone(),
        };
        (one.key.to_string(), words, one.key == *key)
    });
    let wrong = refused.and_then(|refused| list.item(refused.item));
    Ok(SheetPage {
        f: place_frame(call, state, &facility, ("title-checklist", Tab::Checklists))?,
        list: list.body.id.clone(),
        groups: groups.collect(),
        links: links.collect(),
        refused: wrong.map(|item| (item.id.clone(), item.number.clone())),
        sheet,
        paper,
    })
}

/// Answers an item. What is wrong with the answer is said on the filled form.
pub(super) async fn answer(
    State(state): State<ConsoleState>,
    Path((_, list, sheet, item)): Path<(String, String, String, String)>,
    call: Call,
) -> Answer {
    let key: SheetKey = sheet.parse().map_err(|_| PageError::NotFound)?;
    let facility = facility(&state, &call).await?;
    let list = known(&state, &list)?;
    let asked = list.item(&item).filter(|item| item.stands_on(key.kind()));
    let asked = asked.ok_or(PageError::NotFound)?;
    let filled = state.releases.filled_list(&facility, list).await?;
    let sheet = filled.sheet(&key).ok_or(PageError::NotFound)?;
    let inputs: Inputs = ["answer", "checked_on", "target_on", "said_by", "note"]
        .map(|name| (name, call.form.field(name).to_owned()))
        .into();
    let now = state.clock.now();
    let entry = match read(&inputs, today(now)) {
        Ok(entry) => entry,
        Err(flaws) => {
            let problems = flaws.iter().map(|flaw| flaw.words(call.locale)).collect();
            let refused = Refused { item: &asked.id, inputs: &inputs, problems };
            let place = (list.body.id.as_str(), &key);
            let shown = sheet_page(&state, &call, place, Some(&refused)).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response());
        }
    };
    let seen: u32 = call
        .form
        .field("revision")
        .parse()
        .map_err(|_| PageError::BadForm)?;
    let place =
        ItemPlace { facility: &facility.id, list: &list.body.id, sheet: &key, item: &asked.id };
    let who = (Actor::User(call.user_id()?), now);
    state
        .store
        .answer_checklist((&place, seen), (&asked.text.ja, &sheet.company), &entry, who)
        .await?;
    let back = format!("/facilities/{}/checklists/{}/{key}", facility.id, list.body.id);

    Ok(done_at(&back, "done-checklist-answered", &format!("item-{}", asked.id)))
}

/// Shows what changed since the year before.
pub(super) async fn changes(
    State(state): State<ConsoleState>,
    Path((_, list)): Path<(String, String)>,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let list = known(&state, &list)?;
    let names = state.store.user_names().await?;
    let desk = (&state.checklists, list);
    let changes = state
        .releases
        .checklist_changes(&facility, desk, &names, call.locale)
        .await?;
    let f = place_frame(&call, &state, &facility, ("title-checklist-changes", Tab::Checklists))?;
    let title = list.body.title.in_lang(call.locale.lang()).to_owned();
    page(&ChangesPage { f, list: list.body.id.clone(), title, changes })
}

/// Sends the filled list as PDF.
pub(super) async fn pdf(
    State(state): State<ConsoleState>,
    Path((_, list)): Path<(String, String)>,
    call: Call,
) -> Answer {
    let (facility, paper) = whole(&state, &call, &list).await?;
    let made = state.releases.checklist_pdf(paper).await;
    let bytes = made.map_err(|error| console_decision::words(error, &call))?;
    let name = format!("inline; filename=\"{}-{list}.pdf\"", facility.id);
    let headers = [(CONTENT_TYPE, "application/pdf".to_owned()), (CONTENT_DISPOSITION, name)];

    Ok((headers, bytes).into_response())
}

/// Sends the filled list as a workbook.
pub(super) async fn xlsx(
    State(state): State<ConsoleState>,
    Path((_, list)): Path<(String, String)>,
    call: Call,
) -> Answer {
    let (facility, paper) = whole(&state, &call, &list).await?;
    let made = state.releases.checklist_xlsx(paper).await;
    let bytes = made.map_err(|error| console_decision::words(error, &call))?;

    Ok(workbook(&format!("{}-{list}", facility.id), bytes))
}

/// Hands a workbook out, to be saved under a name of ours.
pub(super) fn workbook(stem: &str, bytes: Vec<u8>) -> Response {
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned();
    let name = format!("attachment; filename=\"{stem}.xlsx\"");
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)];

    (headers, bytes).into_response()
}

async fn whole(
    state: &ConsoleState,
    call: &Call,
    list: &str,
) -> Result<(Facility, Paper), PageError> {
    let facility = facility(state, call).await?;
    let desk = (&state.checklists, known(state, list)?);
    let paper = state
        .releases
        .checklist_paper(&facility, desk, None, call.locale)
        .await?;

    Ok((facility, paper))
}

fn known<'a>(state: &'a ConsoleState, list: &str) -> Result<&'a Checklist, PageError> {
    state.checklists.lists.list(list).ok_or(PageError::NotFound)
}
