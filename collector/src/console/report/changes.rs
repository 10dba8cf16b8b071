//! What reads otherwise than in the report before.

use std::collections::BTreeMap;

use super::answers::{status_badge, value_lines};
use crate::approval::Former;
use crate::console::ui::Badge;
use crate::locale::{Locale, japan_time};
use crate::reports::answer::Answer;
use crate::reports::fields::Field;

/// What reads otherwise than in the report before.
pub struct ChangesView {
    /// Which report that was and when, in words.
    pub since: String,
    /// Label of each field with its number, what was said and what is said now.
    pub changed: Vec<ChangeView>,
}

/// One field that reads otherwise.
pub struct ChangeView {
    /// Number of the field.
    pub number: u8,
    /// What is asked.
    pub label: String,
    /// How sure the report before was, and what it said.
    pub before: (Badge, Vec<String>),
    /// The same now.
    pub now: (Badge, Vec<String>),
}

impl ChangesView {
    /// Shows what reads otherwise than when this report was last sent or taken back.
    #[must_use]
    pub fn since_sent_back(
        former: &Former,
        answers: &BTreeMap<Field, Answer>,
        locale: Locale,
    ) -> Self {
        let since = locale.text_with(
            "changes-since-revision",
            &[("revision", &former.revision), ("time", &japan_time(former.submitted_at))],
        );
        Self { since, ..Self::of(former, answers, locale) }
    }

    /// Shows what reads otherwise.
    #[must_use]
    pub fn of(former: &Former, answers: &BTreeMap<Field, Answer>, locale: Locale) -> Self {
        let said = |field: Field, answer: Option<&Answer>| {
            let lines = answer.map(|answer| value_lines(field, &answer.value, locale));
            let badge = status_badge(answer.map(|answer| answer.status), locale);
            (badge, lines.unwrap_or_default())
        };
        let changed = former.changed.iter().map(|changed| ChangeView {
            number: changed.field.number(),
            label: locale.text(&changed.field.label_key()),
            before: said(changed.field, changed.answer.as_ref()),
            now: said(changed.field, answers.get(&changed.field)),
        });
        Self {
            since: locale.text_with(
                "changes-since",
                &[("number", &former.number), ("time", &japan_time(former.submitted_at))],
            ),
            changed: changed.collect(),
        }
    }
}
