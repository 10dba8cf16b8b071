//! Says how severe it is what the windows hold.
//!
//! Every watched root is by that a protected one: when what a hospital would miss is deleted, moved away or emptied in
//! bulk, that is high, whoever does it. What is no such file (source, libraries, logs, a database's numbered files)
//! is medium however many go: a build, a package manager and `DROP DATABASE` remove thousands in seconds. A mixture is
//! high when one in four would be missed, and when very many would be, one in ten.

use shirase_shared::event::Severity;

use super::MassChangeConfig;
use super::windows::{Counts, Slot, Sums};

/// Files within the middle window that make it high although the short one stayed below.
const MIDDLE_HIGH: u64 = 5;
/// Files within a day that make it high; published products take 20 as well.
const LONG_HIGH: u64 = 20;
/// Directories over which a burst is called spread.
const SPREAD_DIRECTORIES: u64 = 3;
/// Directories with the same new small text that strengthen other evidence, or with a ransom note's words that are
/// enough by themselves.
const NOTE_DIRECTORIES: u64 = 3;
/// One in so many removed files must be one a hospital would miss.
const VALUED_SHARE: u64 = 4;
/// Where no program by itself took so many away, it takes so many times as much: a virus scanner's quarantine beside a
/// mirror that deletes, or an archive that is put away, are ordinary things at once.
const SHARED_TIMES: u64 = 2;
/// When this many times the threshold would be missed, one in [`MANY_SHARE`] is enough: a flood of others hides little.
const MANY_TIMES: u64 = 10;
const MANY_SHARE: u64 = 10;
/// New files with content that does not fit that make it high within ten seconds, and within two minutes.
const DOUBT_SHORT: u64 = 10;
const DOUBT_MIDDLE: u64 = 15;
/// Odd names among SS-MIX2 messages that are an alert where there had been none for a week. Never more than medium: a
/// monthly export looks the same, and whatever harms the messages themselves is seen by what it does to them.
const SHAPE_MANY: u64 = 10;

/// What else bears on how severe it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Circumstances {
    /// Directories with the same new small text.
    pub(super) same_text: u64,
    /// Directories with a text in a ransom note's words.
    pub(super) worded: u64,
    /// Of these, with a note that is called like one.
    pub(super) called_note: u64,
    /// Files removed within two minutes by the program that removed most.
    pub(super) removed_by_one: u64,
    /// Files removed within two minutes at this hour of other days.
    pub(super) usual_removed: u64,
    /// Files doubtful or weak within two minutes at this hour of other days.
    pub(super) usual_odd: u64,
    /// Whether names of SS-MIX2 messages were whole for a week.
    pub(super) shape: Shape,
}

/// What odd names among SS-MIX2 messages mean here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nobody knows yet what is usual here.
    #[default]
    Unsettled,
    /// There were none for a week.
    Settled,
}

/// How severe it is and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) severity: Severity,
    pub(super) span: Span,
    pub(super) because: Because,
    /// How many the rule counted.
    pub(super) count: u64,
}

/// How long it took for the harm to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Seconds or minutes: what happened before the middle window does not belong to it.
    Minutes,
    /// A day.
    Day,
}

/// The rule that told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// A decoy was touched.
    Canary,
    /// A decoy was touched beside other evidence.
    CanaryAndMore,
    /// Harmed files within ten seconds.
    Fast,
    /// Harmed files and the same note in several directories.
    Note,
    /// Harmed files within two minutes.
    Minutes,
    /// Harmed files within a day.
    Day,
    /// Many files a hospital would miss are gone.
    Removed,
    /// Many files are gone.
    RemovedCommon,
    /// As many files are gone as on other days.
    Usual,
    /// A ransom note's words in several directories.
    Words,
    /// Many new files have content that does not fit.
    Misfits,
    /// Odd names among SS-MIX2 messages.
    Messages,
    /// Much that could not be vouched for.
    Weak,
    /// One doer over several roots.
    Doer,
    /// It is in total so much that someone must be woken.
    Total,
}

struct Limits {
    high: u64,
    removed: u64,
}

impl Limits {
    fn of(settings: &MassChangeConfig) -> Self {
        Self { high: u64::from(settings.high_files), removed: u64::from(settings.removed_files) }
    }
}

/// Says how severe it is; nothing if it is ordinary.
pub(super) fn judge(
    sums: Sums,
    around: Circumstances,
    settings: &MassChangeConfig,
) -> Option<Verdict> {
    let limits = Limits::of(settings);
    canary(sums.middle, around)
        .or_else(|| high(sums, around, &limits))
        .or_else(|| medium(sums, around, &limits))
        .or_else(|| low(sums, around, &limits))
}

fn canary(middle: Counts, around: Circumstances) -> Option<Verdict> {
    let touched = middle.get(Slot::Canary);
    if touched == 0 {
        return None;
    }
    let beside = middle.harmed() + middle.removed() + middle.get(Slot::Doubt) - 1;
    if 0 < beside || 0 < around.worded {
        return Some(verdict(Severity::Critical, Because::CanaryAndMore, beside));
    }

    Some(verdict(Severity::High, Because::Canary, touched))
}

fn high(sums: Sums, around: Circumstances, limits: &Limits) -> Option<Verdict> {
    let Sums { short, middle, day } = sums;
    // A spread note is worth as much as the files that make it high, but only beside a harmed one.
    let spread = NOTE_DIRECTORIES <= around.same_text || 0 < around.worded;
    let doubts = (short.get(Slot::Doubt), middle.get(Slot::Doubt));
    let unusual = around.usual_odd < doubts.1;
    let (because, count) = if limits.high <= short.harmed() {
        (Because::Fast, short.harmed())
    } else if spread && 0 < middle.harmed() {
        (Because::Note, around.same_text.max(around.worded))
    } else if MIDDLE_HIGH.max(limits.high) <= middle.harmed() {
        (Because::Minutes, middle.harmed())
    } else if NOTE_DIRECTORIES <= around.called_note {
        (Because::Words, around.called_note)
    } else if around.usual_removed < middle.removed()
        && (is_missed(short, around, limits) || is_missed(middle, around, limits))
    {
        (Because::Removed, middle.get(Slot::RemovedValued))
    } else if unusual && (DOUBT_SHORT <= doubts.0 || DOUBT_MIDDLE <= doubts.1) {
        (Because::Misfits, doubts.1)
    } else if LONG_HIGH.max(limits.high) <= day.harmed() {
        return Some(of_a_day(Severity::High, day.harmed()));
    } else {
        return None;
    };

    Some(verdict(Severity::High, because, count))
}

/// Whether what was removed would be missed, and was not removed bit by bit by several programs.
fn is_missed(counts: Counts, around: Circumstances, limits: &Limits) -> bool {
    let (removed, valued) = (counts.removed(), counts.get(Slot::RemovedValued));
    let shared = around.removed_by_one < limits.removed;
    let least = if shared { limits.removed * SHARED_TIMES } else { limits.removed };
    let mixed = least <= valued && removed <= valued * VALUED_SHARE;

    mixed || (limits.removed * MANY_TIMES <= valued && removed <= valued * MANY_SHARE)
}

fn medium(sums: Sums, around: Circumstances, limits: &Limits) -> Option<Verdict> {
    let Sums { middle, day, .. } = sums;
    let odd = middle.get(Slot::Weak) + middle.get(Slot::Doubt);
    let (because, count) = if limits.high <= middle.harmed() {
        (Because::Minutes, middle.harmed())
    } else if limits.removed <= middle.removed() && around.usual_removed < middle.removed() {
        (Because::RemovedCommon, middle.removed())
    } else if limits.removed <= odd && around.usual_odd < odd {
        (Because::Weak, odd)
    } else if NOTE_DIRECTORIES <= around.worded {
        (Because::Words, around.worded)
    } else if around.shape == Shape::Settled && SHAPE_MANY <= middle.get(Slot::Shape) {
        (Because::Messages, middle.get(Slot::Shape))
    } else if LONG_HIGH.max(limits.high) <= day.harmed() * 2 {
        return Some(of_a_day(Severity::Medium, day.harmed()));
    } else {
        return None;
    };

    Some(verdict(Severity::Medium, because, count))
}

fn low(sums: Sums, around: Circumstances, limits: &Limits) -> Option<Verdict> {
    let middle = sums.middle;
    let odd = middle.get(Slot::Weak) + middle.get(Slot::Doubt);
    let shape = middle.get(Slot::Shape);
    if limits.removed <= middle.removed() || limits.removed <= odd {
        return Some(verdict(Severity::Low, Because::Usual, middle.removed().max(odd)));
    }
    let noted = around.shape == Shape::Settled && 0 < shape;

    noted.then(|| verdict(Severity::Low, Because::Messages, shape))
}

const fn verdict(severity: Severity, because: Because, count: u64) -> Verdict {
    Verdict { severity, span: Span::Minutes, because, count }
}

const fn of_a_day(severity: Severity, count: u64) -> Verdict {
    Verdict { severity, span: Span::Day, because: Because::Day, count }
}

/// Whether a burst that is high already is critical by its totals.
pub(super) fn is_critical(total: Counts, directories: u64, settings: &MassChangeConfig) -> bool {
    let (critical, harmed) = (u64::from(settings.critical_files), total.harmed());

    critical <= harmed || (critical <= harmed * 5 / 2 && SPREAD_DIRECTORIES <= directories)
}
