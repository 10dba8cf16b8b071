//! Sharing products: the lists, one product on its way, one that was received.
//!
//! Always holds: a page and the paper say the same; the machine ticks nothing.

mod product;
mod received;

use askama::Template;
use jiff::civil::Date;

use super::frame::Frame;
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::contacts::today;
use crate::exchange::kind::Tlp;
use crate::locale::{Locale, japan_time};
use crate::sharing::{Body, Product, ProductState, may_pass_on, title};
use crate::store::Received;

pub use product::{ProductPage, ProductParts};
pub use received::{ReceivedPage, ReceivedParts};

/// What of the lists is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One mark alone.
    pub tlp: Option<Tlp>,
    /// From this day on.
    pub from: Option<Date>,
    /// Up to this day.
    pub to: Option<Date>,
}

impl Filter {
    /// Whether a product of this mark and day is shown.
    #[must_use]
    pub fn shows(&self, tlp: Option<Tlp>, day: Date) -> bool {
        self.tlp.is_none_or(|wanted| tlp == Some(wanted))
            && self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day <= to)
    }
}

/// All products of a facility and those it received.
#[derive(Template)]
#[template(path = "sharing.html")]
pub struct SharingPage {
    /// What stands around it.
    pub f: Frame,
    /// Our own.
    pub own: Vec<OwnRow>,
    /// Those received.
    pub received: Vec<ReceivedRow>,
    /// Marks to filter by.
    pub marks: Vec<Choice>,
    /// From this day on.
    pub from: String,
    /// Up to this day.
    pub to: String,
}

/// One of our own as a row.
pub struct OwnRow {
    /// Which.
    pub id: String,
    /// Its number, in words.
    pub number: String,
    /// What it is called.
    pub title: String,
    /// Its mark.
    pub tlp: &'static str,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// When it last changed.
    pub changed: String,
    /// How it stands.
    pub state: Badge,
}

/// One that was received, as a row.
pub struct ReceivedRow {
    /// The package.
    pub package: String,
    /// What it is called; empty where it does not read.
    pub title: String,
    /// Its mark.
    pub tlp: &'static str,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// From whom.
    pub partner: String,
    /// When it came.
    pub stored: String,
    /// Whether it may be passed on.
    pub passable: bool,
}

/// Shows how a product stands.
pub(super) fn state(product: &Product, sent: usize, locale: Locale) -> Badge {
    let (tone, text) = match product.state {
        ProductState::Draft => (Tone::Quiet, locale.text("sharing-state-draft")),
        ProductState::Submitted(_) => (Tone::Medium, locale.text("sharing-state-submitted")),
        ProductState::Approved(_) if sent == 0 => {
            (Tone::Well, locale.text("sharing-state-approved"))
        }
        ProductState::Approved(_) => {
            (Tone::Well, locale.text_with("sharing-state-sent", &[("count", &sent)]))
        }
    };
    Badge { tone, text }
}

impl OwnRow {
    /// Shows a product that went to so many partners.
    #[must_use]
    pub fn of(product: &Product, sent: usize, locale: Locale) -> Self {
        Self {
            id: product.id.to_string(),
            number: locale.text_with("sharing-number", &[("number", &product.number)]),
            title: title(&product.body, locale),
            tlp: product.body.tlp.mark(),
            drill: product.body.drill,
            changed: japan_time(product.changed_at),
            state: state(product, sent, locale),
        }
    }
}

impl ReceivedRow {
    /// Shows one that was received.
    #[must_use]
    pub fn of(received: &Received, locale: Locale) -> Self {
        let body: Option<&Body> = received.body.as_ref().ok();
        Self {
            package: received.package.to_string(),
            title: body.map(|body| title(body, locale)).unwrap_or_default(),
            tlp: body.map_or("", |body| body.tlp.mark()),
            drill: body.is_some_and(|body| body.drill),
            partner: received.partner.to_string(),
            stored: japan_time(received.stored_at),
            passable: body.is_some_and(|body| may_pass_on(body.tlp)),
        }
    }
}

impl SharingPage {
    /// Shows what a filter lets through. Each of our own comes with how often it was sent.
    #[must_use]
    pub fn of(
        f: Frame,
        (own, received): (&[(Product, usize)], &[Received]),
        filter: Filter,
    ) -> Self {
        let locale = f.locale;
        let own = own
            .iter()
            .filter(|(product, _)| filter.shows(Some(product.body.tlp), today(product.changed_at)));
        let received = received.iter().filter(|one| {
            let tlp = one.body.as_ref().ok().map(|body| body.tlp);
            filter.shows(tlp, today(one.stored_at))
        });
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        Self {
            own: own
                .map(|(product, sent)| OwnRow::of(product, *sent, locale))
                .collect(),
            received: received.map(|one| ReceivedRow::of(one, locale)).collect(),
            marks: marks(filter.tlp),
            from: day(filter.from),
            to: day(filter.to),
            f,
        }
    }
}

/// Marks to choose from, the widest first.
fn marks(chosen: Option<Tlp>) -> Vec<Choice> {
    let all = Tlp::ALL.into_iter().rev();
    all.map(|mark| Choice {
        code: mark.as_str().to_owned(),
        text: mark.mark().to_owned(),
        chosen: Some(mark) == chosen,
    })
    .collect()
}
