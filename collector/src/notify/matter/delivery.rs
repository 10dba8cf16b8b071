//! The words of a delivery that stopped and asks a person.

use serde::Serialize;
use shirase_shared::ids::{DeliveryId, ReportId};

use super::line;
use crate::deliver::Delivery;
use crate::locale::Locale;

/// What a webhook is told of a delivery. Fields are added, never repurposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostDelivery {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Of which report.
    pub report: ReportId,
    /// `unknown`, `refused` or `failed`; another state if a person was faster than the message.
    pub state: &'static str,
    /// `mail` or `folder`.
    pub way: &'static str,
    /// To whom.
    pub organisation: String,
    /// The other side's words, or what went wrong.
    pub answer: String,
}

pub(super) fn post(delivery: &Delivery, answer: &str) -> PostDelivery {
    PostDelivery {
        delivery: delivery.id,
        report: delivery.report,
        state: delivery.state.as_str(),
        way: delivery.way.as_str(),
        organisation: line(&delivery.addressee.organisation),
        answer: line(answer),
    }
}

pub(super) fn subject(
    delivery: &Delivery,
    (facility, number): (&str, u64),
    locale: Locale,
) -> String {
    let state = locale.text(&delivery.state.label_key());
    locale.text_with(
        "delivery-subject",
        &[("facility", &facility), ("number", &number), ("state", &state)],
    )
}

pub(super) fn lines(delivery: &Delivery, answer: &str, locale: Locale) -> Vec<String> {
    let (organisation, way) =
        (line(&delivery.addressee.organisation), locale.text(&delivery.way.label_key()));
    let state = locale.text(&delivery.state.label_key());
    let mut lines = vec![
        locale.text_with("delivery-mail-who", &[("organisation", &organisation), ("way", &way)]),
        locale.text_with("delivery-mail-state", &[("state", &state)]),
    ];
    if !answer.is_empty() {
        lines.push(locale.text_with("delivery-mail-answer", &[("answer", &line(answer))]));
    }
    lines.push(String::new());
    lines.push(locale.text(if delivery.state.asks_a_person() {
        "delivery-mail-decide"
    } else {
        "delivery-mail-decided"
    }));
    lines
}
