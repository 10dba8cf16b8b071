//! Reads a configuration file and names every mistake in it, not only the first.
//!
//! The parser stops at the first mistake; so [`parse`] notes it, blanks the lines it stands on and reads again,
//! until the rest is clean. Line numbers stay true because lines are blanked, never removed. [`parse_known`] reads what
//! another version wrote.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::DeserializeOwned;

/// Mistakes reported at the most; a file with more is probably not a configuration at all.
const PROBLEMS_MAX: usize = 50;

/// One mistake in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, counted from 1; 0 when it concerns the file as a whole.
    pub line: usize,
    /// The key concerned, dotted, or empty.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if 0 < self.line {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

/// A configuration that can tell what is wrong with its values taken together.
pub trait Checked {
    /// Returns every rule the values break. `key` is dotted as in the file; lines are filled in by [`parse`].
    fn problems(&self) -> Vec<Problem>;
}

/// What is left of a configuration without what this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<T> {
    /// The rest.
    pub config: T,
    /// The text it was read from, what was left out blanked.
    pub text: String,
    /// What was left out, in the order of lines.
    pub left_out: Vec<Problem>,
}

impl Problem {
    /// A broken rule about one key, its line still unknown.
    #[must_use]
    pub fn of(key: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { line: 0, key: key.to_owned(), message: message.into(), remedy: remedy.into() }
    }
}

/// Reads a configuration.
///
/// # Errors
/// Returns every mistake found, in the order of lines.
pub fn parse<T: DeserializeOwned + Checked>(text: &str) -> Result<T, Vec<Problem>> {
    match read(text) {
        (Some(Known { config, .. }), problems) if problems.is_empty() => Ok(config),
        (_, problems) => Err(problems),
    }
}

/// Reads a configuration that another version found good: settings and values this one does not know are left out, and
/// with them the entry of a list that breaks a rule without them.
///
/// # Errors
/// Returns every mistake found, in the order of lines, if there is any of another kind.
pub fn parse_known<T: DeserializeOwned + Checked>(text: &str) -> Result<Known<T>, Vec<Problem>> {
    let (known, problems) = read::<T>(text);
    let Some(known) = known else { return Err(problems) };
    if problems == known.left_out {
        return Ok(known);
    }
    match read::<T>(&without_broken_entries(text, &problems, &known.left_out)) {
        (Some(rest), found) if found == rest.left_out => {
            Ok(Known { left_out: known.left_out, ..rest })
        }
        _ => Err(problems),
    }
}

/// Empties the lines of each entry of a list of which something was left out, and of which the rest breaks a rule.
fn without_broken_entries(text: &str, problems: &[Problem], left_out: &[Problem]) -> String {
    let lines: Vec<_> = text.lines().collect();
    let is_head = |line: &str| line.trim_start().starts_with('[');
    let entry_of = |problem: &Problem| {
        let before = lines.get(..problem.line)?;
        let head = before.iter().rposition(|line| is_head(line))?;
        let is_entry = |line: &&str| line.trim_start().starts_with("[[");
        before.get(head).is_some_and(is_entry).then_some(head)
    };
    let unknown: BTreeSet<_> = left_out.iter().filter_map(entry_of).collect();
    let others = problems
        .iter()
        .filter(|problem| !left_out.contains(problem));
    let broken: BTreeSet<_> = others.filter_map(entry_of).collect();
    let mut goes = false;
    let kept = lines.iter().enumerate().map(|(at, line)| {
        if is_head(line) {
            goes = unknown.contains(&at) && broken.contains(&at);
        }
        if goes { "" } else { line }
    });

    kept.collect::<Vec<_>>().join("\n")
}

/// Reads as much as can be read, and finds every mistake, in the order of lines.
fn read<T: DeserializeOwned + Checked>(text: &str) -> (Option<Known<T>>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut gone = BTreeSet::new();
    let mut rest = text.to_owned();
    let parsed = loop {
        let error = match toml::from_str::<T>(&rest) {
            Ok(parsed) => break Some(parsed),
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let problem = describe(text, span.start, error.message());
        let seen = problems.contains(&problem);
        // What was blanked after a mistake is missing from then on, and that is no second mistake.
        let follows = missing_field(&problem.message).is_some_and(|name| gone.contains(name));
        if !seen && !follows {
            problems.push(problem);
        }
        let blanked = blank(&rest, span);
        gone.extend(names_lost(&rest, &blanked));
        if seen || blanked == rest || PROBLEMS_MAX <= problems.len() {
            break None;
        }
        rest = blanked;
    };
    if let Some(config) = &parsed {
        // A value that did not read was replaced by its default, and what follows from that is no second mistake.
        let unread: Vec<_> = problems.iter().map(|problem| problem.line).collect();
        let placed = config.problems().into_iter().map(|mut problem| {
            problem.line = line_of_key(text, &problem.key);
            problem
        });
        problems.extend(placed.filter(|problem| !unread.contains(&problem.line)));
    }
    problems.sort_by_key(|problem| problem.line);
    let known = parsed.map(|config| {
        let unknown = problems
            .iter()
            .filter(|problem| problem.message.starts_with("unknown "));
        Known { config, text: rest, left_out: unknown.cloned().collect() }
    });

    (known, problems)
}

fn describe(text: &str, offset: usize, message: &str) -> Problem {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let source = text.lines().nth(line - 1).unwrap_or_default();
    let key = source
        .split('=')
        .next()
        .filter(|key| !key.trim_start().starts_with('#'))
        .unwrap_or_default()
        .trim()
        .trim_matches(['[', ']']);
    let message = message.lines().next().unwrap_or_default().to_owned();
    let remedy = if message.starts_with("unknown field") {
        "correct its spelling or remove the line".to_owned()
    } else if message.starts_with("missing field") {
        "add it; `config` prints a commented example".to_owned()
    } else if message.starts_with("invalid type") || message.starts_with("unknown variant") {
        "give a value of the kind it names".to_owned()
    } else if message.starts_with("duplicate key") {
        "keep one of the two lines".to_owned()
    } else {
        "`config` prints every key with its legal values".to_owned()
    };

    Problem { line, key: key.to_owned(), message, remedy }
}

/// Returns the name in the parser's words about a missing field.
fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// Returns the names of keys and tables on the lines that were blanked, each part of a dotted one.
fn names_lost(before: &str, after: &str) -> BTreeSet<String> {
    let lost = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new);
    let name = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    let names = lost.map(|(line, _)| name(line.trim_matches(['[', ']', ' '])));
    names
        .flat_map(|name| {
            name.split('.')
                .map(|part| part.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Replaces the lines a span stands on by empty ones.
///
/// With the head of a table goes its body, which would otherwise be read as part of the table before it.
fn blank(text: &str, span: std::ops::Range<usize>) -> String {
    let end = span.end.max(span.start + 1);
    let mut at = 0;
    let mut headless = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let touched = at < end && span.start < at + line.len();
        let is_head = line.trim_start().starts_with('[');
        if is_head {
            headless = touched;
        }
        if touched || headless {
            // As many bytes as before, so that the offsets of later mistakes stay true.
            let body = line.trim_end_matches('\n');
            out.extend(std::iter::repeat_n(' ', body.len()));
            out.push_str(line.strip_prefix(body).unwrap_or_default());
        } else {
            out.push_str(line);
        }
        at += line.len();
    }
    out
}

/// Finds the line of a dotted key such as `uplink.batch_max_events` or `roots.1.path`; 0 if it is not written there.
///
/// A dotted name may also stand in one line, such as `office.ja` in `contacts.0`, and an entry of a list stands where its
/// list does.
fn line_of_key(text: &str, key: &str) -> usize {
    let list = key
        .rsplit_once('.')
        .filter(|(_, last)| last.bytes().all(|byte| byte.is_ascii_digit()));
    match (place_of(text, key), list) {
        ((_, false), Some((list, _))) => place_of(text, list).0,
        ((line, _), _) => line,
    }
}

/// The same, and whether the key itself is written there.
fn place_of(text: &str, key: &str) -> (usize, bool) {
    let cuts = key.char_indices().rev().filter(|(_, c)| *c == '.');
    let splits = cuts.filter_map(|(at, _)| Some((key.get(..at)?, key.get(at + 1..)?)));
    let whole = [("", key)];
    let places = splits
        .chain(whole)
        .map(|(table, name)| line_in_table(text, table, name));
    places
        .max_by_key(|(line, exact)| (*exact, 0 < *line))
        .unwrap_or((0, false))
}

/// Finds a name in a table: its line, or where it is not written the table's, and whether it is.
fn line_in_table(text: &str, table: &str, name: &str) -> (usize, bool) {
    let mut here = String::new();
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    let mut table_line = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(array) = line.strip_prefix("[[").and_then(|l| l.split("]]").next()) {
            let count = counts.entry(array.trim().to_owned()).or_default();
            here = format!("{}.{count}", array.trim());
            *count += 1;
        } else if let Some(plain) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            plain.trim().clone_into(&mut here);
        } else if here == table && line.split('=').next().is_some_and(|k| k.trim() == name) {
            return (index + 1, true);
        }
        if here == table && table_line == 0 && !table.is_empty() {
            table_line = index + 1;
        }
    }
    (table_line, false)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        uplink: Uplink,
        roots: Vec<Root>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Uplink {
        idle_secs: u64,
        url: String,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Root {
        path: String,
    }

    impl Checked for Sample {
        fn problems(&self) -> Vec<Problem> {
            let empty = |(index, root): (usize, &Root)| {
                root.path.is_empty().then(|| {
                    Problem::of(&format!("roots.{index}.path"), "is empty", "give a directory")
                })
            };
            self.roots.iter().enumerate().filter_map(empty).collect()
        }
    }

    #[test]
    fn three_mistakes_give_three_messages_with_line_key_and_remedy() {
        let text = "[uplink]\nidle_secs = \"ten\"\nurrl = \"x\"\n\n[[roots]]\npath = \"/a\"\n[[roots]]\npath = \"\"\n";
        let problems = parse::<Sample>(text).unwrap_err();
        let places: Vec<_> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
        assert_eq!(places, [(2, "idle_secs"), (3, "urrl"), (8, "roots.1.path")], "{problems:#?}");
        assert!(problems.iter().all(|problem| !problem.remedy.is_empty()));
    }

    #[test]
    fn an_unknown_table_is_one_mistake_however_much_stands_in_it() {
        let text = "[uplink]\nurl = 'x'\n[uplnk]\nidle_secs = 3\n# a comment\nurl = 'y'\n[[roots]]\npath = 3\n";
        let problems = parse::<Sample>(text).unwrap_err();
        let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [3, 8], "{problems:#?}");
    }

    #[test]
    fn what_is_missing_because_of_a_mistake_is_no_second_mistake() {
        #[derive(Debug, Deserialize)]
        struct Strict {
            #[expect(dead_code, reason = "only its reading is of interest")]
            duty: Duty,
        }
        #[derive(Debug, Deserialize)]
        struct Duty {
            #[expect(dead_code, reason = "only its reading is of interest")]
            days: u8,
            #[expect(dead_code, reason = "only its reading is of interest")]
            name: String,
        }
        impl Checked for Strict {
            fn problems(&self) -> Vec<Problem> {
                Vec::new()
            }
        }
        let keys = |text: &str| {
            let problems = parse::<Strict>(text).unwrap_err();
            problems
                .into_iter()
                .map(|p| (p.line, p.message))
                .collect::<Vec<_>>()
        };
        let [(3, message)] = &keys("# c\n[duty]\ndays = 'x'\nname = 'a'\n")[..] else { panic!() };
        assert!(message.starts_with("invalid type"), "{message}");
        let [(_, message)] = &keys("[duty]\ndays = 3\n")[..] else { panic!() };
        assert_eq!(message, "missing field `name`");
        assert_eq!(keys("[duty]\ndays = 'x'\nname = 3\n").len(), 2);
    }

    #[test]
    fn only_what_this_version_does_not_know_is_left_out_of_another_ones_file() {
        let text = "[uplink]\nurl = 'x'\nquic = true\n[shine]\na = 1\n[[roots]]\npath = '/a'\nmood = 'calm'\n";
        let known = parse_known::<Sample>(text).unwrap();
        let lines: Vec<_> = known.left_out.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [3, 4, 8], "{:#?}", known.left_out);
        assert_eq!((known.config.uplink.url.as_str(), known.config.roots.len()), ("x", 1));
        assert_eq!(parse::<Sample>(&known.text).unwrap().roots[0].path, "/a");

        let new_kind = format!("{text}[[roots]]\n  bucket = 'b'\n[uplnk]\nurl = 'y'\n");
        let known = parse_known::<Sample>(&new_kind).unwrap();
        assert_eq!((known.left_out.len(), known.config.roots.len()), (5, 1));

        let both = format!("{text}[[roots]]\npath = ''\n");
        assert_eq!(parse_known::<Sample>(&both).unwrap_err().len(), 4);
        assert!(parse_known::<Sample>("[uplink]\nurl = 'abc").is_err(), "a torn copy is no copy");
    }

    #[test]
    fn a_torn_file_ends_in_a_message_not_in_a_loop() {
        for torn in ["[uplink", "\u{0}\u{1}", "[[[", "= = =", "a = 'x", "[uplink]\nurl = \"abc"] {
            assert!(!parse::<Sample>(torn).unwrap_err().is_empty(), "{torn:?}");
        }
    }

    #[test]
    fn a_good_file_reads() {
        let sample: Sample = parse("[uplink]\nidle_secs = 3\nurl = 'https://x'\n").unwrap();
        assert_eq!((sample.uplink.idle_secs, sample.uplink.url.as_str()), (3, "https://x"));
    }
}
