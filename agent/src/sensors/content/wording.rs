//! Reads a small text for the words of a ransom note, in English and Japanese.
//!
//! What makes a note is who speaks to whom: it tells the reader that *his* files were taken or encrypted, what he
//! must do to have them back, how to reach somebody who hides, and what happens otherwise. A hospital's own memo about
//! ransomware uses many of the same words, but speaks of others, and says whom in the house to call.
//!
//! Each list counts once however many of its words are there. Written for this project from what is common knowledge.
//!
//! Always holds: pure; a name is never looked at.

mod addresses;

use super::text::decode;
use crate::observation::Wording;
use addresses::Addresses;

/// Points from which a text is a note, if it also speaks to its reader.
const NOTE_POINTS: i32 = 7;

/// The reader's files were encrypted or taken.
const CLAIM: List = List {
    points: 3,
    english: &[
        "your files are encrypted",
        "your files are now encrypted",
        "your files were encrypted",
        "your files have been encrypted",
        "your files have been locked",
        "files are locked",
        "files on your",
        "your important files",
        "your documents, photos",
        "all your files",
        "all of your files",
        "all your data",
        "all of your data",
        "all your important",
        "your data are encrypted",
        "your data is encrypted",
        "your data are stolen",
        "your data is stolen",
        "your data was stolen",
        "your data has been",
        "your data have been",
        "your network has been",
        "your network was",
        "your company has been",
        "your company network",
        "your systems have been",
        "your servers have been",
        "your servers are",
        "your server has been",
        "your computers have been",
        "your computer has been",
        "your infrastructure",
        "your backups",
        "we have encrypted",
        "we encrypted",
        "we have downloaded",
        "we have stolen",
        "we have exfiltrated",
        "we stole",
        "we hacked",
        "you have been hacked",
        "you are hacked",
        "you became victim",
    ],
    japanese: &[
        "あなたのファイル",
        "あなたのデータ",
        "あなたのネットワーク",
        "あなたのサーバ",
        "お客様のファイル",
        "お客様のデータ",
        "貴院のファイル",
        "貴院のデータ",
        "貴院のサーバ",
        "貴院のネットワーク",
        "貴社のファイル",
        "貴社のデータ",
        "貴社のネットワーク",
        "御社のファイル",
        "御社のデータ",
        "御社のネットワーク",
        "すべてのファイルは暗号化",
        "全てのファイルは暗号化",
        "すべてのファイルが暗号化",
        "全てのファイルが暗号化",
        "我々はあなた",
        "私たちはあなた",
    ],
};

/// It was done by encrypting or taking.
const DEED: List = List {
    points: 1,
    english: &["encrypt", "stolen", "exfiltrat", "downloaded", "locked", "hacked"],
    japanese: &["暗号化", "盗", "窃取", "ダウンロードしました", "ロックされ"],
};

/// How to have them back.
const REMEDY: List = List {
    points: 2,
    english: &[
        "decrypt",
        "recover your",
        "recovery of your",
        "restore your",
        "restore all",
        "unlock your",
        "get your files back",
        "get your data back",
        "get back your",
        "return your files",
        "recover files",
        "restore files",
        "private key",
        "recover them",
        "restore them",
    ],
    japanese: &["復号", "復元", "元に戻", "取り戻", "復旧するに", "解除する", "秘密鍵"],
};

/// What is wanted.
const DEMAND: List = List {
    points: 2,
    english: &[
        "bitcoin",
        "btc",
        "monero",
        "xmr",
        "ransom",
        "to pay",
        "must pay",
        "not pay",
        "don't pay",
        "payment",
        "the price",
        "pay us",
        "negotiat",
        "make a deal",
        "cryptocurrency",
    ],
    japanese: &[
        "身代金",
        "ビットコイン",
        "暗号資産",
        "仮想通貨",
        "モネロ",
        "支払",
        "送金",
        "交渉",
        "料金",
    ],
};

/// What happens otherwise.
const THREAT: List = List {
    points: 2,
    english: &[
        "do not rename",
        "don't rename",
        "do not modify",
        "don't modify",
        "do not try to",
        "don't try to",
        "do not attempt",
        "do not use third",
        "third party software",
        "third-party software",
        "do not shut down",
        "do not delete",
        "permanent data loss",
        "permanently lost",
        "will be lost",
        "lost forever",
        "will be published",
        "will be leaked",
        "will publish",
        "be sold",
        "price will be doubled",
        "price will double",
        "do not contact the police",
        "don't contact the police",
        "do not go to the police",
        "recovery companies",
        "recovery company",
        "within 72 hours",
        "within 48 hours",
        "within 3 days",
        "free decryption as guarantee",
        "decrypt 1 file",
        "decrypt one file",
        "decrypt 2 files",
        "decrypt 3 files",
        "test file",
        "warranty",
        "guarantee",
    ],
    japanese: &[
        "名前を変更しないで",
        "変更しないでください",
        "改変しないで",
        "永久に",
        "永遠に",
        "二度と",
        "公開します",
        "公開され",
        "漏洩させ",
        "売却",
        "倍になり",
        "警察に",
        "時間以内に",
        "復旧業者",
        "無料で復号",
        "保証します",
    ],
};

/// How to reach somebody who hides: ways nobody in a hospital is reached by.
const HIDDEN: List = List {
    points: 2,
    english: &[
        "tor browser",
        "torproject",
        "tox id",
        "tox chat",
        "qtox",
        "session id",
        "getsession",
        "session messenger",
        "jabber",
        "protonmail",
        "proton.me",
        "onionmail",
        "tutanota",
        "tuta.io",
        "tutamail",
        "cock.li",
        "airmail.cc",
        "mailfence",
        "keemail",
        "firemail.cc",
        "aol.com",
        "msgsafe",
        "ctemplar",
        "privatemail",
        "t.me/",
        "telegram",
        "icq",
        "our chat",
        "your personal id",
        "personal id",
        "decryption id",
        "your id",
        "victim id",
    ],
    japanese: &["torブラウザ", "あなたのid", "個人id", "テレグラム", "チャットにアクセス"],
};

/// Words of people who write to their own house about such notes. Each speaks for a memo by itself, up to
/// [`MEMO_WORDS_MAX`] of them; none is one that notes use against their reader ("do not pay", "the police").
const MEMO_WORDS: &[&str] = &[
    "ransomware",
    "phishing",
    "helpdesk",
    "help desk",
    "extension number",
    "report it to",
    "jpcert",
    "ipa.go.jp",
    "nomoreransom",
    "ランサムウェア",
    "標的型",
    "注意喚起",
    "訓練",
    "手順書",
    "マニュアル",
    "情報システム課",
    "情報システム部",
    "情報システム室",
    "情報システム管理",
    "医療情報部",
    "医療情報室",
    "内線",
    "院内便",
    "報告してください",
    "応じないこと",
    "支払わないこと",
    "支払わないでください",
];
/// Words of a memo that count at the most.
const MEMO_WORDS_MAX: usize = 3;
/// Points for each of them.
const MEMO_POINTS: i32 = -4;

/// Words of which one is enough.
struct List {
    points: i32,
    /// Lower case, one blank between words.
    english: &'static [&'static str],
    /// Lower case, no blanks.
    japanese: &'static [&'static str],
}

impl List {
    fn is_in(&self, text: &Text) -> bool {
        self.english.iter().any(|words| text.spaced.contains(words))
            || self.japanese.iter().any(|words| text.dense.contains(words))
    }

    fn points_of(&self, text: &Text) -> i32 {
        if self.is_in(text) { self.points } else { 0 }
    }
}

/// A text in the two forms in which words are looked for.
struct Text {
    /// Lower case, every run of blanks and line ends one blank.
    spaced: String,
    /// The same without any: Japanese is broken anywhere.
    dense: String,
}

impl Text {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase().replace(['\u{2019}', '`'], "'");
        let words: Vec<_> = lower.split_whitespace().collect();
        Self { spaced: words.join(" "), dense: words.concat() }
    }
}

/// Judges the whole of a small text.
pub(super) fn judge(bytes: &[u8]) -> Wording {
    let raw = decode(bytes);
    let addresses = Addresses::find(&raw);
    let text = Text::of(&without_tags(&raw));
    let speaks = CLAIM.is_in(&text) && DEED.is_in(&text);
    let hides = addresses.is_hidden() || HIDDEN.is_in(&text);
    let (helps, threatens) = (REMEDY.is_in(&text), THREAT.is_in(&text));
    // An address to pay to, or to write to, is that of a criminal only beside a threat: others ask for donations.
    let reached = hides || (threatens && (addresses.is_payment() || (helps && raw.contains('@'))));
    let is_addressed = (speaks && reached && (helps || DEMAND.is_in(&text)))
        || (addresses.is_hidden() && helps && threatens);
    let lists = [&CLAIM, &DEED, &REMEDY, &DEMAND, &THREAT, &HIDDEN];
    let points: i32 = lists.iter().map(|list| list.points_of(&text)).sum();
    let points = points + addresses.points() + memo_points(&text);

    if is_addressed && NOTE_POINTS <= points { Wording::RansomNote } else { Wording::Ordinary }
}

fn memo_points(text: &Text) -> i32 {
    let found = MEMO_WORDS
        .iter()
        .filter(|words| text.spaced.contains(**words) || text.dense.contains(**words))
        .count();

    i32::try_from(found.min(MEMO_WORDS_MAX)).unwrap_or_default() * MEMO_POINTS
}

/// Takes the tags of a web page away and puts numbered characters in their place; plain text stays as it is.
fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let (shown, length) = tag(from).or_else(|| numbered(from)).unwrap_or_else(|| {
            let first = from.chars().next().unwrap_or(' ');
            (first, first.len_utf8())
        });
        plain.push(shown);
        rest = from.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// A tag at the front, with its length; it counts as a blank.
fn tag(text: &str) -> Option<(char, usize)> {
    let opens = text.starts_with('<')
        && text
            .chars()
            .nth(1)
            .is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(c));
    let end = text.find('>').filter(|_| opens)?;

    Some((' ', end + 1))
}

/// A character written as its number at the front, `&#26412;` or `&#x672c;`, with its length.
fn numbered(text: &str) -> Option<(char, usize)> {
    let end = text.find(';').filter(|end| *end < 12)?;
    let number = text.get(..end)?.strip_prefix("&#")?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };

    Some((char::from_u32(code)?, end + 1))
}

#[cfg(test)]
mod tests;
