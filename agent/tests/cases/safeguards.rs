//! The verbs of the cases for what keeps a host safe.
//!
//! ```text
//! stop mariadb,orthanc [ending|regrouped]      services that stopped between two looks; `start` for those that started
//! guard NAME running|stopped|missing [yes|disabled|masked] [wanted|by_hand]
//! log PATH shorter|replaced|thinned BYTES before=BYTES [same=NAME:BYTES] [fresh=NAME:BYTES]      `log PATH gone before=…`
//! own program|settings|identity|unit|service NAME changed|removed|added|disabled|masked|restored [away]
//! backup NAME files|snapshots before=N left=N [pruned=N] [gone=N] [emptied=N] [rewritten=N] [usual=N]
//! backup NAME job age=HOURS|never max=HOURS
//! ```

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shirase_agent::observation::Fact;

use crate::language::value;

/// Returns the fact a line tells, if its verb is one of these.
pub(crate) fn fact(verb: &str, rest: &[String], now: Timestamp) -> Option<Fact> {
    let word = |n: usize| rest.get(n).map_or("", String::as_str);
    let number = |key: &str| value(rest, key).map(|text| text.parse::<u64>().unwrap());
    let names = || {
        word(0)
            .split(',')
            .map(|name| format!("{name}.service"))
            .collect::<Vec<_>>()
    };
    let course = || if word(1).is_empty() { "steady" } else { word(1) };
    let json = match verb {
        "stop" => json!({"services": {"stopped": names(), "started": [], "course": course()}}),
        "start" => json!({"services": {"stopped": [], "started": names(), "course": course()}}),
        "guard" => {
            let starts = ["disabled", "masked"]
                .into_iter()
                .find(|state| word(2) == *state);
            let before = match word(rest.len() - 1) {
                "wanted" => "wanted",
                "by_hand" => "ran_by_hand",
                _ => "ran",
            };
            json!({"guard": {"name": format!("{}.service", word(0)), "runs": word(1),
                "starts": starts.unwrap_or("yes"), "before": before}})
        }
        "log" => {
            let bytes = || word(2).parse::<u64>().unwrap();
            let now = match word(1) {
                "gone" => json!("gone"),
                what => json!({what: {"bytes": bytes()}}),
            };
            let beside: Vec<_> = ["same", "fresh"]
                .into_iter()
                .filter_map(|kinship| {
                    let told = value(rest, kinship)?;
                    let (name, bytes) = told.split_once(':').unwrap();
                    let bytes: u64 = bytes.parse().unwrap();
                    Some(json!({"name": name, "bytes": bytes, "kinship": kinship}))
                })
                .collect();
            let before = number("before").expect("log … before=BYTES");
            json!({"log": {"path": word(0), "bytes_before": before, "now": now, "beside": beside}})
        }
        "own" => {
            let when = if word(3) == "away" { "away" } else { "running" };
            json!({"own": {"part": word(0), "name": word(1), "change": word(2), "when": when}})
        }
        "backup" if word(1) == "job" => {
            let told = value(rest, "age").filter(|age| age != "never");
            let age = told.map(|age| SignedDuration::from_hours(age.parse().unwrap()));
            let newest = age.map(|age| now - age);
            json!({"backup": {"name": word(0), "state": {"job":
                {"newest": newest, "max_age_hours": number("max")}}}})
        }
        "backup" => {
            let count = |key: &str| number(key).unwrap_or(0);
            json!({"backup": {"name": word(0), "state": {word(1): {
                "since": now - SignedDuration::from_mins(1), "before": count("before"), "left": count("left"),
                "pruned": count("pruned"), "gone": count("gone"), "emptied": count("emptied"),
                "rewritten": count("rewritten"), "usual": count("usual")}}}})
        }
        _ => return None,
    };

    Some(
        serde_json::from_value(json).unwrap_or_else(|e| panic!("`{verb} {}`: {e}", rest.join(" "))),
    )
}
