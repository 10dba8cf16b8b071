//! The verbs of the cases about logons, rights and printing.

use serde_json::{Value, json};

/// Returns the fact in its form in a trace; `None` if the verb is none of these.
///
/// `logon fail|ok ACCOUNT [from=ADDRESS] [via=PROGRAM] [times=N] [share|console|elevation] [admin] [system|nobody]`,
/// `rights given|taken ACCOUNT [system]`, `print PRINTER TITLE [note]` with `_` for blanks.
pub(crate) fn fact(verb: &str, rest: &[String]) -> Option<Value> {
    let word = |at: usize| rest.get(at).map_or("", String::as_str);
    let has = |word: &str| rest.iter().any(|found| found == word);
    let value = |key: &str| super::language::value(rest, key);
    let one_of = |words: &[&'static str], default: &'static str| {
        words
            .iter()
            .copied()
            .find(|word| has(word))
            .unwrap_or(default)
    };
    match verb {
        "logon" => {
            let outcome = match word(0) {
                "fail" => "failed",
                "ok" => "succeeded",
                other => panic!("`logon {other}`: write `fail` or `ok`"),
            };
            let source = value("from");
            let manner = one_of(&["share", "console", "elevation"], "remote");
            Some(json!({"logon": {
                "account": {
                    "name": word(1),
                    "standing": one_of(&["system", "nobody"], "person"),
                    "power": if has("admin") { "administrator" } else { "ordinary" },
                },
                "outcome": outcome, "source": source, "manner": manner,
                "service": value("via").unwrap_or_else(|| "sshd".to_owned()),
                "times": value("times").map_or(1, |times| times.parse::<u64>().unwrap()),
            }}))
        }
        "rights" => {
            let change = match word(0) {
                "given" => "granted",
                "taken" => "withdrawn",
                other => panic!("`rights {other}`: write `given` or `taken`"),
            };
            let standing = one_of(&["system"], "person");
            Some(json!({"rights": {
                "account": {"name": word(1), "standing": standing}, "change": change, "by": "group `sudo`"}}))
        }
        "print" => {
            let wording = if has("note") { "ransom_note" } else { "ordinary" };
            let title = word(1).replace('_', " ");
            Some(json!({"print": {"printer": word(0), "title": title, "wording": wording}}))
        }
        _ => None,
    }
}
