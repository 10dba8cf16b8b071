//! Lays one set of settings over another.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::key::{KeyKind, PolicyKey};

/// Two sets of settings, one over the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    /// Everything of the upper one, filled and added to from the lower.
    pub table: Table,
    /// Keys of which the lower one says something else.
    pub differing: BTreeSet<PolicyKey>,
}

/// Lays `over` over `under`. Of `under` only the keys a policy may set are looked at.
#[must_use]
pub fn lay(over: &Table, under: &Table) -> Laid {
    let mut laid = Laid { table: over.clone(), differing: BTreeSet::new() };
    for key in PolicyKey::ALL {
        let Some(theirs) = find(under, key) else { continue };
        let Some(ours) = find(over, key) else {
            put(&mut laid.table, key, theirs.clone());
            continue;
        };
        let (value, differs) = match (key.kind(), ours, theirs) {
            (KeyKind::Names, Value::Array(ours), Value::Array(theirs)) => {
                let new = theirs.iter().filter(|name| !ours.contains(name));
                (Value::Array(ours.iter().chain(new).cloned().collect()), false)
            }
            (KeyKind::Entries(fields), Value::Array(ours), Value::Array(theirs)) => {
                entries(fields, ours, theirs)
            }
            (KeyKind::Single | KeyKind::Names | KeyKind::Entries(_), ours, theirs) => {
                (ours.clone(), ours != theirs)
            }
        };
        put(&mut laid.table, key, value);
        if differs {
            laid.differing.insert(key);
        }
    }
    laid
}

/// Adds the entries that are new, and says whether one that is not new says something else.
fn entries(fields: &[&str], ours: &[Value], theirs: &[Value]) -> (Value, bool) {
    let mut all = ours.to_vec();
    let mut differs = false;
    for entry in theirs {
        match ours.iter().find(|own| is_same(fields, own, entry)) {
            Some(own) => differs |= !agrees(own, entry),
            None => all.push(entry.clone()),
        }
    }
    (Value::Array(all), differs)
}

/// Whether two entries are about the same thing.
fn is_same(fields: &[&str], one: &Value, other: &Value) -> bool {
    let same = |field: &&str| match (one.get(field), other.get(field)) {
        (Some(Value::String(one)), Some(Value::String(other))) if *field == "path" => {
            Path::new(one) == Path::new(other)
        }
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => false,
    };
    fields.iter().any(same)
}

/// Whether an entry says everything the other does. It may say more.
fn agrees(own: &Value, other: &Value) -> bool {
    let Some(other) = other.as_table() else { return own == other };
    let same = |(name, value): (&String, &Value)| match (own.get(name), value) {
        (Some(Value::String(one)), Value::String(two)) if name == "path" => {
            Path::new(one) == Path::new(two)
        }
        (Some(one), two) => one == two,
        (None, _) => false,
    };
    other.iter().all(same)
}

/// Takes away single values that are as `default` has them: whoever wrote the whole commented file said nothing by it.
#[must_use]
pub fn without_defaults(table: &Table, default: &Table) -> Table {
    let mut left = table.clone();
    let singles = PolicyKey::ALL
        .into_iter()
        .filter(|key| key.kind() == KeyKind::Single);
    for key in singles {
        if find(table, key).is_some() && find(table, key) == find(default, key) {
            take(&mut left, key);
        }
    }
    left
}

fn take(table: &mut Table, key: PolicyKey) {
    let mut here = table;
    let mut parts = key.as_str().split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            here.remove(part);
            return;
        }
        let Some(next) = here.get_mut(part).and_then(Value::as_table_mut) else { return };
        here = next;
    }
}

fn find(table: &Table, key: PolicyKey) -> Option<&Value> {
    let (first, rest) = key.as_str().split_once('.')?;
    let mut here = table.get(first)?;
    for part in rest.split('.') {
        here = here.get(part)?;
    }
    Some(here)
}

fn put(table: &mut Table, key: PolicyKey, value: Value) {
    let mut here = table;
    let mut parts = key.as_str().split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            here.insert(part.to_owned(), value);
            return;
        }
        let next = here
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()));
        // What is no table was refused when the text was read.
        let Some(next) = next.as_table_mut() else { return };
        here = next;
    }
}

/// Where what is in force under a key comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Values of the host's own file; 1 for a single one.
    pub file: usize,
    /// Values of the policy beside or in place of them.
    pub policy: usize,
}

/// Says where what is in force under a key comes from. Neither: it is the default.
#[must_use]
pub fn source(key: PolicyKey, file: &Table, laid: &Table) -> Source {
    let count = |value: &Value| match (key.kind(), value) {
        (KeyKind::Names | KeyKind::Entries(_), Value::Array(list)) => list.len(),
        (KeyKind::Single | KeyKind::Names | KeyKind::Entries(_), _) => 1,
    };
    let own = find(file, key).map_or(0, count);
    let all = find(laid, key).map_or(0, count);

    Source { file: own, policy: all.saturating_sub(own) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn the_upper_word_stands_and_lists_add_up() {
        let over = table(
            "[agent]\nstate_dir = '/s'\ncpu_budget_percent = 10\n\
             [[sensors.roots]]\npath = '/srv/ehr/'\npatient_data = false\n\
             [[sensors.services]]\nname = 'a'\n[sensors.protection]\nguards = ['x']\n",
        );
        let under = table(
            "[agent]\ncpu_budget_percent = 20\nmemory_budget_mib = 99\n\
             [[sensors.roots]]\npath = '/srv/ehr'\n[[sensors.roots]]\npath = '/srv/pacs'\nlabel = 'pacs'\n\
             [[sensors.services]]\nname = 'a'\ngrace_secs = 9\n[sensors.protection]\nguards = ['x', 'y']\n\
             [uplink]\ncollector_url = 'https://evil.example'\n",
        );
        let laid = lay(&over, &under);
        let expected = table(
            "[agent]\nstate_dir = '/s'\ncpu_budget_percent = 10\nmemory_budget_mib = 99\n\
             [[sensors.roots]]\npath = '/srv/ehr/'\npatient_data = false\n\
             [[sensors.roots]]\npath = '/srv/pacs'\nlabel = 'pacs'\n\
             [[sensors.services]]\nname = 'a'\n[sensors.protection]\nguards = ['x', 'y']\n",
        );
        assert_eq!(laid.table, expected);
        let differing: Vec<_> = laid.differing.into_iter().collect();
        assert_eq!(differing, [PolicyKey::CpuBudget, PolicyKey::Services]);
        let of = |key| source(key, &over, &laid.table);
        assert_eq!(of(PolicyKey::CpuBudget), Source { file: 1, policy: 0 });
        assert_eq!(of(PolicyKey::MemoryBudget), Source { file: 0, policy: 1 });
        assert_eq!(of(PolicyKey::Roots), Source { file: 1, policy: 1 });
        assert_eq!(of(PolicyKey::Jobs), Source::default());
    }

    #[test]
    fn a_root_under_another_path_does_not_take_over_a_label() {
        let over = table("[[sensors.roots]]\npath = '/srv/ehr'\nlabel = 'ehr'\n");
        let under = table("[[sensors.roots]]\npath = '/srv/other'\nlabel = 'ehr'\n");
        let laid = lay(&over, &under);
        assert_eq!(laid.table, over);
        assert!(laid.differing.contains(&PolicyKey::Roots));
    }

    #[test]
    fn nothing_under_it_changes_nothing() {
        let over = table("[agent]\ncpu_budget_percent = 10\n");
        assert_eq!(lay(&over, &Table::new()), Laid { table: over, differing: BTreeSet::new() });
    }
}
