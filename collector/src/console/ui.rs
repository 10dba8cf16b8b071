//! The few fragments that are HTML already: headings in two languages and badges.

use std::fmt;

use askama::filters::HtmlSafe;

use shirase_shared::event::Severity;

use crate::locale::{Label, Locale};

/// A heading: the Japanese words, and the English ones small beside them. Two elements, never one mixed string.
pub struct Heading(pub Label);

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ja, en) = (escape(&self.0.ja), escape(&self.0.en));
        write!(f, "<span lang=\"ja\" class=\"ja\">{ja}</span> ")?;
        write!(f, "<span lang=\"en\" class=\"en\">{en}</span>")
    }
}

impl HtmlSafe for Heading {}

/// How a badge is coloured. The words in it say the same, so that nobody has to tell colours apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Wake someone.
    Critical,
    /// Look at it now.
    High,
    /// Look at it today.
    Medium,
    /// Worth a line.
    Low,
    /// All is well.
    Well,
    /// Nothing to say about it.
    Quiet,
    /// It belongs to a drill.
    Drill,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Well => "well",
            Self::Quiet => "quiet",
            Self::Drill => "drill",
        }
    }
}

impl From<Severity> for Tone {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

/// A few words on coloured ground.
pub struct Badge {
    /// Its colour.
    pub tone: Tone,
    /// Its words.
    pub text: String,
}

impl Badge {
    /// Shows a severity.
    #[must_use]
    pub fn severity(severity: Severity, locale: Locale) -> Self {
        Self {
            tone: severity.into(),
            text: locale.text(match severity {
                Severity::Low => "severity-low",
                Severity::Medium => "severity-medium",
                Severity::High => "severity-high",
                Severity::Critical => "severity-critical",
            }),
        }
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, text) = (self.tone.class(), escape(&self.text));
        write!(f, "<span class=\"badge {class}\">{text}</span>")
    }
}

impl HtmlSafe for Badge {}

/// Escapes a text for HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_words_stays_words() {
        let badge = Badge { tone: Tone::High, text: "<b onclick='x'>\"&".to_owned() };
        let shown = "<span class=\"badge high\">&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;</span>";
        assert_eq!(badge.to_string(), shown);
    }
}
