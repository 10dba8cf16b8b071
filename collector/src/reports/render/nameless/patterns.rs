//! What names a house by its form: addresses inside it, hardware, servers of shares, institutions; and the parts of names.

use std::sync::LazyLock;

use regex::Regex;

/// What a family name stands before when it names a person.
pub(crate) const TITLES: &str =
    "さん|氏|様|先生|医師|院長|副院長|部長|次長|課長|係長|主任|師長|室長|理事長|事務長";
/// What is no name before 病院 and its like.
pub(crate) const GENERAL: &[&str] = &[
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

/// Addresses of networks inside a house: those the Internet does not carry.
pub(crate) static OWN_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let octet = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
    let pattern = format!(
        r"(?-u:\b)(?:10(?:\.{octet}){{3}}|127(?:\.{octet}){{3}}|192\.168(?:\.{octet}){{2}}|169\.254(?:\.{octet}){{2}}|172\.(?:1[6-9]|2[0-9]|3[01])(?:\.{octet}){{2}}|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])(?:\.{octet}){{2}}|(?i:f[cd][0-9a-f]{{2}}|fe80)(?::[0-9a-fA-F]{{0,4}}){{2,7}})(?-u:\b)"
    );
    regex(&pattern)
});

/// Hardware addresses.
pub(crate) static HARDWARE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?-u:\b)(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?-u:\b)"));
/// The server in a path of a share.
pub(crate) static SHARE: LazyLock<Regex> = LazyLock::new(|| regex(r"\\\\([^\\\s/、。（）]+)\\"));
/// Institutions by name.
pub(crate) static INSTITUTION: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"([\p{Han}\p{Katakana}ーヶケ]{1,14}?)(病院|医療センター|クリニック|診療所|医院|薬局|保健所|市役所|県庁)",
    )
});

/// The patterns above are fixed; one that does not compile matches nothing, and the tests fail.
pub(crate) fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|_| {
        debug_assert!(false, "{pattern}");
        Regex::new("$^").expect("an empty pattern compiles")
    })
}

/// A host's name with and without its domain, and the domain itself.
pub(crate) fn host_parts(host: &str) -> Vec<String> {
    let mut parts = vec![host.to_owned()];
    let bare = host.split(['(', '（', ' ']).next().unwrap_or_default();
    parts.push(bare.to_owned());
    if let Some((label, _)) = bare.split_once('.') {
        parts.push(label.to_owned());
    }
    parts
}

/// An institution's name as people shorten it: without its legal form.
pub(crate) fn place_parts(place: &str) -> Vec<String> {
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
