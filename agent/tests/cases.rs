//! Every detector against its written cases (`agent/cases/<detector>/*.toml`), and thirty ordinary days in a hospital.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "cases/language.rs"]
mod language;
#[path = "cases/safeguards.rs"]
mod safeguards;
#[path = "cases/access.rs"]
mod access;
#[path = "cases/days.rs"]
mod days;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shirase_agent::detectors::DetectorsConfig;
use shirase_shared::event::{Phase, Severity};

use language::{Stage, ms};

/// How long a case is followed after its last line: the slowest burst has ended by then.
const AFTERWARDS: &str = "2h";

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What happens, in words.
    what: String,
    /// What must be raised.
    fires: Option<Fires>,
    /// Why nothing may be raised.
    quiet: Option<String>,
    /// For a quiet one: what may be raised at the most; nothing if it is not given.
    at_most: Option<Severity>,
    /// How long a maintenance window is in force, from the beginning.
    maintenance: Option<String>,
    /// Settings of the detectors that differ from the defaults.
    #[serde(default)]
    detectors: DetectorsConfig,
    /// What happens, in the language of `cases/language.rs`.
    events: String,
}

/// What must be raised.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fires {
    /// The kind of the events.
    kind: String,
    /// The worst they come to, exactly.
    severity: Severity,
    /// Within so many files something of severity high is raised, or of `severity` if that is less.
    within_files: Option<usize>,
    /// How many bursts it is told as. Default: any number.
    bursts: Option<usize>,
    /// A word that the reason of one of the events must hold.
    says: Option<String>,
}

#[test]
fn every_case_fires_or_stays_quiet_as_it_says() {
    let mut wrong = Vec::new();
    for (path, case) in cases() {
        if let Some(why) = judge(&case) {
            wrong.push(format!("{}: {}\n    {why}", path.display(), case.what));
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_detector_has_a_case_that_fires_and_one_that_stays_quiet() {
    let mut known = BTreeMap::<String, (usize, usize)>::new();
    for entry in fs::read_dir(home().join("src/detectors")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            known.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), (0, 0));
        }
    }
    for (path, case) in cases() {
        let detector = path
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy();
        let counts = known.get_mut(detector.as_ref());
        let (firing, quiet) = counts.unwrap_or_else(|| panic!("`{detector}` is no detector"));
        *firing += usize::from(case.fires.is_some());
        *quiet += usize::from(case.quiet.is_some());
    }
    let lacking: Vec<_> = known
        .iter()
        .filter(|(_, (firing, quiet))| *firing * *quiet == 0)
        .collect();
    assert!(lacking.is_empty(), "write cases for (firing, quiet): {lacking:?}");
}

#[test]
fn every_attack_of_the_facts_has_a_case() {
    let named: Vec<_> = cases().into_iter().map(|(path, _)| path).collect();
    for number in 1..=21 {
        let name = format!("a{number:02}_");
        let is = |path: &&PathBuf| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(&name)
        };
        assert!(named.iter().find(is).is_some(), "no case is called {name}*");
    }
}

/// Returns what is wrong, if anything.
fn judge(case: &Case) -> Option<String> {
    let window = case.maintenance.as_deref().map(ms);
    let window = window.map(|ms| jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap()));
    let mut stage = Stage::new(&case.detectors, window);
    stage.play(&case.events);
    stage.pass(ms(AFTERWARDS));
    let worst = stage.told.iter().map(|told| told.event.severity).max();
    let first = |least: Severity| stage.told.iter().find(|told| least <= told.event.severity);
    let last = stage.told.last().map(|told| told.event.reason.clone());
    match (&case.fires, &case.quiet) {
        (Some(fires), None) => {
            let kind = |told: &language::Told| told.event.anomaly.kind() == fires.kind;
            if worst != Some(fires.severity) || !stage.told.iter().all(kind) {
                return Some(format!("came to {worst:?}, not {:?}: {last:?}", fires.severity));
            }
            let least = fires.severity.min(Severity::High);
            let within = fires.within_files.unwrap_or(usize::MAX);
            let after = first(least).map(|told| told.after_files);
            if after.is_none_or(|after| within < after) {
                return Some(format!("{least} after {after:?} files, not within {within}"));
            }
            let opened = stage
                .told
                .iter()
                .filter(|told| told.event.phase == Phase::Opened);
            let (opened, says) = (opened.count(), fires.says.as_deref().unwrap_or_default());
            if fires.bursts.is_some_and(|bursts| bursts != opened) {
                return Some(format!("told as {opened} bursts"));
            }
            let told = stage
                .told
                .iter()
                .any(|told| told.event.reason.contains(says));
            (!told).then(|| format!("no reason holds `{says}`: {last:?}"))
        }
        (None, Some(why)) => {
            let loud = case.at_most < worst || why.is_empty();
            loud.then(|| format!("came to {worst:?}, should be quiet ({why}): {last:?}"))
        }
        (Some(_), Some(_)) | (None, None) => Some("give either `fires` or `quiet`".to_owned()),
    }
}

/// Every case with its path below `agent/cases`.
fn cases() -> Vec<(PathBuf, Case)> {
    let home = home().join("cases");
    let mut found = Vec::new();
    for detector in fs::read_dir(&home).unwrap() {
        for file in fs::read_dir(detector.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let case = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            found.push((path.strip_prefix(&home).unwrap().to_owned(), case));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
