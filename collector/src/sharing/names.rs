//! Finds in a product whatever names somebody, somewhere or something of a house. It hides nothing: it refuses.
//!
//! ```text
//! text ─▶ folded (half width, lower case) ─▶ names the collector knows ─┐
//!                                        ─▶ forms nobody has to know ──┴─▶ Found, with the words
//! ```
//!
//! Always holds: there is no way around it: what is found is named, and the person writes it otherwise.
//!
//! Not here: a paraphrase ("the only hospital on the island"); the second person has to see that.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::{Body, Indicator, IndicatorKind};
use crate::reports::render::patterns::{
    GENERAL, HARDWARE, INSTITUTION, SHARE, TITLES, host_parts, place_parts, regex,
};
use crate::tables::half_width;

/// Shortest name that is looked for. A shorter one would be found in words.
const NAME_MIN_CHARS: usize = 2;
/// Shortest name that is looked for inside other letters of an indicator.
const INNER_MIN_CHARS: usize = 4;

/// What the collector knows that must not be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The institution, its founder, its short name, its codes, whose supervision it is under.
    pub places: Vec<String>,
    /// Its postal address.
    pub addresses: Vec<String>,
    /// People by name.
    pub people: Vec<String>,
    /// Names people sign in with.
    pub logins: Vec<String>,
    /// Hosts and labels of systems.
    pub hosts: Vec<String>,
    /// Companies and other organisations.
    pub partners: Vec<String>,
    /// Mail addresses and telephone numbers; addresses and names this collector is reached under.
    pub reach: Vec<String>,
}

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundKind {
    /// An institution, a town, an organisation.
    Place,
    /// A person, or a name to sign in with.
    Person,
    /// A host.
    Host,
    /// An address in a network, whoever's.
    Address,
    /// A mail address, a domain or a web page.
    Reach,
    /// A telephone number or what could be a patient's number.
    Number,
    /// A path.
    Path,
}

impl FoundKind {
    /// Returns the key of its words.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Place => "sharing-found-place",
            Self::Person => "sharing-found-person",
            Self::Host => "sharing-found-host",
            Self::Address => "sharing-found-address",
            Self::Reach => "sharing-found-reach",
            Self::Number => "sharing-found-number",
            Self::Path => "sharing-found-path",
        }
    }
}

/// Something that must not be told, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// What it is.
    pub kind: FoundKind,
    /// The words.
    pub words: String,
}

impl Known {
    /// Returns everything in a body that must not be told.
    #[must_use]
    pub fn found_in(&self, body: &Body) -> Vec<Found> {
        let mut found = self.in_text(&body.summary);
        for one in &body.indicators {
            found.extend(self.in_indicator(&one.what));
        }
        found.into_iter().collect()
    }

    /// Returns everything in a text that must not be told.
    #[must_use]
    pub fn in_text(&self, text: &str) -> BTreeSet<Found> {
        let mut found = forms(text);
        let folded = fold(text);
        let packed = pack(&folded);
        for (kind, name) in self.names() {
            let name = fold(&name);
            let stands = if name.is_ascii() {
                stands_alone(&folded, &name)
            } else {
                packed.contains(&pack(&name))
            };
            if stands {
                found.insert(Found { kind, words: name });
            }
        }
        found
    }

    /// Returns what an indicator tells that must not be told: attackers write the victim's name into suffixes and notes.
    #[must_use]
    pub fn in_indicator(&self, indicator: &Indicator) -> BTreeSet<Found> {
        let value = fold(indicator.value());
        let names = self.names().into_iter();
        let names = names.filter(|(_, name)| match indicator.kind() {
            IndicatorKind::Address => fold(name) == value,
            IndicatorKind::Hash => false,
            IndicatorKind::Suffix | IndicatorKind::NoteName | IndicatorKind::Tool => {
                let name = fold(name);
                stands_alone(&value, &name)
                    || (INNER_MIN_CHARS <= name.chars().count() && value.contains(&name))
            }
        });
        names
            .map(|(kind, _)| Found { kind, words: indicator.shown() })
            .collect()
    }

    /// Returns every name with the parts it is known by.
    fn names(&self) -> Vec<(FoundKind, String)> {
        let mut names = Vec::new();
        let mut put = |kind, name: &str| {
            let name = name.trim();
            if NAME_MIN_CHARS <= name.chars().count() {
                names.push((kind, name.to_owned()));
            }
        };
        for place in &self.places {
            for part in place_parts(place) {
                put(FoundKind::Place, &part);
                put(FoundKind::Place, without_kind(&part));
            }
        }
        for address in &self.addresses {
            let parts = REGION.find_iter(address);
            parts.for_each(|part| put(FoundKind::Place, part.as_str()));
            put(FoundKind::Place, address);
        }
        for partner in &self.partners {
            put(FoundKind::Place, partner);
            put(FoundKind::Place, without_form(partner));
        }
        for person in &self.people {
            put(FoundKind::Person, person);
            for part in person.split_whitespace() {
                put(FoundKind::Person, part);
                if part.chars().count() < NAME_MIN_CHARS {
                    let titled = TITLES.split('|').map(|title| format!("{part}{title}"));
                    titled.for_each(|name| put(FoundKind::Person, &name));
                }
            }
        }
        self.logins
            .iter()
            .for_each(|login| put(FoundKind::Person, login));
        for host in &self.hosts {
            host_parts(host)
                .iter()
                .for_each(|part| put(FoundKind::Host, part));
        }
        for reach in &self.reach {
            put(FoundKind::Reach, reach);
            if let Some((_, domain)) = reach.split_once('@') {
                put(FoundKind::Reach, domain);
            }
        }
        names
    }
}

/// Parts of a postal address that are a place.
static REGION: LazyLock<Regex> =
    LazyLock::new(|| regex(r"[\p{Han}\p{Katakana}ーヶケ]{1,6}?[都道府県市区町村郡]"));
/// An address in a network, whoever's.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?-u:\b)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?-u:\b)|(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}")
});
/// A mail address, a page, a domain.
static REACH: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"[a-z0-9._+-]+@[a-z0-9.-]+|https?://\S+|(?-u:\b)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:jp|com|net|org|info|biz|local|lan|internal|example|test)(?-u:\b)",
    )
});
/// A path of Windows or Unix.
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?-u:\b)[a-z]:\\[^\s、。]*|\\[^\s\\、。]+\\[^\s、。]*|(?:^|[\s「『(、。])/[\w.-]+(?:/[\w.-]+)+",
    )
});
/// What holds digits and names nobody: vulnerabilities, dates, times.
static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"cve-[0-9]{4}-[0-9]{4,7}|(?-u:\b)20[0-9]{2}[-/][0-9]{1,2}[-/][0-9]{1,2}(?-u:\b)|(?-u:\b)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?-u:\b)",
    )
});
/// Digits that could be a telephone or a patient's number.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"[0-9](?:[ ()-]{0,2}[0-9]){5,}|(?:患者|カルテ|診察券|番号|id)[^0-9]{0,8}[0-9]{3,}|[〇一二三四五六七八九]{6,}",
    )
});

/// Finds what must not be told by its form alone.
fn forms(text: &str) -> BTreeSet<Found> {
    let folded = fold(text);
    let mut found = BTreeSet::new();
    let mut put = |kind, words: &str| {
        found.insert(Found { kind, words: words.trim().to_owned() });
    };
    for (kind, pattern) in [
        (FoundKind::Address, &ADDRESS),
        (FoundKind::Address, &HARDWARE),
        (FoundKind::Reach, &REACH),
        (FoundKind::Path, &PATH),
        (FoundKind::Path, &SHARE),
    ] {
        let words = pattern.find_iter(&folded).map(|one| one.as_str());
        words.for_each(|words| put(kind, words));
    }
    let bare = HARMLESS.replace_all(&folded, " ; ");
    let numbers = NUMBER.find_iter(&bare).map(|one| one.as_str());
    numbers.for_each(|words| put(FoundKind::Number, words));
    for named in INSTITUTION.captures_iter(text) {
        let (whole, before) = (named.get(0), named.get(1).map_or("", |part| part.as_str()));
        if !GENERAL.contains(&before) {
            put(FoundKind::Place, whole.map_or("", |part| part.as_str()));
        }
    }
    found
}

/// Half width and lower case, so that ＥＨＲ and ehr are one.
fn fold(text: &str) -> String {
    half_width(text).to_lowercase()
}

fn pack(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Whether an ASCII name stands in a text with neither letter nor digit beside it.
fn stands_alone(text: &str, name: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + name.len()..)
            .and_then(|text| text.chars().next());
        !part_of_word(before) && !part_of_word(after)
    })
}

/// An institution's name without what kind of institution it is: 半田中央病院 is known as 半田中央.
fn without_kind(place: &str) -> &str {
    let kinds = [
        "総合病院",
        "医療センター",
        "病院",
        "クリニック",
        "診療所",
        "医院",
        "薬局",
        "保健所",
        "市役所",
        "県庁",
        "都",
        "府",
        "県",
        "市",
        "区",
        "町",
        "村",
    ];
    let bare = kinds.iter().find_map(|kind| place.strip_suffix(kind));
    bare.filter(|bare| NAME_MIN_CHARS <= bare.chars().count())
        .unwrap_or(place)
}

/// A company's name without its legal form.
fn without_form(company: &str) -> &str {
    let mut bare = company.trim();
    for form in ["株式会社", "有限会社", "合同会社", "(株)", "（株）", "㈱"] {
        bare = bare.strip_prefix(form).unwrap_or(bare);
        bare = bare.strip_suffix(form).unwrap_or(bare);
    }
    bare.trim()
}
