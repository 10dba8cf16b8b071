//! Partners of a facility, and one of them with every card.

use askama::Template;
use jiff::Timestamp;

use super::super::frame::Frame;
use super::super::ui::{Badge, Tone};
use crate::exchange::incoming::OwnCard;
use crate::exchange::partner::{Partner, PinnedCard, Standing};
use crate::locale::{Locale, japan_time};

/// The partners of a facility.
#[derive(Template)]
#[template(path = "partners.html")]
pub struct PartnersPage {
    /// What stands around it.
    pub f: Frame,
    /// Partners by name.
    pub rows: Vec<PartnerRow>,
    /// Our own newest card: its fingerprint in groups, its text, and what it says in short.
    pub own: Option<(String, String, String)>,
    /// What was sent: short name, card, fingerprint.
    pub sent: (String, String, String),
    /// What was wrong with it.
    pub problem: Option<String>,
}

/// One partner as a row.
pub struct PartnerRow {
    /// What it is called here.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What kind of organisation it is.
    pub kind: String,
    /// Where it takes packages; none where it takes files alone.
    pub address: Option<String>,
    /// How far it is trusted.
    pub standing: Badge,
}

impl PartnerRow {
    /// Shows a partner.
    #[must_use]
    pub fn of(partner: &Partner, now: Timestamp, locale: Locale) -> Self {
        let standing = partner.standing(now);
        let tone = match standing {
            Standing::Trusted => Tone::Well,
            Standing::Rotating => Tone::Medium,
            Standing::Revoked => Tone::Quiet,
        };
        let card = &partner.current.card;
        Self {
            id: partner.id.to_string(),
            name: partner.name().to_owned(),
            kind: locale.text(&card.kind.label_key()),
            address: card.is_reachable().then(|| card.address.clone()),
            standing: Badge { tone, text: locale.text(standing.label_key()) },
        }
    }
}

impl PartnersPage {
    /// Shows the partners with what was wrong with what was sent.
    #[must_use]
    pub fn of(
        f: Frame,
        (partners, own): (&[Partner], Option<&OwnCard>),
        now: Timestamp,
        (sent, problem): ((String, String, String), Option<String>),
    ) -> Self {
        let rows = partners
            .iter()
            .map(|partner| PartnerRow::of(partner, now, f.locale));
        let locale = f.locale;
        let own = own.map(|own| {
            let card = &own.card;
            let way = if card.is_reachable() {
                card.address.clone()
            } else {
                locale.text("partner-files-only")
            };
            let kind = locale.text(&card.kind.label_key());
            (own.id.grouped(), card.text(), format!("{}, {kind}, {way}", card.name))
        });
        Self { rows: rows.collect(), own, sent, problem, f }
    }
}

/// One partner.
#[derive(Template)]
#[template(path = "partner.html")]
pub struct PartnerPage {
    /// What stands around it.
    pub f: Frame,
    /// As a row.
    pub row: PartnerRow,
    /// Its cards, the one in force first: fingerprint in groups, and when by whom it was compared.
    pub cards: Vec<(String, String)>,
    /// When and why it was revoked; empty while it is trusted.
    pub revoked: String,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

impl PartnerPage {
    /// Shows a partner.
    #[must_use]
    pub fn of(f: Frame, partner: &Partner, now: Timestamp, problem: Option<String>) -> Self {
        let locale = f.locale;
        let cards = std::iter::once(&partner.current).chain(&partner.former);
        let revoked = partner.revoked.as_ref().map(|revoked| {
            let time = japan_time(revoked.at);
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("time", &time), ("reason", &revoked.reason)];
            locale.text_with("partner-revoked-because", &values)
        });
        Self {
            row: PartnerRow::of(partner, now, locale),
            cards: cards
                .map(|card| (card.id.grouped(), compared(card, locale)))
                .collect(),
            revoked: revoked.unwrap_or_default(),
            problem,
            f,
        }
    }
}

fn compared(pinned: &PinnedCard, locale: Locale) -> String {
    let (from, until) = (japan_time(pinned.from), pinned.until.map(japan_time));
    let key = if until.is_some() { "partner-card-until" } else { "partner-card-in-force" };
    let until = until.unwrap_or_default();
    let mut values: Vec<(&str, &dyn std::fmt::Display)> =
        vec![("name", &pinned.compared_by), ("from", &from)];
    if !until.is_empty() {
        values.push(("until", &until));
    }
    locale.text_with(key, &values)
}
