//! A product in words, ready for a page and for paper: both show exactly this.

use serde::Serialize;

use super::{Body, IndicatorKind};
use crate::exchange::kind::Tlp;
use crate::locale::{Locale, visible};

/// A product in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProductPaper {
    /// `ja` or `en`.
    pub lang: &'static str,
    /// What it is: kind of attack and time.
    pub title: String,
    /// The mark, as it is printed.
    pub tlp: &'static str,
    /// How far it may be passed on, in words.
    pub tlp_words: String,
    /// The exercise's mark; else empty.
    pub drill: String,
    /// What kind of attack.
    pub attack: String,
    /// When, rounded.
    pub span: String,
    /// What happened, line by line.
    pub summary: Vec<String>,
    /// What to look for, by kind.
    pub groups: Vec<PaperGroup>,
    /// Techniques: id and MITRE's name.
    pub techniques: Vec<(String, String)>,
    /// Headings: Japanese and English.
    pub heads: PaperHeads,
    /// What has to be known of it.
    pub notes: Vec<String>,
    /// The beginning of the frozen body's hash.
    pub hash: String,
}

/// Indicators of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperGroup {
    /// What they are.
    pub kind: String,
    /// Each with whether monitoring saw it, in words.
    pub values: Vec<(String, String)>,
}

/// Headings, each in Japanese and in English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperHeads {
    /// Over all of it.
    pub product: (String, String),
    /// Over the kind of attack.
    pub attack: (String, String),
    /// Over the time.
    pub span: (String, String),
    /// Over the text.
    pub summary: (String, String),
    /// Over the indicators.
    pub indicators: (String, String),
    /// Over the techniques.
    pub techniques: (String, String),
}

/// Returns what a product is called: kind of attack and time.
#[must_use]
pub fn title(body: &Body, locale: Locale) -> String {
    let (attack, span) = (locale.text(body.attack.label_key()), body.span.words(locale));
    let title = locale.text_with("sharing-title", &[("attack", &attack), ("span", &span)]);
    if body.drill { format!("{}{title}", locale.text("sharing-drill-prefix")) } else { title }
}

/// Says how far a mark lets something be passed on.
#[must_use]
pub fn tlp_words(tlp: Tlp, locale: Locale) -> String {
    locale.text(match tlp {
        Tlp::Red => "sharing-tlp-red",
        Tlp::AmberStrict => "sharing-tlp-amber-strict",
        Tlp::Amber => "sharing-tlp-amber",
        Tlp::Green => "sharing-tlp-green",
        Tlp::Clear => "sharing-tlp-clear",
    })
}

impl ProductPaper {
    /// Puts a body into words.
    #[must_use]
    pub fn of(body: &Body, sha256: &str, locale: Locale) -> Self {
        let pair = |key: &str| {
            let label = locale.label(key);
            (label.ja, label.en)
        };
        let techniques = body.techniques.iter().filter_map(|id| id.technique());
        Self {
            lang: locale.lang().as_str(),
            title: title(body, locale),
            tlp: body.tlp.mark(),
            tlp_words: tlp_words(body.tlp, locale),
            drill: if body.drill { locale.text("sharing-drill-mark") } else { String::new() },
            attack: locale.text(body.attack.label_key()),
            span: body.span.words(locale),
            summary: body.summary.lines().map(visible).collect(),
            groups: groups(body, locale),
            techniques: techniques
                .map(|one| (one.id.to_owned(), one.name.to_owned()))
                .collect(),
            heads: PaperHeads {
                product: pair("sharing-head-product"),
                attack: pair("sharing-head-attack"),
                span: pair("sharing-head-span"),
                summary: pair("sharing-head-summary"),
                indicators: pair("sharing-head-indicators"),
                techniques: pair("sharing-head-techniques"),
            },
            notes: vec![locale.text("sharing-note-anonymous"), locale.text("sharing-note-attack")],
            hash: sha256.chars().take(16).collect(),
        }
    }
}

fn groups(body: &Body, locale: Locale) -> Vec<PaperGroup> {
    let group = |kind: &IndicatorKind| {
        let values = body
            .indicators
            .iter()
            .filter(|one| one.what.kind() == *kind);
        let values = values.map(|one| {
            let key = if one.seen { "sharing-seen" } else { "sharing-said" };
            (one.what.shown(), locale.text(key))
        });
        PaperGroup { kind: locale.text(kind.label_key()), values: values.collect() }
    };
    let groups = IndicatorKind::ALL.iter().map(group);
    groups.filter(|group| !group.values.is_empty()).collect()
}
