//! What a profile must keep beyond its shape.

use shirase_shared::config::{Checked, Problem};

use super::{Body, Confidence, Contact, Profile, Words};
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
        if self.fields.is_empty() {
            problems.push(Problem::of("fields", "is empty", "list the numbers of the fields"));
        }
        for (index, field) in self.fields.iter().enumerate() {
            let earlier = self.fields.iter().take(index).any(|other| other == field);
            if earlier || self.annexes.contains(field) {
                let message = format!("names field {} twice", field.number());
                problems.push(Problem::of("fields", message, "keep it once"));
            }
        }
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
        if self.contacts.is_empty() {
            problems.push(Problem::of("contacts", "is empty", "name at least one office"));
        }
        for (index, contact) in self.contacts.iter().enumerate() {
            problems.extend(of_contact(&format!("contacts.{index}"), contact));
        }
        problems
    }
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
