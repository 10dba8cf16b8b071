//! What a profile must keep beyond its shape.

use shirase_shared::config::{Checked, Problem};

use super::{
    Body, Confidence, Contact, Counting, DeadlineRule, Profile, RunsFrom, TermKind, Words,
};
use crate::reports::fields::Field;

/// Words with which a document would claim to be an addressee's own form.
const CLAIMS: &[&str] = &["公式", "指定様式", "共通様式", "official form", "official format"];

impl Checked for Body {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || !self.id.chars().all(plain) {
            problems.push(Problem::of("id", "is not a plain name", "use a-z, 0-9 and -"));
        }
        problems.extend(self.field_problems());
        for number in self.labels.keys() {
            if number.parse().ok().and_then(Field::from_number).is_none() {
                let message = format!("`{number}` is not the number of a field");
                problems.push(Problem::of(
                    "labels",
                    message,
                    "use a number that stands in `fields`",
                ));
            }
        }
        problems.extend(words("title", &self.title));
        problems.extend(words("opening", &self.opening));
        let title = format!("{} {}", self.title.ja, self.title.en.to_lowercase());
        if CLAIMS.iter().any(|claim| title.contains(claim)) {
            problems.push(Problem::of(
                "title.ja",
                "claims to be an addressee's own form",
                "name the document by its purpose; no rendering here is an official format",
            ));
        }
        problems.extend(source("duty", &self.duty.source_url));
        for (index, deadline) in self.deadlines.iter().enumerate() {
            let mut earlier = self.deadlines.iter().take(index);
            if earlier.any(|other| other.id == deadline.id) {
                let key = format!("deadlines.{index}.id");
                problems.push(Problem::of(&key, "stands twice", "give each deadline its own name"));
            }
            problems.extend(of_deadline(&format!("deadlines.{index}"), deadline));
        }
        if self.applies.any.iter().any(Vec::is_empty) {
            let remedy = "name at least one condition in each group, or remove `applies`";
            problems.push(Problem::of("applies.any", "has an empty group", remedy));
        }
        if self.valid_to.is_some_and(|last| last < self.valid_from) {
            let remedy = "correct one of the two dates";
            problems.push(Problem::of("valid_to", "lies before `valid_from`", remedy));
        }
        if let Err(problem) = self.approval.check() {
            let remedy = "use 1 to 9 approvers and at most 10080 minutes";
            problems.push(Problem::of("approval", problem.to_string(), remedy));
        }
        if self.approval.named.is_some() {
            let remedy =
                "name approvers and deputies in the facility's settings, where accounts are known";
            problems.push(Problem::of("approval.named", "names people", remedy));
        }
        if self.contacts.is_empty() {
            problems.push(Problem::of("contacts", "is empty", "name at least one office"));
        }
        for (index, contact) in self.contacts.iter().enumerate() {
            problems.extend(of_contact(&format!("contacts.{index}"), contact));
        }
        problems
    }
}

impl Body {
    fn field_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        match (self.fields.is_empty(), self.groups.is_empty()) {
            (false, false) => problems.push(Problem::of(
                "fields",
                "stands beside `groups`",
                "keep `fields`, or `groups` with headings, not both",
            )),
            (true, true) => {
                problems.push(Problem::of("fields", "is empty", "list the numbers of the fields"))
            }
            (false, true) | (true, false) => {}
        }
        let grouped = self.groups.iter().flat_map(|group| &group.fields);
        let listed: Vec<Field> = self.fields.iter().chain(grouped).copied().collect();
        let key = if self.fields.is_empty() { "groups.0.fields" } else { "fields" };
        for (index, field) in listed.iter().enumerate() {
            let earlier = listed.iter().take(index).any(|other| other == field);
            if earlier || self.annexes.contains(field) {
                let message = format!("names field {} twice", field.number());
                problems.push(Problem::of(key, message, "keep it once"));
            }
        }
        for (index, group) in self.groups.iter().enumerate() {
            problems.extend(words(&format!("groups.{index}.heading"), &group.heading));
            if group.fields.is_empty() {
                let key = format!("groups.{index}.fields");
                let remedy = "list the numbers of the fields under this heading";
                problems.push(Problem::of(&key, "is empty", remedy));
            }
        }
        problems
    }
}

fn of_deadline(key: &str, deadline: &DeadlineRule) -> Vec<Problem> {
    let mut problems: Vec<Problem> = words(&format!("{key}.label"), &deadline.label).collect();
    problems.extend(source(key, &deadline.source_url));
    let amounts = [deadline.hours, deadline.days, deadline.months];
    let given = amounts.iter().flatten().count();
    let mut say = |name: &str, message: &str, remedy: &str| {
        problems.push(Problem::of(&format!("{key}.{name}"), message, remedy));
    };
    match (deadline.term, given) {
        (TermKind::Promptly, 0) | (TermKind::Limit | TermKind::Guide, 1) => {}
        (TermKind::Promptly, _) => {
            say("term", "is a word without a number", "remove `hours`, `days` and `months`");
        }
        (TermKind::Limit | TermKind::Guide, 0) => {
            say("term", "has no number", "give `hours`, `days` or `months`, or write `promptly`");
        }
        (TermKind::Limit | TermKind::Guide, _) => {
            say("term", "has several numbers", "keep one of `hours`, `days` and `months`");
        }
    }
    let strange = |number: &&u32| **number == 0 || 3660 < **number;
    if amounts.iter().flatten().any(|number| strange(&number)) {
        say("term", "is 0 or longer than ten years", "give a number from 1 to 3660");
    }
    if deadline.counting == Counting::FirstDayIsOne && deadline.days.is_none() {
        say("counting", "counts days, but none are given", "give `days`, or remove the line");
    }
    if deadline.runs_from == RunsFrom::YearEnd && deadline.days.is_none() {
        say("runs_from", "counts days after the year's end", "give `days`");
    }
    let shares = &deadline.warn_at_percent;
    let rising = shares
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a < b));
    if !rising || shares.iter().any(|share| *share == 0 || 99 < *share) {
        say("warn_at_percent", "is no rising list", "give per cents between 1 and 99, rising");
    }
    problems
}

/// Checks that a file is called as the profile in it.
pub(super) fn name(file: &str, profile: Profile) -> Result<Profile, Vec<Problem>> {
    let expected = format!("{}.toml", profile.body.id);
    if file != expected {
        let message = format!("is `{}`, but the file is called `{file}`", profile.body.id);
        return Err(vec![Problem::of("id", message, format!("rename the file to `{expected}`"))]);
    }

    Ok(profile)
}

fn of_contact(key: &str, contact: &Contact) -> Vec<Problem> {
    let mut problems: Vec<Problem> = words(&format!("{key}.office"), &contact.office).collect();
    problems.extend(source(key, &contact.source_url));
    if contact.confidence != Confidence::Confirmed {
        for (name, value) in [("phone", &contact.phone), ("mail", &contact.mail)] {
            if !value.is_empty() {
                problems.push(Problem::of(
                    &format!("{key}.{name}"),
                    "is given although nobody confirmed it",
                    "call it once, then set `confidence = \"confirmed\"` and `last_verified`; or leave it empty",
                ));
            }
        }
    }
    if contact
        .valid_to
        .is_some_and(|last| last < contact.valid_from)
    {
        problems.push(Problem::of(
            &format!("{key}.valid_to"),
            "lies before `valid_from`",
            "correct one of the two dates",
        ));
    }
    problems
}

fn words(key: &str, words: &Words) -> impl Iterator<Item = Problem> {
    [("ja", &words.ja), ("en", &words.en)]
        .into_iter()
        .filter(|(_, text)| text.trim().is_empty())
        .map(|(lang, _)| Problem::of(&format!("{key}.{lang}"), "is empty", "give the text"))
        .collect::<Vec<_>>()
        .into_iter()
}

fn source(key: &str, url: &str) -> Option<Problem> {
    let wrong = !url.starts_with("https://") && !url.starts_with("http://");
    wrong.then(|| {
        Problem::of(
            &format!("{key}.source_url"),
            "is not an address",
            "say where it was read: https://…",
        )
    })
}
