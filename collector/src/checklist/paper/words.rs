//! Puts lists, answers, evidence and comparisons into words.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use shirase_shared::ids::UserId;

use super::{
    Paper, PaperChange, PaperChanges, PaperEvidence, PaperGroup, PaperHeads, PaperItem, PaperSheet,
};
use crate::audit::Actor;
use crate::checklist::{
    Answered, Checklist, Comparison, Entry, Evidence, EvidenceWeight, Filled, Group, Item, Sheet,
    SheetKey, SheetKind, Standing, Tally, Turn,
};
use crate::contacts::ChartSheet;
use crate::locale::{Locale, japan_time, visible};

/// What a paper is made from.
pub struct PaperParts<'a> {
    /// The list.
    pub list: &'a Checklist,
    /// Names of the people who can have entered something.
    pub names: &'a BTreeMap<UserId, String>,
    /// The moment it is made.
    pub now: Timestamp,
    /// The language.
    pub locale: Locale,
}

impl PaperParts<'_> {
    /// Puts one sheet into words.
    #[must_use]
    pub fn sheet(
        &self,
        sheet: &Sheet,
        filled: &BTreeMap<String, Filled>,
        evidence: &BTreeMap<String, Vec<Evidence>>,
    ) -> PaperSheet {
        let kind = sheet.key.kind();
        let body = &self.list.body;
        let group = |group: &Group| {
            let items = self.list.items(kind).filter(|item| item.group == group.id);
            let known = |item: &Item| evidence.get(&item.id).map_or(&[][..], Vec::as_slice);
            PaperGroup {
                heading: group.heading.in_lang(self.locale.lang()).to_owned(),
                items: items
                    .map(|item| self.item(item, filled.get(&item.id), known(item)))
                    .collect(),
            }
        };
        let groups: Vec<PaperGroup> = body
            .groups
            .iter()
            .map(group)
            .filter(|group| !group.items.is_empty())
            .collect();
        let standings = groups
            .iter()
            .flat_map(|group| &group.items)
            .map(|item| item.standing);
        let mut notes = Vec::new();
        if kind == SheetKind::Vendor {
            notes.push(body.vendor_note.in_lang(self.locale.lang()).to_owned());
        }
        if !sheet.current {
            notes.push(self.locale.text("checklist-vendor-gone"));
        }
        PaperSheet {
            key: sheet.key.to_string(),
            title: sheet_title(&sheet.key, self.locale),
            company: visible(&sheet.company),
            note: notes.join(" "),
            tally: tally_words(Tally::of(standings), self.locale),
            groups,
        }
    }

    fn item(&self, item: &Item, filled: Option<&Filled>, evidence: &[Evidence]) -> PaperItem {
        let Self { locale, .. } = self;
        let entry = filled.map(|filled| &filled.entry);
        let day = crate::contacts::today(self.now);
        let standing = Standing::of(entry, day);
        let target = entry.and_then(|entry| entry.target_on);
        let changed = filled.is_some_and(|filled| filled.answers_other_words(item));
        PaperItem {
            id: item.id.clone(),
            number: item.number.clone(),
            text: item.text.in_lang(locale.lang()).to_owned(),
            doubt: item
                .doubt_key()
                .map(|key| locale.text(key))
                .unwrap_or_default(),
            standing,
            answer: locale.text(entry.map_or("checklist-open", |entry| entry.answer.label_key())),
            checked: entry
                .map(|entry| entry.checked_on.to_string())
                .unwrap_or_default(),
            target: target.map(|day| day.to_string()).unwrap_or_default(),
            target_mark: self.target_mark(target, standing),
            note: entry.map(|entry| visible(&entry.note)).unwrap_or_default(),
            by: filled.map(|filled| self.by(filled)).unwrap_or_default(),
            reworded: if changed { locale.text("checklist-reworded") } else { String::new() },
            evidence: evidence.iter().map(|one| self.evidence(one)).collect(),
        }
    }

    fn target_mark(&self, target: Option<Date>, standing: Standing) -> String {
        if standing == Standing::Overdue {
            return self.locale.text("checklist-target-over");
        }
        if target.is_some_and(|target| self.list.body.valid_to < target) {
            return self.locale.text("checklist-target-beyond");
        }
        String::new()
    }

    /// Says who made sure and who entered it, and when.
    #[must_use]
    pub fn by(&self, filled: &Filled) -> String {
        let name = match filled.set_by {
            Actor::User(id) => self
                .names
                .get(&id)
                .cloned()
                .unwrap_or_else(|| id.to_string()),
            Actor::Machine => self.locale.text("who-machine"),
            Actor::CommandLine => self.locale.text("who-command-line"),
        };
        let Entry { said_by, .. } = &filled.entry;
        let at = japan_time(filled.set_at);
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("said", said_by), ("name", &name), ("at", &at)];
        let key =
            if said_by.is_empty() { "checklist-entered" } else { "checklist-said-and-entered" };
        visible(&self.locale.text_with(key, &values))
    }

    fn evidence(&self, one: &Evidence) -> PaperEvidence {
        PaperEvidence {
            at: japan_time(one.at),
            host: one.host.as_deref().map(visible).unwrap_or_default(),
            words: visible(&one.words(self.locale)),
            mark: match one.weight {
                EvidenceWeight::Plain => String::new(),
                EvidenceWeight::Look => self.locale.text("evidence-look"),
            },
        }
    }

    /// Puts the comparison of every sheet with the year before into words.
    #[must_use]
    pub fn changes(
        &self,
        before: &Checklist,
        compared: &[(Sheet, Comparison<'_>)],
    ) -> PaperChanges {
        let Self { locale, .. } = self;
        let sheets = compared.iter().map(|(sheet, comparison)| {
            let mut title = sheet_title(&sheet.key, *locale);
            if !sheet.company.is_empty() {
                title = format!("{title} {}", visible(&sheet.company));
            }
            (title, self.change_lines(comparison))
        });
        let title = before.body.title.in_lang(locale.lang());
        PaperChanges {
            title: locale.text("title-checklist-changes"),
            intro: locale.text_with("checklist-changes-intro", &[("before", &title)]),
            head: [
                "checklist-number",
                "checklist-item",
                "checklist-then",
                "checklist-now",
                "checklist-turn",
            ]
            .map(|key| locale.text(key))
            .to_vec(),
            sheets: sheets.collect(),
        }
    }

    fn change_lines(&self, comparison: &Comparison<'_>) -> Vec<PaperChange> {
        let Self { locale, .. } = self;
        let said = |answer: Option<Answered>| {
            locale.text(answer.map_or("checklist-open", Answered::label_key))
        };
        let changes = comparison.changes.iter().map(|one| {
            let old: Vec<&str> = one
                .followed
                .iter()
                .map(|item| item.number.as_str())
                .collect();
            let old = old.join(" ");
            let moved = !old.is_empty() && old != one.item.number;
            let mut turn = locale.text(one.turn.label_key());
            if one.reworded {
                turn = format!("{turn} {}", locale.text("checklist-turn-reworded"));
            }
            PaperChange {
                number: if moved {
                    format!("{} ← {old}", one.item.number)
                } else {
                    one.item.number.clone()
                },
                text: one.item.text.in_lang(locale.lang()).to_owned(),
                then: if one.turn == Turn::New { "–".to_owned() } else { said(one.then) },
                now: said(one.now),
                turn,
                look: matches!(one.turn, Turn::Worse | Turn::StillNo),
            }
        });
        let gone = comparison.gone.iter().map(|(item, answer)| PaperChange {
            number: format!("← {}", item.number),
            text: item.text.in_lang(locale.lang()).to_owned(),
            then: said(*answer),
            now: "–".to_owned(),
            turn: locale.text("checklist-turn-gone"),
            look: false,
        });
        changes.chain(gone).collect()
    }

    /// Puts everything together.
    #[must_use]
    pub fn paper(
        &self,
        facility: &str,
        (sheets, changes, chart): (Vec<PaperSheet>, Option<PaperChanges>, ChartSheet),
    ) -> Paper {
        let Self { locale, list, .. } = self;
        let text = |key: &str| locale.text(key);
        let body = &list.body;
        let source: [(&str, &dyn std::fmt::Display); 2] =
            [("url", &body.source_url), ("date", &body.last_verified)];
        Paper {
            lang: locale.lang().as_str(),
            title: body.title.in_lang(locale.lang()).to_owned(),
            facility: visible(facility),
            made: locale.text_with("checklist-made", &[("time", &japan_time(self.now))]),
            notes: vec![
                body.note.in_lang(locale.lang()).to_owned(),
                locale.text_with("checklist-source", &source),
            ],
            evidence_note: text("evidence-note"),
            heads: PaperHeads {
                number: text("checklist-number"),
                item: text("checklist-item"),
                answer: text("checklist-answer"),
                checked: text("checklist-checked"),
                target: text("checklist-target"),
                note: text("checklist-note"),
                by: text("checklist-by"),
                evidence: text("checklist-evidence"),
                host: text("evidence-host-column"),
                at: text("evidence-at"),
            },
            sheets,
            changes,
            chart,
        }
    }
}

/// Names a kind of sheet.
fn sheet_title(key: &SheetKey, locale: Locale) -> String {
    locale.text(match key.kind() {
        SheetKind::Institution => "checklist-sheet-institution",
        SheetKind::Vendor => "checklist-sheet-vendor",
    })
}

/// Says how a sheet stands.
fn tally_words(tally: Tally, locale: Locale) -> String {
    let Tally { all, open, yes, planned, overdue, not_applicable } = tally;
    let no = planned + overdue;
    let values: [(&str, &dyn std::fmt::Display); 6] = [
        ("all", &all),
        ("yes", &yes),
        ("no", &no),
        ("overdue", &overdue),
        ("na", &not_applicable),
        ("open", &open),
    ];
    locale.text_with("checklist-tally", &values)
}
