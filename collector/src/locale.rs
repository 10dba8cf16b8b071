//! The words people read, in Japanese and English, and the time as Japan's clocks show it.
//!
//! Always holds: every key stands in both languages with the same variables (a test compares the files); a key that
//! is missing all the same is shown itself, so that a page never fails over a word.

use std::fmt;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// The files: one per area of the program, each in Japanese and English.
const FILES: &[(&str, &str)] = &[
    (include_str!("../locales/ja/console.ftl"), include_str!("../locales/en/console.ftl")),
    (include_str!("../locales/ja/incidents.ftl"), include_str!("../locales/en/incidents.ftl")),
    (include_str!("../locales/ja/notify.ftl"), include_str!("../locales/en/notify.ftl")),
    (include_str!("../locales/ja/reports.ftl"), include_str!("../locales/en/reports.ftl")),
    (include_str!("../locales/ja/answers.ftl"), include_str!("../locales/en/answers.ftl")),
    (include_str!("../locales/ja/delivery.ftl"), include_str!("../locales/en/delivery.ftl")),
    (include_str!("../locales/ja/duties.ftl"), include_str!("../locales/en/duties.ftl")),
    (include_str!("../locales/ja/contacts.ftl"), include_str!("../locales/en/contacts.ftl")),
    (include_str!("../locales/ja/tables.ftl"), include_str!("../locales/en/tables.ftl")),
    (
        include_str!("../locales/ja/institutions.ftl"),
        include_str!("../locales/en/institutions.ftl"),
    ),
    (include_str!("../locales/ja/cases.ftl"), include_str!("../locales/en/cases.ftl")),
    (include_str!("../locales/ja/checklist.ftl"), include_str!("../locales/en/checklist.ftl")),
    (include_str!("../locales/ja/exchange.ftl"), include_str!("../locales/en/exchange.ftl")),
    (include_str!("../locales/ja/sharing.ftl"), include_str!("../locales/en/sharing.ftl")),
    (include_str!("../locales/ja/policy.ftl"), include_str!("../locales/en/policy.ftl")),
    (include_str!("../locales/ja/approval.ftl"), include_str!("../locales/en/approval.ftl")),
];

/// A language the program speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

impl Lang {
    /// Returns its name as HTML writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// Reads a name back; anything unknown is Japanese.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text {
            "en" => Self::En,
            _ => Self::Ja,
        }
    }
}

/// A heading in both languages, shown as two elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The Japanese words.
    pub ja: String,
    /// The English words.
    pub en: String,
}

/// One language to speak. Free to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Locale {
    lang: Lang,
}

impl Locale {
    /// Chooses a language.
    #[must_use]
    pub const fn new(lang: Lang) -> Self {
        Self { lang }
    }

    /// Returns the language chosen.
    #[must_use]
    pub const fn lang(self) -> Lang {
        self.lang
    }

    /// Returns the words for a key.
    #[must_use]
    pub fn text(self, key: &str) -> String {
        self.text_with(key, &[])
    }

    /// Returns the words for a key with its variables filled in.
    #[must_use]
    pub fn text_with(self, key: &str, values: &[(&str, &dyn fmt::Display)]) -> String {
        let bundle = match self.lang {
            Lang::Ja => &*JA,
            Lang::En => &*EN,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let args: FluentArgs<'_> = values
            .iter()
            .map(|(name, value)| (*name, value.to_string()))
            .collect();
        let mut errors = Vec::new();
        let text = bundle
            .format_pattern(pattern, Some(&args), &mut errors)
            .into_owned();
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");

        text
    }

    /// The same with variables that are texts already.
    #[must_use]
    pub fn text_of(self, key: &str, values: &[(&str, String)]) -> String {
        let values: Vec<(&str, &dyn fmt::Display)> = values
            .iter()
            .map(|(name, text)| (*name, text as &dyn fmt::Display))
            .collect();
        self.text_with(key, &values)
    }

    /// Returns the words for a key in both languages, for a heading.
    #[must_use]
    pub fn label(self, key: &str) -> Label {
        Label { ja: Self::new(Lang::Ja).text(key), en: Self::new(Lang::En).text(key) }
    }
}

static JA: LazyLock<FluentBundle<FluentResource>> =
    LazyLock::new(|| bundle("ja", FILES.iter().map(|(ja, _)| *ja)));
static EN: LazyLock<FluentBundle<FluentResource>> =
    LazyLock::new(|| bundle("en", FILES.iter().map(|(_, en)| *en)));

fn bundle(lang: &str, files: impl Iterator<Item = &'static str>) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(lang.parse().into_iter().collect());
    // The marks that isolate directions are left out: pages isolate foreign words themselves, and a mail subject
    // or a PDF has no use for them.
    bundle.set_use_isolating(false);
    for text in files {
        let resource = match FluentResource::try_new(text.to_owned()) {
            Ok(whole) => whole,
            Err((readable, errors)) => {
                tracing::error!(?errors, "a locale file has lines that cannot be read");
                readable
            }
        };
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?errors, "a locale file repeats keys");
        }
    }
    bundle
}

/// Shows a moment as Japan's clocks do: `2026-02-09 01:50:00 JST`.
#[must_use]
pub fn japan_time(at: Timestamp) -> String {
    let civil = japan().to_datetime(at);
    format!("{} {} JST", civil.date(), civil.strftime("%H:%M:%S"))
}

/// Returns Japan's offset, nine hours ahead of UTC without summer time.
#[must_use]
pub fn japan() -> Offset {
    Offset::constant(9)
}

/// Whether a character could hide in a text or turn it around: control characters, direction marks, invisible ones.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Returns a text in which every character that could hide is written out, such as `[U+202E]`.
#[must_use]
pub fn visible(text: &str) -> String {
    use fmt::Write as _;

    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && c != '\n' && c != '\t' {
            // Writing to a string cannot fail.
            write!(out, "[U+{:04X}]", u32::from(c)).unwrap_or_default();
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests;
