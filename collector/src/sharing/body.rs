//! What a product says: a closed list of fields, and its canonical text.

use serde::{Deserialize, Serialize};

use super::{Indicator, Span, TechniqueId};
use crate::approval::canonical::canonical;
use crate::exchange::kind::Tlp;
use crate::exchange::text_problem;
use crate::tables::choices;

/// Name of the file that holds a body in a package.
pub const BODY_FILE: &str = "product.json";
/// Longest short text: what fits on the page beside the rest.
const SUMMARY_MAX_CHARS: usize = 400;
/// Most lines of it.
const SUMMARY_MAX_LINES: usize = 8;
/// Most indicators of a product: what fits on one page.
pub const INDICATORS_MAX: usize = 40;
/// Most techniques of a product.
pub const TECHNIQUES_MAX: usize = 12;
/// Largest canonical text that is read.
const BODY_MAX_BYTES: usize = 64 * 1024;

choices! {
    /// What kind of attack it was: the kinds of a report that are one.
    AttackKind {
        /// ランサムウェア
        Ransomware "ransomware" "choice-8-ransomware";
        /// 不正アクセス
        UnauthorisedAccess "unauthorised-access" "choice-8-unauthorised-access";
        /// マルウェア
        Malware "malware" "choice-8-malware";
        /// 標的型メール
        TargetedMail "targeted-mail" "choice-8-targeted-mail";
        /// サービス妨害
        Ddos "ddos" "choice-8-ddos";
        /// 予兆
        Precursor "precursor" "choice-8-precursor";
        /// その他
        Other "other" "choice-8-other";
    }
}

/// An indicator as it is shared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// What to look for.
    pub what: Indicator,
    /// Whether monitoring saw it; else people found it.
    pub seen: bool,
}

/// Names the layout, so that a later one can never be taken for this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// The first.
    #[default]
    #[serde(rename = "shirase-sharing-1")]
    First,
}

/// What a product says. Nothing else gets into its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Names the layout.
    pub layout: Layout,
    /// What kind of attack it was.
    pub attack: AttackKind,
    /// When, rounded.
    pub span: Span,
    /// What happened, in a few words of a person.
    pub summary: String,
    /// What to look for, in order and each once.
    pub indicators: Vec<Shared>,
    /// Techniques of ATT&CK, in order and each once.
    pub techniques: Vec<TechniqueId>,
    /// How far it may be passed on.
    pub tlp: Tlp,
    /// Whether it is an exercise's (訓練).
    pub drill: bool,
}

/// Why a body cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than a body is, or does not read.
    #[error("the sharing product does not read ({0}); update the collector, or have it sent anew")]
    Unreadable(String),
    /// It reads, but is not written the one way a body is.
    #[error("the sharing product is not in canonical form; have it sent anew")]
    NotCanonical,
    /// The short text cannot stand.
    #[error("the short text {0}")]
    Summary(&'static str),
    /// There is too much to look for.
    #[error("a product names at most {INDICATORS_MAX} indicators")]
    Indicators,
    /// There are too many techniques.
    #[error("a product names at most {TECHNIQUES_MAX} techniques")]
    Techniques,
    /// It ends before it begins.
    #[error("the span ends before it begins")]
    Span,
}

impl BodyError {
    /// Returns the key of its words.
    #[must_use]
    pub const fn label_key(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::NotCanonical => "sharing-refused-unreadable",
            Self::Summary(_) => "sharing-refused-summary",
            Self::Indicators => "sharing-refused-indicators",
            Self::Techniques => "sharing-refused-techniques",
            Self::Span => "sharing-refused-span",
        }
    }
}

impl Body {
    /// Begins a body.
    #[must_use]
    pub fn new(attack: AttackKind, span: Span, tlp: Tlp) -> Self {
        Self {
            layout: Layout::First,
            attack,
            span,
            summary: String::new(),
            indicators: Vec::new(),
            techniques: Vec::new(),
            tlp,
            drill: false,
        }
    }

    /// Puts indicators and techniques in order, each once; what was seen by monitoring stays seen.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.indicators
            .sort_by(|a, b| (&a.what, !a.seen).cmp(&(&b.what, !b.seen)));
        self.indicators
            .dedup_by(|later, kept| later.what == kept.what);
        self.techniques.sort_unstable();
        self.techniques.dedup();
        self
    }

    /// Checks what a person wrote.
    ///
    /// # Errors
    /// Says what cannot stand.
    pub fn check(&self) -> Result<(), BodyError> {
        if self.summary.trim().is_empty() {
            return Err(BodyError::Summary("is empty; say in a few words what happened"));
        }
        if let Some(problem) = text_problem(&self.summary, SUMMARY_MAX_CHARS) {
            return Err(BodyError::Summary(problem));
        }
        if SUMMARY_MAX_LINES < self.summary.lines().count() {
            return Err(BodyError::Summary("has more than 8 lines"));
        }
        if INDICATORS_MAX < self.indicators.len() {
            return Err(BodyError::Indicators);
        }
        if TECHNIQUES_MAX < self.techniques.len() {
            return Err(BodyError::Techniques);
        }
        if self.span.to < self.span.from {
            return Err(BodyError::Span);
        }

        Ok(())
    }

    /// Returns its canonical text.
    ///
    /// # Errors
    /// Never for a body that was checked: it holds texts alone.
    pub fn text(&self) -> Result<String, BodyError> {
        canonical(self).map_err(|error| BodyError::Unreadable(error.to_string()))
    }

    /// Reads a body strictly, as a stranger's.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, BodyError> {
        if BODY_MAX_BYTES < bytes.len() {
            return Err(BodyError::Unreadable("it is too large".to_owned()));
        }
        let unreadable = |error: serde_json::Error| BodyError::Unreadable(error.to_string());
        let body: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        if body.text()?.as_bytes() != bytes || body.clone().tidied() != body {
            return Err(BodyError::NotCanonical);
        }
        body.check()?;

        Ok(body)
    }
}
