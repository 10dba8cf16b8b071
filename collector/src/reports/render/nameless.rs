//! Takes out of a report what names the house that sends it, for addressees who are not to know.
//!
//! ```text
//! ehr-db1 ─▶ サーバー1      192.168.10.5 ─▶ 院内アドレス1      佐藤 花子 ─▶ 担当者1      半田中央病院 ─▶ 当機関
//! ```
//!
//! Always holds:
//! - the same name becomes the same word throughout a document, so that the story can still be followed;
//! - hashes, times, counts, file suffixes and addresses on the Internet, which are indicators, stay;
//! - codes of choices are left alone.
//!
//! Not here: a paraphrase ("the only hospital on the island"); the person who approves has to see that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value as Json;

use crate::approval::{Frozen, FrozenAnswer};
use crate::locale::Locale;
use crate::reports::answer::{Answer, Source, Value};

/// Members of an answer that hold codes, not words.
const CODES: &[&str] = &["type", "chosen", "kind", "kinds", "setting"];
/// Shortest name that is looked for. A shorter one would be found in words.
const NAME_MIN_CHARS: usize = 2;
/// What a family name stands before when it names a person.
const TITLES: &str =
    "さん|氏|様|先生|医師|院長|副院長|部長|次長|課長|係長|主任|師長|室長|理事長|事務長";
/// What is no name before 病院 and its like.
const GENERAL: &[&str] = &[
    "当",
    "当該",
    "各",
    "本",
    "同",
    "他",
    "他の",
    "近隣",
    "近隣の",
    "周辺",
    "周辺の",
    "災害拠点",
    "特定機能",
    "基幹",
    "総合",
    "連携",
    "協力",
    "紹介先",
    "紹介元",
    "転送先",
    "搬送先",
    "受入",
    "受入れ",
    "地域",
    "救急",
    "公立",
    "私立",
    "大学",
    "一般",
    "医療機関",
    "全",
    "両",
    "民間",
    "自",
    "本日",
    "当日",
    "翌日",
    "所管",
    "管轄",
    "最寄",
    "最寄り",
];

/// What is no machine's name in a list of systems.
const GENERAL_SYSTEMS: &[&str] =
    &["PACS", "EHR", "HIS", "RIS", "LIS", "AD", "NAS", "VPN", "DICOM", "SS-MIX2", "ORCA", "FAX"];

/// Names of the house: what is known of it besides what the report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HouseNames {
    /// The institution, its founder, its short name.
    pub places: Vec<String>,
    /// People.
    pub people: Vec<String>,
    /// Hosts, in the order in which they came.
    pub hosts: Vec<String>,
    /// Postal addresses, mail addresses, telephone numbers.
    pub reach: Vec<String>,
}

impl HouseNames {
    /// Adds what the report itself names: its sender, its authors, its systems.
    fn with_frozen(mut self, frozen: &Frozen) -> Self {
        self.places
            .extend([frozen.sender.name.clone(), frozen.sender.facility.to_string()]);
        self.people.push(frozen.sender.director.clone());
        self.people
            .extend(frozen.authors.iter().map(|author| author.name.clone()));
        for entry in &frozen.answers {
            if let Value::Systems { systems } = &entry.answer.value {
                let names = systems.iter().map(|system| system.name.clone());
                self.hosts
                    .extend(names.filter(|name| names_a_machine(name)));
            }
        }
        self
    }
}

/// Returns the frozen answers without anything that names the house.
#[must_use]
pub fn nameless(frozen: &Frozen, house: HouseNames, locale: Locale) -> Frozen {
    let names = house.with_frozen(frozen);
    let mut own = BTreeSet::new();
    let mut texts = Vec::new();
    for entry in &frozen.answers {
        collect(&as_json(&entry.answer.value), &mut texts);
        texts.push(entry.answer.source.basis().to_owned());
    }
    for text in &texts {
        own.extend(
            OWN_ADDRESS
                .find_iter(text)
                .map(|found| found.as_str().to_owned()),
        );
    }
    let hider = Hider::new(&names, own, locale);
    let mut hidden = frozen.clone();
    for FrozenAnswer { answer, .. } in &mut hidden.answers {
        hider.hide_answer(answer);
    }
    let former = hidden
        .former
        .iter_mut()
        .flat_map(|former| &mut former.changed);
    for answer in former.filter_map(|one| one.answer.as_mut()) {
        hider.hide_answer(answer);
    }

    hidden
}

/// Addresses of networks inside a house: those the Internet does not carry.
static OWN_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let octet = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
    let pattern = format!(
        r"(?-u:\b)(?:10(?:\.{octet}){{3}}|127(?:\.{octet}){{3}}|192\.168(?:\.{octet}){{2}}|169\.254(?:\.{octet}){{2}}|172\.(?:1[6-9]|2[0-9]|3[01])(?:\.{octet}){{2}}|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])(?:\.{octet}){{2}}|(?i:f[cd][0-9a-f]{{2}}|fe80)(?::[0-9a-fA-F]{{0,4}}){{2,7}})(?-u:\b)"
    );
    regex(&pattern)
});

/// Hardware addresses.
static HARDWARE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?-u:\b)(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?-u:\b)"));
/// The server in a path of a share.
static SHARE: LazyLock<Regex> = LazyLock::new(|| regex(r"\\\\([^\\\s/、。（）]+)\\"));
/// Institutions by name.
static INSTITUTION: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"([\p{Han}\p{Katakana}ーヶケ]{1,14}?)(病院|医療センター|クリニック|診療所|医院|薬局|保健所|市役所|県庁)",
    )
});

/// The patterns above are fixed; one that does not compile matches nothing, and the tests fail.
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|_| {
        debug_assert!(false, "{pattern}");
        Regex::new("$^").expect("an empty pattern compiles")
    })
}

struct Hider {
    /// Words to look for, the longest first, with what stands in their place.
    words: Vec<(Regex, String)>,
    own_addresses: BTreeMap<String, String>,
    hardware: String,
    server: String,
    institution: String,
}

impl Hider {
    fn new(names: &HouseNames, own_addresses: BTreeSet<String>, locale: Locale) -> Self {
        let numbered = |key: &str, number: usize| locale.text_with(key, &[("number", &number)]);
        let mut found = BTreeMap::<String, String>::new();
        let mut put = |name: &str, word: String| {
            let name = name.trim();
            if NAME_MIN_CHARS <= name.chars().count() {
                found.entry(name.to_owned()).or_insert(word);
            }
        };
        let server = locale.text("nameless-server");
        let (mut seen, mut number) = (BTreeSet::new(), 0);
        for host in &names.hosts {
            // What was hidden once stays as it is.
            if host.starts_with(server.as_str()) || !seen.insert(host.to_lowercase()) {
                continue;
            }
            number += 1;
            for part in host_parts(host) {
                put(&part, format!("{server}{number}"));
            }
        }
        let mut titled = Vec::new();
        let people: BTreeSet<&String> = names.people.iter().collect();
        for (index, person) in people
            .into_iter()
            .filter(|name| !name.is_empty())
            .enumerate()
        {
            let word = numbered("nameless-person", index + 1);
            put(person, word.clone());
            // A department may stand before the name: 情報管理課　山田 花子.
            let tokens: Vec<&str> = person.split_whitespace().collect();
            if let [.., family, given] = tokens.as_slice() {
                for between in ["", " ", "　"] {
                    put(&format!("{family}{between}{given}"), word.clone());
                }
                titled.push(((*family).to_owned(), word));
            }
        }
        for place in &names.places {
            for part in place_parts(place) {
                put(&part, locale.text("nameless-place"));
            }
        }
        for reach in &names.reach {
            put(reach, locale.text("nameless-reach"));
            if let Some((_, domain)) = reach.split_once('@') {
                put(domain, locale.text("nameless-domain"));
            }
        }
        let mut words: Vec<(String, String)> = found.into_iter().collect();
        words.sort_by_key(|(name, _)| std::cmp::Reverse(name.chars().count()));
        let whole = words
            .into_iter()
            .map(|(name, word)| (whole_word(&name), word));
        let titled = titled.into_iter().map(|(family, word)| {
            let pattern = format!("{}(?P<title>{TITLES})", regex::escape(&family));
            (regex(&pattern), format!("{word}$title"))
        });
        Self {
            words: whole.chain(titled).collect(),
            own_addresses: own_addresses
                .into_iter()
                .enumerate()
                .map(|(index, address)| (address, numbered("nameless-address", index + 1)))
                .collect(),
            hardware: locale.text("nameless-hardware"),
            server,
            institution: locale.text("nameless-institution"),
        }
    }

    fn hide_answer(&self, answer: &mut Answer) {
        let mut json = as_json(&answer.value);
        self.hide_json(&mut json);
        // A value whose words changed has the same shape.
        answer.value = serde_json::from_value(json).unwrap_or(Value::Nothing);
        match &mut answer.source {
            Source::Machine { basis, .. }
            | Source::Person { basis, .. }
            | Source::Told { basis } => {
                *basis = self.hide(basis);
            }
            Source::MasterData => {}
        }
    }

    fn hide_json(&self, json: &mut Json) {
        match json {
            Json::String(text) => *text = self.hide(text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.hide_json(item)),
            Json::Object(members) => {
                let words = members
                    .iter_mut()
                    .filter(|(name, _)| !CODES.contains(&name.as_str()));
                words.for_each(|(_, member)| self.hide_json(member));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, word) in &self.words {
            text = name.replace_all(&text, word.as_str()).into_owned();
        }
        let own = |found: &Captures<'_>| {
            let address = self.own_addresses.get(&found[0]);
            address.unwrap_or(&self.hardware).clone()
        };
        text = OWN_ADDRESS.replace_all(&text, own).into_owned();
        text = HARDWARE
            .replace_all(&text, self.hardware.as_str())
            .into_owned();
        let share = |found: &Captures<'_>| {
            if found[1].starts_with(self.server.as_str()) {
                found[0].to_owned()
            } else {
                format!(r"\\{}\", self.server)
            }
        };
        text = SHARE.replace_all(&text, share).into_owned();
        let institution = |found: &Captures<'_>| {
            if GENERAL.contains(&&found[1]) {
                found[0].to_owned()
            } else {
                self.institution.clone()
            }
        };
        INSTITUTION.replace_all(&text, institution).into_owned()
    }
}

/// Whether the name of a system is that of a machine, and not a word such as 電子カルテ or PACS.
fn names_a_machine(name: &str) -> bool {
    let general = GENERAL_SYSTEMS
        .iter()
        .any(|word| word.eq_ignore_ascii_case(name.trim()));
    !general && name.chars().any(|c| c.is_ascii_alphanumeric())
}

/// A host's name with and without its domain, and the domain itself.
fn host_parts(host: &str) -> Vec<String> {
    let mut parts = vec![host.to_owned()];
    let bare = host.split(['(', '（', ' ']).next().unwrap_or_default();
    parts.push(bare.to_owned());
    if let Some((label, _)) = bare.split_once('.') {
        parts.push(label.to_owned());
    }
    parts
}

/// An institution's name as people shorten it: without its legal form.
fn place_parts(place: &str) -> Vec<String> {
    let mut parts = vec![place.to_owned(), place.split_whitespace().collect()];
    let words: Vec<&str> = place.split_whitespace().collect();
    if 1 < words.len() {
        parts.extend(
            words
                .iter()
                .filter(|word| 3 <= word.chars().count())
                .map(|word| (*word).to_owned()),
        );
    }
    parts
}

/// A name as a whole: no letter or digit of its own kind stands beside it.
fn whole_word(name: &str) -> Regex {
    let escaped = regex::escape(name);
    if name.is_ascii() {
        regex(&format!(r"(?i)(?-u:\b){escaped}(?-u:\b)"))
    } else {
        regex(&escaped)
    }
}

fn as_json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or_default()
}

/// Collects every text of a value.
fn collect(json: &Json, texts: &mut Vec<String>) {
    match json {
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Json::Object(members) => members.values().for_each(|member| collect(member, texts)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Lang;

    fn hider() -> Hider {
        let names = HouseNames {
            places: vec!["医療法人知多会 半田中央病院".to_owned(), "handa".to_owned()],
            people: vec!["佐藤 花子".to_owned()],
            hosts: ["ehr-db1.handa.example", "AP", "ehr-db10"]
                .map(str::to_owned)
                .into(),
            reach: vec!["0569-00-0000".to_owned(), "sato@hospital.example".to_owned()],
        };
        let own = ["10.1.2.3", "192.168.10.5"].map(str::to_owned).into();
        Hider::new(&names, own, Locale::new(Lang::Ja))
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(hider().hide(text), expected);
    }

    #[test]
    fn hosts_people_places_and_inner_addresses_become_words() {
        check("EHR-DB1が停止、ehr-db1.handa.exampleも", "サーバー1が停止、サーバー1も");
        check("ehr-db10とapへ192.168.10.5から侵入", "サーバー3とサーバー2へ院内アドレス2から侵入");
        check("半田中央病院の佐藤課長（佐藤花子）に連絡", "当機関の担当者1課長（担当者1）に連絡");
        check(
            "sato@hospital.example、mail.hospital.example",
            "〔連絡先〕、mail.〔当機関のドメイン〕",
        );
        check(
            r"\\FS99\外来\a.xlsx と 00:1a:2b:3c:4d:5e",
            r"\\サーバー\外来\a.xlsx と 〔機器の番号〕",
        );
        check(
            "患者は知多総合病院へ搬送、近隣病院と当該病院は稼働",
            "患者は〔医療機関等〕へ搬送、近隣病院と当該病院は稼働",
        );
    }

    #[test]
    fn what_helps_others_stays() {
        for text in [
            "通信先 203.0.113.9、198.51.100.7:443",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "拡張子 .locked、application の更新、2026-02-09 01:50:00",
        ] {
            check(text, text);
        }
    }
}
