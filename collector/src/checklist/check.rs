//! What a checklist must keep beyond its shape.

use std::collections::BTreeSet;

use shirase_shared::config::{Checked, Problem};

use super::list::{Body, Checklist, Item};
use crate::reports::profile::Words;

impl Checked for Body {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !is_plain(&self.id) {
            problems.push(Problem::of("id", "is not a plain name", "use a-z, 0-9 and -"));
        }
        if self.valid_to < self.valid_from {
            let remedy = "correct one of the two dates";
            problems.push(Problem::of("valid_to", "lies before `valid_from`", remedy));
        }
        if self.valid_from.year() != self.fiscal_year {
            let message = format!("is {}, but `valid_from` lies in another year", self.fiscal_year);
            problems.push(Problem::of("fiscal_year", message, "correct one of the two"));
        }
        if !self.source_url.starts_with("https://") && !self.source_url.starts_with("http://") {
            let remedy = "say where it was read: https://…";
            problems.push(Problem::of("source_url", "is not an address", remedy));
        }
        for (key, said) in
            [("title", &self.title), ("note", &self.note), ("vendor_note", &self.vendor_note)]
        {
            problems.extend(words(key, "", said));
        }
        problems.extend(self.group_problems());
        if self.items.is_empty() {
            problems.push(Problem::of("items", "are missing", "give at least one `[[items]]`"));
        }
        for (index, item) in self.items.iter().enumerate() {
            problems.extend(self.item_problems(index, item));
        }
        problems
    }
}

impl Body {
    fn group_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            let key = format!("groups.{index}");
            problems.extend(words(&format!("{key}.heading"), &group.id, &group.heading));
            let mut say = |message: String, remedy: &str| {
                problems.push(Problem::of(&format!("{key}.id"), message, remedy));
            };
            if self
                .groups
                .iter()
                .take(index)
                .any(|other| other.id == group.id)
            {
                say(format!("`{}` stands twice", group.id), "give each group a name of its own");
            }
            if self.items.iter().all(|item| item.group != group.id) {
                let message = format!("`{}` has no items", group.id);
                say(message, "remove the group, or say `group` at its items");
            }
        }
        problems
    }

    fn item_problems(&self, index: usize, item: &Item) -> Vec<Problem> {
        let key = format!("items.{index}");
        let mut problems = words(&format!("{key}.text"), &item.id, &item.text);
        let mut say = |name: &str, message: &str, remedy: &str| {
            let message = format!("item `{}`: {message}", item.id);
            problems.push(Problem::of(&format!("{key}.{name}"), message, remedy));
        };
        if !is_plain(&item.id) {
            say("id", "is not a plain name", "use a-z, 0-9 and -");
        }
        let earlier = || self.items.iter().take(index);
        if earlier().any(|other| other.id == item.id) {
            say("id", "stands twice", "give each item a name of its own");
        }
        if item.number.trim().is_empty() {
            say("number", "is empty", "give its number on paper");
        } else if earlier().any(|other| other.number == item.number) {
            say("number", "another item has the same number", "give each item its own number");
        }
        if self.groups.iter().all(|group| group.id != item.group) {
            let message = format!("there is no group `{}`", item.group);
            say("group", &message, "name one of `[[groups]]`, or add it");
        }
        if item.sheets.is_empty() {
            say("sheets", "stands on no sheet", "name `institution`, `vendor` or both");
        } else if repeats(&item.sheets) {
            say("sheets", "names a sheet twice", "keep it once");
        }
        if repeats(&item.evidence) {
            say("evidence", "names something twice", "keep it once");
        }
        for name in item.follows.iter().flatten() {
            if !is_plain(name) {
                let message = format!("`{name}` is not the name of an item");
                say("follows", &message, "name items of the year before, as `id` has them");
            }
        }
        if item.follows.as_deref().is_some_and(repeats) {
            say("follows", "names an item twice", "keep it once");
        }
        problems
    }
}

fn repeats<T: Ord>(list: &[T]) -> bool {
    list.iter().collect::<BTreeSet<_>>().len() < list.len()
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 40 && name.chars().all(plain)
}

fn words(key: &str, of: &str, words: &Words) -> Vec<Problem> {
    let whose = if of.is_empty() { String::new() } else { format!("`{of}`: ") };
    [("ja", &words.ja), ("en", &words.en)]
        .into_iter()
        .filter(|(_, text)| text.trim().is_empty())
        .map(|(lang, _)| {
            Problem::of(&format!("{key}.{lang}"), format!("{whose}is empty"), "give the text")
        })
        .collect()
}

/// Checks that a file is called as the list in it.
pub(super) fn name(file: &str, list: Checklist) -> Result<Checklist, Vec<Problem>> {
    let expected = format!("{}.toml", list.body.id);
    if file != expected {
        let message = format!("is `{}`, but the file is called `{file}`", list.body.id);
        return Err(vec![Problem::of("id", message, format!("rename the file to `{expected}`"))]);
    }

    Ok(list)
}

/// Checks that no other list is for the same year.
pub(super) fn year<'a>(
    list: Checklist,
    mut others: impl Iterator<Item = &'a Checklist>,
) -> Result<Checklist, Vec<Problem>> {
    let Body { id, fiscal_year, .. } = &list.body;
    let twin = others.find(|other| other.body.fiscal_year == *fiscal_year && other.body.id != *id);
    if let Some(twin) = twin {
        let message = format!("is {fiscal_year}, which `{}` is for already", twin.body.id);
        let remedy = format!("call this one `{}` to take its place", twin.body.id);
        return Err(vec![Problem::of("fiscal_year", message, remedy)]);
    }

    Ok(list)
}
