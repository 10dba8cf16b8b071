//! A case with everything that belongs to it, and what follows from that: what counts, and what is open.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::entry::{Entry, EntryKind, Settled, Source, Statement};
use super::{Case, Letter, NAME_MAX_CHARS, Refusal, is_no_text};
use crate::exchange::kind::PackageKind;
use crate::exchange::line_problem;
use crate::locale::japan;

/// A case with its entries and the packages of its threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// Its entries, by number.
    pub entries: Vec<Entry>,
    /// The packages of its threads, the oldest first.
    pub letters: Vec<Letter>,
}

/// A question nobody answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// Which.
    pub what: Settled,
    /// What was asked.
    pub text: String,
    /// Since when.
    pub since: Date,
}

/// A day on which somebody has to look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUp {
    /// The entry that says so.
    pub n: u32,
    /// The day.
    pub on: Date,
    /// What it is about.
    pub text: String,
}

impl CaseFile {
    /// Returns the number of the entry of which this one is a version: the first of the chain of corrections.
    fn root(&self, n: u32) -> u32 {
        let corrected = self.entry(n).and_then(|entry| entry.said.corrects);
        // An entry corrects an older one alone, so that this ends.
        match corrected {
            Some(older) if older < n => self.root(older),
            Some(_) | None => n,
        }
    }

    /// Returns an entry.
    #[must_use]
    pub fn entry(&self, n: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.n == n)
    }

    /// Returns the number of the entry that stands in for this one, if one does.
    #[must_use]
    pub fn replaced_by(&self, n: u32) -> Option<u32> {
        let newer = self
            .entries
            .iter()
            .find(|entry| entry.said.corrects == Some(n));
        newer.map(|entry| entry.n)
    }

    /// Returns the entries that count: none that was corrected or is void.
    pub fn standing(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| {
            entry.said.kind != EntryKind::Void && self.replaced_by(entry.n).is_none()
        })
    }

    /// Whether somebody still works on it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let mut turns = self.entries.iter().rev().map(|entry| entry.said.kind);
        turns.find(|kind| matches!(kind, EntryKind::Close | EntryKind::Reopen))
            != Some(EntryKind::Close)
    }

    /// Returns the questions without an answer, the oldest first.
    #[must_use]
    pub fn open_questions(&self) -> Vec<OpenQuestion> {
        self.questions_beside(None)
    }

    /// Returns the days on which somebody has to look again, the nearest first.
    #[must_use]
    pub fn follow_ups(&self) -> Vec<FollowUp> {
        self.follow_ups_beside(None)
    }

    /// What is settled by entries that count; `beside` is one about to be corrected.
    fn settled(&self, beside: Option<u32>) -> (BTreeSet<u32>, BTreeSet<&Settled>) {
        let counting = self.standing().filter(|entry| Some(entry.n) != beside);
        let (mut roots, mut packages) = (BTreeSet::new(), BTreeSet::new());
        for settled in counting.filter_map(|entry| entry.said.settles.as_ref()) {
            match settled {
                Settled::Entry(n) => {
                    roots.insert(self.root(*n));
                }
                Settled::Package(_) => {
                    packages.insert(settled);
                }
            }
        }
        (roots, packages)
    }

    fn questions_beside(&self, beside: Option<u32>) -> Vec<OpenQuestion> {
        let (roots, packages) = self.settled(beside);
        let asked = |entry: &&Entry| {
            entry.said.kind == EntryKind::Question && !roots.contains(&self.root(entry.n))
        };
        let entered = self.standing().filter(asked).map(|entry| OpenQuestion {
            what: Settled::Entry(entry.n),
            text: entry.said.text.clone(),
            since: entry.said.on,
        });
        let sent = self.letters.iter().filter_map(|letter| {
            let what = Settled::Package(letter.id.clone());
            let open =
                letter.is_question() && !self.is_answered(letter) && !packages.contains(&what);
            let since = japan().to_datetime(letter.made_at).date();
            open.then(|| OpenQuestion { what, text: letter.subject.clone(), since })
        });
        let mut open: Vec<OpenQuestion> = entered.chain(sent).collect();
        open.sort_by_key(|question| question.since);
        open
    }

    /// Whether a package of the other side answers a question of ours.
    #[must_use]
    pub fn is_answered(&self, question: &Letter) -> bool {
        self.letters.iter().any(|letter| {
            letter.came
                && letter.kind == PackageKind::Answer
                && letter.reply_to.as_ref() == Some(&question.id)
        })
    }

    fn follow_ups_beside(&self, beside: Option<u32>) -> Vec<FollowUp> {
        let (roots, _) = self.settled(beside);
        let due = self
            .standing()
            .filter(|entry| !roots.contains(&self.root(entry.n)));
        let mut due: Vec<FollowUp> = due
            .filter_map(|entry| {
                let text = entry.said.text.clone();
                entry
                    .said
                    .follow_up
                    .map(|on| FollowUp { n: entry.n, on, text })
            })
            .collect();
        due.sort_by_key(|follow_up| (follow_up.on, follow_up.n));
        due
    }

    /// Checks what a person entered on a day.
    ///
    /// # Errors
    /// Says what cannot stand.
    pub fn check(&self, said: &Statement, today: Date) -> Result<(), Refusal> {
        match (said.kind, self.is_open()) {
            (EntryKind::Reopen, true) => return Err(Refusal::NotClosed),
            (EntryKind::Reopen, false) => {}
            (_, false) => return Err(Refusal::Closed),
            (_, true) => {}
        }
        if is_no_text(&said.text) {
            return Err(Refusal::Text);
        }
        if !said.legal_basis.is_empty() && line_problem(&said.legal_basis, NAME_MAX_CHARS).is_some()
        {
            return Err(Refusal::Line);
        }
        if today < said.on {
            return Err(Refusal::Ahead);
        }
        if said.follow_up.is_some_and(|day| day < said.on) {
            return Err(Refusal::FollowUpBefore);
        }
        self.check_source(&said.source)?;
        self.check_relations(said)?;
        let ends = !self.open_questions().is_empty() || !self.follow_ups().is_empty();
        if said.kind == EntryKind::Close && ends {
            return Err(Refusal::OpenEnds);
        }

        Ok(())
    }

    fn check_source(&self, source: &Source) -> Result<(), Refusal> {
        match source {
            Source::Told { by: named } | Source::Page { at: named } => {
                match line_problem(named, NAME_MAX_CHARS) {
                    Some(_) => Err(Refusal::Sourceless),
                    None => Ok(()),
                }
            }
            Source::Package { id } if self.letters.iter().any(|letter| letter.id == *id) => Ok(()),
            Source::Package { .. } => Err(Refusal::OtherPackage),
            Source::Own => Ok(()),
        }
    }

    fn check_relations(&self, said: &Statement) -> Result<(), Refusal> {
        let bare = said.follow_up.is_none() && said.settles.is_none();
        match said.kind {
            EntryKind::Close | EntryKind::Reopen if !bare || said.corrects.is_some() => {
                return Err(Refusal::Unfit);
            }
            EntryKind::Void if !bare => return Err(Refusal::Unfit),
            EntryKind::Void if said.corrects.is_none() => return Err(Refusal::NothingToCorrect),
            EntryKind::Answer if said.settles.is_none() => return Err(Refusal::AnswersNothing),
            EntryKind::Fact
            | EntryKind::Question
            | EntryKind::Answer
            | EntryKind::Guidance
            | EntryKind::Void
            | EntryKind::Close
            | EntryKind::Reopen => {}
        }
        if said.corrects.is_some_and(|n| !self.may_be_corrected(n)) {
            return Err(Refusal::NothingToCorrect);
        }
        let Some(settles) = &said.settles else { return Ok(()) };
        let asked = self
            .questions_beside(said.corrects)
            .iter()
            .any(|question| question.what == *settles);
        let due = self
            .follow_ups_beside(said.corrects)
            .iter()
            .any(|due| Settled::Entry(due.n) == *settles);
        let own = said.corrects.is_some_and(|n| Settled::Entry(n) == *settles);
        if said.kind == EntryKind::Answer && !asked {
            return Err(Refusal::AnswersNothing);
        }
        if own || !(asked || due) {
            return Err(Refusal::NothingToSettle);
        }

        Ok(())
    }

    /// Whether an entry counts and can be corrected: a closing is undone by reopening.
    #[must_use]
    pub fn may_be_corrected(&self, n: u32) -> bool {
        self.standing().any(|entry| {
            entry.n == n && !matches!(entry.said.kind, EntryKind::Close | EntryKind::Reopen)
        })
    }
}

impl Letter {
    /// Whether it asks the other side something.
    #[must_use]
    pub fn is_question(&self) -> bool {
        !self.came && self.kind == PackageKind::Question
    }
}
