//! What became of the answers since the year before.

use std::collections::BTreeMap;

use super::{Answered, Checklist, Entry, Item, SheetKind};

/// What became of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It was no before and is yes now.
    Better,
    /// It was yes before and is no now.
    Worse,
    /// It was no and still is.
    StillNo,
    /// It reads the same otherwise.
    Same,
    /// It does not concern this sheet any more, or does now.
    Other,
    /// Nobody answered the year before.
    OnlyNow,
    /// Nobody answered this year yet.
    Waiting,
    /// It was not asked the year before.
    New,
}

impl Turn {
    /// Every turn.
    pub const ALL: [Self; 8] = [
        Self::Better,
        Self::Worse,
        Self::StillNo,
        Self::Same,
        Self::Other,
        Self::OnlyNow,
        Self::Waiting,
        Self::New,
    ];

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Better => "checklist-turn-better",
            Self::Worse => "checklist-turn-worse",
            Self::StillNo => "checklist-turn-still-no",
            Self::Same => "checklist-turn-same",
            Self::Other => "checklist-turn-other",
            Self::OnlyNow => "checklist-turn-only-now",
            Self::Waiting => "checklist-turn-waiting",
            Self::New => "checklist-turn-new",
        }
    }
}

/// One item beside those it continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The item of this year.
    pub item: &'a Item,
    /// Those it continues.
    pub followed: Vec<&'a Item>,
    /// What they were answered with: of several the least good.
    pub then: Option<Answered>,
    /// The answer of this year.
    pub now: Option<Answered>,
    /// What became of it.
    pub turn: Turn,
    /// Whether the words differ from those of the year before.
    pub reworded: bool,
}

/// One sheet beside that of the year before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// The items of this year, in their order.
    pub changes: Vec<Change<'a>>,
    /// Items of the year before that none of this year continues, with their answers.
    pub gone: Vec<(&'a Item, Option<Answered>)>,
}

/// The answers of one sheet, by item.
type Answers = BTreeMap<String, Entry>;

/// Compares one kind of sheet of two years.
#[must_use]
pub fn compare<'a>(
    kind: SheetKind,
    (now, given): (&'a Checklist, &Answers),
    (then, given_then): (&'a Checklist, &Answers),
) -> Comparison<'a> {
    let before: Vec<&Item> = then.items(kind).collect();
    let changes: Vec<Change<'_>> = now
        .items(kind)
        .map(|item| {
            let names = item.predecessors();
            let followed: Vec<&Item> = before
                .iter()
                .copied()
                .filter(|old| names.contains(&old.id.as_str()))
                .collect();
            change(item, followed, (given, given_then))
        })
        .collect();
    let is_followed = |old: &Item| {
        changes
            .iter()
            .any(|one| one.followed.iter().any(|known| known.id == old.id))
    };
    let gone = before.into_iter().filter(|old| !is_followed(old));
    let gone = gone.map(|old| (old, answer(given_then, old))).collect();

    Comparison { changes, gone }
}

fn change<'a>(
    item: &'a Item,
    followed: Vec<&'a Item>,
    (given, given_then): (&Answers, &Answers),
) -> Change<'a> {
    let now = answer(given, item);
    let then = least(followed.iter().map(|old| answer(given_then, old)));
    let reworded = !followed.is_empty() && followed.iter().all(|old| old.text.ja != item.text.ja);
    let turn = if followed.is_empty() { Turn::New } else { turn(then, now) };
    Change { item, followed, then, now, turn, reworded }
}

fn answer(given: &Answers, item: &Item) -> Option<Answered> {
    given.get(&item.id).map(|entry| entry.answer)
}

/// Of several answers the least good: one that nobody gave, then no, then yes.
fn least(answers: impl Iterator<Item = Option<Answered>>) -> Option<Answered> {
    let rank = |answer: &Option<Answered>| match answer {
        None => 0,
        Some(Answered::No) => 1,
        Some(Answered::Yes) => 2,
        Some(Answered::NotApplicable) => 3,
    };
    answers.min_by_key(rank).flatten()
}

fn turn(then: Option<Answered>, now: Option<Answered>) -> Turn {
    match (then, now) {
        (_, None) => Turn::Waiting,
        (None, Some(_)) => Turn::OnlyNow,
        (Some(Answered::No), Some(Answered::Yes)) => Turn::Better,
        (Some(Answered::Yes), Some(Answered::No)) => Turn::Worse,
        (Some(Answered::No), Some(Answered::No)) => Turn::StillNo,
        (Some(then), Some(now)) if then == now => Turn::Same,
        (Some(_), Some(_)) => Turn::Other,
    }
}
