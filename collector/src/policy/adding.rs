//! Puts what people accepted from sharing products into a policy's text: a proposal a person looks at and saves. The only
//! file that knows `toml_edit`.
//!
//! Always holds: comments, order and everything else of the text stay; what an agent would refuse is not proposed.

use shirase_shared::policy::Policy;
use shirase_shared::settings::known_bad;
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use crate::sharing::{Indicator, IndicatorKind};

/// A text with what was missing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// What is added.
    pub adds: Vec<String>,
    /// The text with it.
    pub text: String,
}

/// Returns a policy's text with the accepted suffixes and names of notes it lacks; `None` when it lacks none, or does not
/// read. Addresses, hashes and tools are nothing an agent looks for in names.
#[must_use]
pub fn with_accepted<'a>(
    text: &str,
    accepted: impl Iterator<Item = &'a Indicator>,
) -> Option<Addition> {
    let known = Policy::parse(text).ok()?.detectors.mass_change;
    let mut document: DocumentMut = text.parse().ok()?;
    let mut adds = Vec::new();
    for indicator in accepted {
        let value = indicator.value();
        let one = [value.to_owned()];
        let (key, there, problems) = match indicator.kind() {
            IndicatorKind::Suffix => (
                "known_bad_suffixes",
                &known.known_bad_suffixes,
                known_bad::problems("", &one, &[]),
            ),
            IndicatorKind::NoteName => {
                ("known_bad_names", &known.known_bad_names, known_bad::problems("", &[], &one))
            }
            IndicatorKind::Hash | IndicatorKind::Address | IndicatorKind::Tool => continue,
        };
        let is_there = there.iter().any(|known| known.eq_ignore_ascii_case(value));
        if is_there || !problems.is_empty() {
            continue;
        }
        list(&mut document, key)?.push(value);
        adds.push(value.to_owned());
    }

    (!adds.is_empty()).then(|| Addition { adds, text: document.to_string() })
}

/// Returns one list of `[detectors.mass_change]`, made where it is missing.
fn list<'a>(document: &'a mut DocumentMut, key: &str) -> Option<&'a mut Array> {
    let mut detectors = Table::new();
    detectors.set_implicit(true);
    let detectors = document
        .entry("detectors")
        .or_insert(Item::Table(detectors))
        .as_table_like_mut()?;
    let mass_change = detectors
        .entry("mass_change")
        .or_insert(Item::Table(Table::new()))
        .as_table_like_mut()?;
    mass_change
        .entry(key)
        .or_insert(Item::Value(Value::Array(Array::new())))
        .as_array_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted() -> Vec<Indicator> {
        [
            (IndicatorKind::Suffix, "kaedelock"),
            (IndicatorKind::NoteName, "KAEDE_README.txt"),
            (IndicatorKind::Address, "203.0.113.77"),
            (IndicatorKind::Suffix, "pdf"),
        ]
        .into_iter()
        .filter_map(|(kind, value)| Indicator::new(kind, value).ok())
        .collect()
    }

    #[test]
    fn an_empty_text_gets_the_table_and_nothing_an_agent_would_refuse() {
        let added = with_accepted("", accepted().iter()).unwrap();
        assert_eq!(added.adds, ["kaedelock", "KAEDE_README.txt"]);
        let read = Policy::parse(&added.text).unwrap().detectors.mass_change;
        assert_eq!(read.known_bad_suffixes, ["kaedelock"]);
        assert_eq!(read.known_bad_names, ["KAEDE_README.txt"]);
    }

    #[test]
    fn what_stands_in_the_text_stays_with_its_comments() {
        let text = "# 夜間は多い\n[agent]\ncpu_budget_percent = 9\n\n[detectors.mass_change]\n# Handa\nknown_bad_suffixes = [\"akira\"]\n";
        let added = with_accepted(text, accepted().iter()).unwrap();
        assert!(
            added
                .text
                .starts_with("# 夜間は多い\n[agent]\ncpu_budget_percent = 9\n")
        );
        assert!(
            added
                .text
                .contains("# Handa\nknown_bad_suffixes = [\"akira\", \"kaedelock\"]"),
            "{}",
            added.text
        );
        assert_eq!(with_accepted(&added.text, accepted().iter()), None, "nothing is added twice");
    }

    #[test]
    fn a_text_with_mistakes_is_left_to_its_writer() {
        assert_eq!(with_accepted("[uplink]\nx = 1\n", accepted().iter()), None);
    }
}
