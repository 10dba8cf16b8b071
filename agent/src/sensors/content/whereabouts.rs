//! Finds where the files of several changes are after the last of them: a rename takes a file along, a deletion ends it.
//!
//! Always holds: pure. What is not told here (a directory that was renamed meanwhile) is found missing by who looks.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use super::Change;
use crate::observation::{Fact, FileChange, Operation};

/// Where the file of a change is by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Now {
    /// Where it was then.
    There,
    /// Elsewhere: a later change renamed it.
    Moved(PathBuf),
    /// Nowhere: a later change removed it, or another file has its name.
    Gone,
}

/// The same by the index of the change that brought it there.
#[derive(Clone, Copy)]
enum Later {
    Moved(usize),
    Gone,
}

/// Returns where the file of each change is after all of them.
pub(super) fn whereabouts(changes: &[Change]) -> Vec<Now> {
    let mut found = vec![Now::There; changes.len()];
    let mut later: HashMap<(&str, &OsStr), Later> = HashMap::new();
    for (index, file) in changes.iter().map(file).enumerate().rev() {
        let Some(file) = file else { continue };
        let label = file.root.label.as_str();
        let name = (label, file.below.as_os_str());
        match later.get(&name) {
            None => {}
            Some(Later::Gone) => put(&mut found, index, Now::Gone),
            Some(Later::Moved(by)) => {
                let now = changes.get(*by).and_then(self::file).map(FileChange::path);
                put(&mut found, index, now.map_or(Now::Gone, Now::Moved));
            }
        }
        match &file.operation {
            Operation::Renamed { from } => {
                // Whatever had the new name before this is gone.
                let after = later.insert(name, Later::Gone);
                later.insert((label, from.as_os_str()), after.unwrap_or(Later::Moved(index)));
            }
            Operation::Deleted | Operation::MovedOut => {
                later.insert(name, Later::Gone);
            }
            Operation::Created | Operation::Written | Operation::DirectoryRenamed { .. } => {}
        }
    }
    found
}

fn put(found: &mut [Now], index: usize, now: Now) {
    if let Some(place) = found.get_mut(index) {
        *place = now;
    }
}

fn file(change: &Change) -> Option<&FileChange> {
    let Fact::File(file) = &change.observation.fact else { return None };
    Some(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shirase_shared::redact::Names;
    use shirase_shared::testing::builders::moment;

    use super::*;
    use crate::observation::{Observation, Root};
    use crate::sensors::content::Writer;

    /// Each change as `w a`, `d a`, `c a` or `r a b`, each answer as `there`, `gone` or the path.
    #[track_caller]
    fn check(story: &[(&str, &str)]) {
        let path = std::path::absolute("/r").unwrap();
        let root = Arc::new(Root { label: "r".to_owned(), path, names: Names::Hidden });
        let change = |words: &str| {
            let words: Vec<_> = words.split(' ').collect();
            let (below, operation) = match words.as_slice() {
                ["w", path] => (path, Operation::Written),
                ["d", path] => (path, Operation::Deleted),
                ["c", path] => (path, Operation::Created),
                ["r", from, to] => (to, Operation::Renamed { from: from.into() }),
                other => panic!("{other:?}"),
            };
            let file = FileChange::new(root.clone(), below.into(), operation);
            let observation = Observation { at: moment(0), fact: Fact::File(file) };
            Change { observation, writer: Writer::Done }
        };
        let changes: Vec<_> = story.iter().map(|(words, _)| change(words)).collect();
        let said = whereabouts(&changes).into_iter().map(|now| match now {
            Now::There => "there".to_owned(),
            Now::Moved(to) => to.strip_prefix(&root.path).unwrap().display().to_string(),
            Now::Gone => "gone".to_owned(),
        });
        let expected: Vec<_> = story.iter().map(|(_, now)| (*now).to_owned()).collect();
        assert_eq!(said.collect::<Vec<_>>(), expected, "{story:?}");
    }

    #[test]
    fn a_file_is_followed_through_its_later_names() {
        check(&[("w a", "there")]);
        check(&[("w a", "c"), ("r a b", "c"), ("w b", "c"), ("r b c", "there")]);
        check(&[("w a", "a"), ("r a b", "a"), ("r b a", "there"), ("w a", "there")]);
        check(&[("c a", "gone"), ("w a", "gone"), ("d a", "there"), ("w a", "there")]);
        check(&[("w b", "gone"), ("w a", "b"), ("r a b", "there"), ("w b", "there")]);
        check(&[("r a b", "gone"), ("r c b", "gone"), ("d b", "there")]);
    }
}
