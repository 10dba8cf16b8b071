//! A year's cases in figures. A year is Japan's fiscal one (年度), from April to March, by when a case became known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _};

use super::entry::{EntryKind, Source};
use super::record::CaseFile;
use super::{Case, HeardWay};
use crate::exchange::kind::PackageKind;
use crate::facilities::FacilityKind;
use crate::institutions::Institution;
use crate::locale::japan;

/// Months of a calendar year that belong to the fiscal year before.
const MONTHS_BEFORE_APRIL: i32 = 3;

/// A fiscal year in figures. Exercises are counted apart and nowhere else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Cases that became known in it.
    pub cases: usize,
    /// Those of them somebody still works on.
    pub open: usize,
    /// At how many institutions.
    pub institutions: usize,
    /// By how they became known.
    pub ways: BTreeMap<HeardWay, usize>,
    /// By kind of institution.
    pub kinds: BTreeMap<FacilityKind, usize>,
    /// Questions asked, by package or otherwise.
    pub questions: usize,
    /// Guidance given, by package or otherwise.
    pub guidance: usize,
    /// Exercises.
    pub drills: usize,
}

/// Returns the figures of each fiscal year in which a case became known.
#[must_use]
pub fn figures(files: &[CaseFile], register: &[Institution]) -> BTreeMap<i16, Figures> {
    let mut years = BTreeMap::<i16, Figures>::new();
    let mut seen = BTreeMap::<i16, BTreeSet<_>>::new();
    for file in files {
        let Case { heard, institution, drill, .. } = &file.case;
        let year = fiscal_year(heard.at);
        let figures = years.entry(year).or_default();
        if *drill {
            figures.drills += 1;
            continue;
        }
        let found = register.iter().find(|one| one.id == *institution);
        let kind = found.map_or(FacilityKind::Unknown, |one| one.details.kind);
        figures.cases += 1;
        figures.open += usize::from(file.is_open());
        *figures.ways.entry(heard.way).or_default() += 1;
        *figures.kinds.entry(kind).or_default() += 1;
        figures.questions += asked(file, EntryKind::Question, PackageKind::Question);
        figures.guidance += asked(file, EntryKind::Guidance, PackageKind::Guidance);
        let there = seen.entry(year).or_default();
        there.insert(*institution);
        figures.institutions = there.len();
    }
    years
}

/// Counts what went out as packages, and what was entered beside them: an entry that cites a package is that package.
fn asked(file: &CaseFile, entered: EntryKind, sent: PackageKind) -> usize {
    let cites = |source: &Source| matches!(source, Source::Package { .. });
    let entered = file
        .standing()
        .filter(|entry| entry.said.kind == entered && !cites(&entry.said.source));
    let sent = file
        .letters
        .iter()
        .filter(|letter| !letter.came && letter.kind == sent);
    entered.count() + sent.count()
}

/// Returns the fiscal year a moment falls in.
fn fiscal_year(at: Timestamp) -> i16 {
    let day = japan().to_datetime(at).date();
    day.saturating_sub(MONTHS_BEFORE_APRIL.months()).year()
}
