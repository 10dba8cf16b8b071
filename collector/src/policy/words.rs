//! What is wrong with a text, and why a host refused one, in the reader's words.

use shirase_shared::config::Problem;
use shirase_shared::policy::Refusal;

use crate::locale::Locale;

/// A mistake as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Its line; 0 for the text as a whole.
    pub line: usize,
    /// The key concerned; may be empty.
    pub key: String,
    /// What is wrong, in words.
    pub text: String,
    /// The same as the agent would put it in its log, with what to do.
    pub detail: String,
}

/// The beginnings and ends by which a message is known, and the key of its words. The first that fits counts.
const MESSAGES: &[(&str, &str)] = &[
    ("unknown field", "policy-wrong-unknown"),
    ("missing field", "policy-wrong-missing"),
    ("invalid type", "policy-wrong-kind"),
    ("invalid value", "policy-wrong-range"),
    ("unknown variant", "policy-wrong-choice"),
    ("duplicate key", "policy-wrong-twice"),
    ("the text is too long", "policy-wrong-long"),
    ("is not an absolute path", "policy-wrong-path"),
    ("is listed twice", "policy-wrong-twice"),
    ("is used twice", "policy-wrong-twice"),
    ("has two jobs of one name", "policy-wrong-twice"),
    ("is empty, too long or holds odd characters", "policy-wrong-label"),
    ("names a file of the host", "policy-wrong-file"),
    ("has too many entries", "policy-wrong-many"),
    ("is longer than a week", "policy-wrong-week"),
    ("is empty or a path", "policy-wrong-name"),
    ("is empty, a path or a pattern", "policy-wrong-name"),
    ("is empty or has control characters", "policy-wrong-name"),
    ("is no suffix", "policy-wrong-suffix"),
    ("is a suffix of ordinary files", "policy-wrong-suffix-ordinary"),
    ("is no file name", "policy-wrong-file-name"),
    ("is a name of ordinary files", "policy-wrong-file-name-ordinary"),
    ("needs exactly one of", "policy-wrong-probe-one"),
    ("is not an option of a probe", "policy-wrong-probe-option"),
    ("is not a web address", "policy-wrong-url"),
    ("has no port", "policy-wrong-address"),
    ("has a port that", "policy-wrong-address"),
    ("has no host", "policy-wrong-address"),
    ("has no meaning", "policy-wrong-meaning"),
    ("is not between", "policy-wrong-range"),
    ("is not an HTTP status", "policy-wrong-range"),
    ("has a job without", "policy-wrong-job-name"),
    ("that ends when it begins", "policy-wrong-job-time"),
    ("that does nothing", "policy-wrong-job-work"),
    ("is no time of day", "policy-wrong-time"),
    ("is no span of hours", "policy-wrong-hours"),
];

/// What is said of a message nobody put into words.
const OTHER: &str = "policy-wrong-other";
/// What is said where the text is no TOML.
const SYNTAX: &str = "policy-wrong-syntax";

/// Shows what is wrong with a text.
#[must_use]
pub fn mistakes(problems: &[Problem], locale: Locale) -> Vec<Mistake> {
    let show = |problem: &Problem| Mistake {
        line: problem.line,
        key: problem.key.clone(),
        text: locale.text(words(problem)),
        detail: format!("{}; {}", problem.message, problem.remedy),
    };
    problems.iter().map(show).collect()
}

/// Returns the key of the words for a mistake.
pub(super) fn words(problem: &Problem) -> &'static str {
    let known = MESSAGES
        .iter()
        .find(|(part, _)| problem.message.contains(part));
    match known {
        Some((_, key)) => key,
        // Only the reader of TOML itself knows no better than to point at every key there is.
        None if problem.remedy.starts_with("`config` prints") => SYNTAX,
        None => OTHER,
    }
}

/// Returns the key of the words for why a host refused a policy.
#[must_use]
pub const fn refusal_key(refusal: Option<Refusal>) -> &'static str {
    match refusal {
        Some(Refusal::TooLong) => "policy-refused-too-long",
        Some(Refusal::Signature) => "policy-refused-signature",
        Some(Refusal::Unreadable) => "policy-refused-unreadable",
        Some(Refusal::OtherHost) => "policy-refused-other-host",
        Some(Refusal::Older) => "policy-refused-older",
        Some(Refusal::Forked) => "policy-refused-forked",
        Some(Refusal::Mistakes) => "policy-refused-mistakes",
        Some(Refusal::DoesNotFit) => "policy-refused-does-not-fit",
        Some(Refusal::Disk) => "policy-refused-disk",
        None => "policy-refused-unknown",
    }
}
