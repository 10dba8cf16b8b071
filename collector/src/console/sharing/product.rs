//! One product on its way: written, submitted, approved, sent.

use askama::Template;
use shirase_shared::ids::UserId;

use super::super::frame::Frame;
use super::super::settings::Choice;
use super::super::ui::Badge;
use super::state;
use crate::exchange::kind::Tlp;
use crate::exchange::partner::Partner;
use crate::locale::{Locale, japan_time};
use crate::sharing::{
    AttackKind, Candidates, Consent, ConsentError, Decided, IndicatorKind, Product, ProductPaper,
    ProductState, TECHNIQUES, tlp_words,
};
use crate::store::Sent;

/// A product.
#[derive(Template)]
#[template(path = "sharing_product.html")]
pub struct ProductPage {
    /// What stands around it.
    pub f: Frame,
    /// Its id.
    pub id: String,
    /// Its number, in words.
    pub number: String,
    /// The version the reader sees.
    pub revision: u32,
    /// In words.
    pub paper: ProductPaper,
    /// How it stands.
    pub state: Badge,
    /// Who submitted and who approved it, in words.
    pub decided: Vec<String>,
    /// The incident it tells of.
    pub incident: Option<String>,
    /// Products it was made from: package and the digits people tell it by.
    pub origins: Vec<(String, String)>,
    /// How the consent stands, in words; empty where nobody is asked.
    pub consent: String,
    /// What has to be mended before it can go on.
    pub problems: Vec<String>,
    /// Why it was sent back.
    pub reason: String,
    /// The form, while it is a draft.
    pub form: Option<ProductForm>,
    /// Whether it waits for a second person.
    pub waiting: bool,
    /// Whether the reader may be that person.
    pub may_approve: bool,
    /// Its files: name and words.
    pub files: Vec<(&'static str, String)>,
    /// Whom it went to, in words, each with its package.
    pub sent: Vec<(String, String)>,
    /// Partners it can go to.
    pub partners: Vec<Choice>,
}

/// The inputs of a draft.
pub struct ProductForm {
    /// Kinds of attack.
    pub attacks: Vec<Choice>,
    /// Marks.
    pub marks: Vec<Choice>,
    /// The first day of the span.
    pub first_day: String,
    /// The last day of it.
    pub last_day: String,
    /// What happened.
    pub summary: String,
    /// Indicators by kind: what they are, the kind's code, what can be ticked.
    pub groups: Vec<TickGroup>,
    /// Techniques.
    pub techniques: Vec<Tick>,
}

/// Things of one kind that can be ticked.
pub struct TickGroup {
    /// What they are.
    pub kind: String,
    /// The kind's code.
    pub code: &'static str,
    /// The things.
    pub ticks: Vec<Tick>,
}

/// One thing that can be ticked.
pub struct Tick {
    /// What is sent.
    pub code: String,
    /// What it is.
    pub text: String,
    /// What is known beside it.
    pub beside: String,
    /// Whether it is ticked.
    pub chosen: bool,
}

/// What the page of a product is made from.
pub struct ProductParts<'a> {
    /// The product.
    pub product: &'a Product,
    /// Hash of what it says.
    pub sha256: &'a str,
    /// What can be ticked.
    pub offers: &'a Candidates,
    /// The consent as it stands; `None` where nobody is asked.
    pub consent: Option<&'a Result<Consent, ConsentError>>,
    /// What has to be mended.
    pub problems: Vec<String>,
    /// Whom it went to.
    pub sent: &'a [Sent],
    /// Trusted partners.
    pub partners: &'a [Partner],
    /// Names of its files.
    pub files: &'a [(&'static str, &'static str)],
}

impl ProductPage {
    /// Shows a product to somebody.
    #[must_use]
    pub fn of(f: Frame, parts: ProductParts<'_>, reader: UserId) -> Self {
        let ProductParts { product, sha256, offers, sent, partners, .. } = parts;
        let locale = f.locale;
        let approver = f.facility.as_ref().is_some_and(|place| place.approver);
        let draft = product.state == ProductState::Draft;
        let decided = match &product.state {
            ProductState::Draft => Vec::new(),
            ProductState::Submitted(who) => vec![words("sharing-submitted", who, locale)],
            ProductState::Approved(who) => vec![words("sharing-approved", who, locale)],
        };
        let approved = matches!(product.state, ProductState::Approved(_));
        let files = parts.files.iter().filter(|_| approved);
        let open = partners
            .iter()
            .filter(|partner| approved && sent.iter().all(|one| one.partner != partner.id));
        let choice = |partner: &Partner| Choice {
            code: partner.id.to_string(),
            text: format!("{} ({})", partner.name(), partner.id),
            chosen: false,
        };
        Self {
            id: product.id.to_string(),
            number: locale.text_with("sharing-number", &[("number", &product.number)]),
            revision: product.revision,
            paper: ProductPaper::of(&product.body, sha256, locale),
            state: state(product, sent.len(), locale),
            decided,
            incident: product.incident.map(|id| id.to_string()),
            origins: product
                .origins
                .iter()
                .map(|id| (id.to_string(), id.short().to_owned()))
                .collect(),
            consent: parts
                .consent
                .map(|one| consent(one, locale))
                .unwrap_or_default(),
            problems: if approved { Vec::new() } else { parts.problems },
            reason: product.reason.clone(),
            form: draft.then(|| ProductForm::of(product, offers, locale)),
            waiting: product.submitted().is_ok(),
            may_approve: approver && product.may_be_approved_by(reader).is_ok(),
            files: files.map(|(name, key)| (*name, locale.text(key))).collect(),
            sent: sent.iter().map(|one| sent_words(one, locale)).collect(),
            partners: open.map(choice).collect(),
            f,
        }
    }
}

fn words(key: &str, who: &Decided, locale: Locale) -> String {
    let time = japan_time(who.at);
    locale.text_with(key, &[("name", &who.by.name), ("time", &time)])
}

fn sent_words(sent: &Sent, locale: Locale) -> (String, String) {
    let time = japan_time(sent.at);
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("partner", &sent.partner), ("name", &sent.by), ("time", &time)];
    (sent.package.to_string(), locale.text_with("sharing-sent-line", &values))
}

fn consent(given: &Result<Consent, ConsentError>, locale: Locale) -> String {
    match given {
        Ok(consent) => {
            locale.text_with("sharing-consent-given", &[("tlp", &consent.widest.mark())])
        }
        Err(error) => locale.text(error.label_key()),
    }
}

impl ProductForm {
    fn of(product: &Product, offers: &Candidates, locale: Locale) -> Self {
        let body = &product.body;
        let attacks = AttackKind::ALL.iter().map(|kind| Choice {
            code: kind.as_str().to_owned(),
            text: locale.text(kind.label_key()),
            chosen: *kind == body.attack,
        });
        let techniques = TECHNIQUES.iter().map(|one| {
            let named = |id: &crate::sharing::TechniqueId| id.as_str() == one.id;
            let proposed = offers.techniques.iter().any(named);
            Tick {
                code: one.id.to_owned(),
                text: format!("{} {}", one.id, one.name),
                beside: if proposed { locale.text("sharing-proposed") } else { String::new() },
                chosen: body.techniques.iter().any(named),
            }
        });
        Self {
            attacks: attacks.collect(),
            marks: explained(body.tlp, locale),
            first_day: body.span.from.first_day().to_string(),
            last_day: body.span.to.last_day().to_string(),
            summary: body.summary.clone(),
            groups: IndicatorKind::ALL
                .iter()
                .map(|kind| group(*kind, product, offers, locale))
                .collect(),
            techniques: techniques.collect(),
        }
    }
}

/// Marks to choose from, each with how far it lets the product go.
fn explained(chosen: Tlp, locale: Locale) -> Vec<Choice> {
    let all = Tlp::ALL.into_iter().rev();
    all.map(|mark| Choice {
        code: mark.as_str().to_owned(),
        text: format!("{} {}", mark.mark(), tlp_words(mark, locale)),
        chosen: mark == chosen,
    })
    .collect()
}

fn group(kind: IndicatorKind, product: &Product, offers: &Candidates, locale: Locale) -> TickGroup {
    let of_kind = offers
        .indicators
        .iter()
        .filter(|one| one.shared.what.kind() == kind);
    let ticks = of_kind.map(|one| {
        let what = &one.shared.what;
        let seen = locale.text(if one.shared.seen { "sharing-seen" } else { "sharing-said" });
        let count = locale.text_with("sharing-count", &[("count", &one.count)]);
        Tick {
            code: what.key(),
            text: what.shown(),
            beside: if one.count == 0 { seen } else { format!("{seen} {count}") },
            chosen: product
                .body
                .indicators
                .iter()
                .any(|shared| shared.what == *what),
        }
    });
    TickGroup { kind: locale.text(kind.label_key()), code: kind.as_str(), ticks: ticks.collect() }
}
