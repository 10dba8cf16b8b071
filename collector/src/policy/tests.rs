//! What is wrong has words, what differs is short, who is late is told.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::HostId;
use shirase_shared::policy::{
    Policy, PolicyKey, PolicyName, PolicyReport, PolicyRevision, Refusal,
};
use shirase_shared::testing::builders::night;

use super::revision::desired;
use super::words::words;
use super::*;
use crate::audit::Actor;
use crate::facilities::Host;
use crate::locale::{Lang, Locale};

/// A text for each mistake an agent would refuse it for.
const WRONG: &[&str] = &[
    "[uplink]\n",
    "[[sensors.roots]]\nlabel = 'x'\n",
    "[agent]\ncpu_budget_percent = 'x'\n",
    "[agent]\ncpu_budget_percent = -1\n",
    "[[sensors.probes]]\nname = 'x'\ntcp = 'h:1'\ntls = 'maybe'\n",
    "[agent]\n[agent]\n",
    "[agent\n",
    "[[sensors.roots]]\npath = 'x'\n",
    "[[sensors.roots]]\npath = '/x'\n[[sensors.roots]]\npath = '/x'\n",
    "[[sensors.roots]]\npath = '/x'\nlabel = 'a b'\n",
    "[[sensors.services]]\nname = 'a/b'\n",
    "[[sensors.services]]\nname = 'a'\ngrace_secs = 9999999\n",
    "[[sensors.probes]]\nname = ''\ntcp = 'h:1'\n",
    "[[sensors.probes]]\nname = 'x'\n",
    "[[sensors.probes]]\nname = 'x'\ntcp = 'h'\n",
    "[[sensors.probes]]\nname = 'x'\ntcp = 'h:0'\n",
    "[[sensors.probes]]\nname = 'x'\ntcp = ':1'\n",
    "[[sensors.probes]]\nname = 'x'\nurl = 'x'\n",
    "[[sensors.probes]]\nname = 'x'\nurl = 'http://x'\ncertificate = 'any'\n",
    "[[sensors.probes]]\nname = 'x'\nurl = 'http://x'\nexpect_status = 9\n",
    "[[sensors.probes]]\nname = 'x'\ntcp = 'h:1'\nuser = 'x'\n",
    "[[sensors.probes]]\nname = 'x'\ntcp = 'h:1'\ninterval_secs = 0\n",
    "[[sensors.probes]]\nname = 'x'\npostgres = 'h:1'\npassword_file = '/x'\n",
    "[sensors.protection]\nguards = ['a*']\n",
    "[detectors.mass_change]\nknown_bad_suffixes = ['.x']\n",
    "[detectors.mass_change]\nknown_bad_suffixes = ['pdf']\n",
    "[detectors.mass_change]\nknown_bad_names = ['a/b']\n",
    "[detectors.mass_change]\nknown_bad_names = ['readme.txt']\n",
    "[[detectors.mass_change.jobs]]\nname = ''\nroot = 'x'\nfrom = '01:00'\nuntil = '02:00'\n",
    "[[detectors.mass_change.jobs]]\nname = 'x'\nroot = 'x'\nfrom = '01:00'\nuntil = '01:00'\n",
    "[[detectors.mass_change.jobs]]\nname = 'x'\nroot = 'x'\nfrom = '01:00'\nuntil = '02:00'\nexpects = []\n",
    "[[detectors.mass_change.jobs]]\nname = 'x'\nroot = 'x'\nfrom = '1'\nuntil = '02:00'\n",
    "[detectors.logon_burst]\nusual_hours = ['x']\n",
];

#[test]
fn every_mistake_has_words_of_its_own_in_both_languages() {
    for text in WRONG {
        let problems = Policy::parse(text).unwrap_err();
        for problem in &problems {
            assert_ne!(words(problem), "policy-wrong-other", "{text}: {problem}");
        }
        for lang in [Lang::Ja, Lang::En] {
            for mistake in mistakes(&problems, Locale::new(lang)) {
                assert!(!mistake.text.starts_with("policy-"), "{text}: {}", mistake.text);
            }
        }
    }
    let long = "#".repeat(shirase_shared::policy::TEXT_MAX_BYTES + 1);
    let told = Policy::parse(&long).unwrap_err();
    assert_eq!(words(&told[0]), "policy-wrong-long");
    let refusals = Refusal::ALL.map(Some).into_iter().chain([None]);
    let keys: BTreeSet<_> = refusals.map(refusal_key).collect();
    assert_eq!(keys.len(), Refusal::ALL.len() + 1);
    for key in keys {
        assert_ne!(Locale::new(Lang::Ja).text(key), key);
    }
}

#[test]
fn the_example_is_a_policy() {
    let text = crate::console::policy::EXAMPLE;
    let policy = Policy::parse(text).unwrap();
    for key in PolicyKey::ALL {
        let (_, last) = key.as_str().rsplit_once('.').unwrap();
        assert!(text.contains(last), "{key} is not in the example");
    }
    assert_eq!(policy.sensors.roots.len(), 1);
}

#[test]
fn a_text_is_saved_with_a_reason_alone() {
    let check = |text: &str, reason: &str| NewRevision::check(Scope::Facility, text, reason);
    assert_eq!(check("", " "), Err(PolicyError::Reason));
    assert_eq!(check("", &"あ".repeat(301)), Err(PolicyError::Reason));
    assert_eq!(check("", "a\u{202e}b"), Err(PolicyError::Reason));
    assert!(matches!(check("[uplink]", "x"), Err(PolicyError::Mistakes { .. })));
    assert_eq!(check("# a\r\n# b\r\n", " x ").unwrap().text, "# a\n# b\n");
}

#[test]
fn a_difference_names_each_line_once() {
    let told = |before: &str, after: &str| {
        let sign = |line: &Line| match line.turn {
            Turn::Same => format!(" {}", line.text),
            Turn::Gone => format!("-{}", line.text),
            Turn::New => format!("+{}", line.text),
        };
        difference(before, after)
            .iter()
            .map(sign)
            .collect::<Vec<_>>()
            .join("|")
    };
    assert_eq!(told("a\nb\nc", "a\nx\nc\nd"), " a|-b|+x| c|+d");
    assert_eq!(told("", "a"), "+a");
    assert_eq!(told("a", ""), "-a");
    assert_eq!(told("", ""), "");
    let long = "x\n".repeat(2001);
    assert_eq!(difference(&long, "x").len(), 2002);
}

fn host() -> Host {
    Host {
        facility: "handa-hp".parse().unwrap(),
        id: HostId::from_uuid(uuid::Uuid::from_u128(1)),
        name: "ehr1".to_owned(),
        os: String::new(),
        roles: BTreeSet::new(),
        watched: std::collections::BTreeMap::new(),
        enrolled_at: night(),
        revoked_at: None,
        certificate_expires_at: None,
    }
}

fn saved(number: u64, minutes: i64) -> Revision {
    Revision {
        number: PolicyRevision(number),
        scope: Scope::Facility,
        text: format!("# {number}\n"),
        reason: "x".to_owned(),
        set_by: Actor::CommandLine,
        set_at: after(minutes),
    }
}

fn after(minutes: i64) -> Timestamp {
    night() + SignedDuration::from_mins(minutes)
}

#[test]
fn a_host_is_late_from_the_first_text_it_missed() {
    let revisions = [saved(3, 20), saved(2, 10), saved(1, 0)];
    let wanted = desired(revisions.first(), None).unwrap();
    let name = |number| {
        let text = saved(number, 0);
        desired(Some(&text), None).unwrap().name
    };
    let look = |applied: Option<PolicyName>, minutes| {
        let report = PolicyReport {
            taking: true,
            applied,
            drift: vec!["sensors.roots".to_owned(), "from.the.future".to_owned()],
            refused: None,
        };
        let times = (after(minutes), SignedDuration::from_mins(15));
        standing(&host(), (Some(&wanted), &revisions), Some(Some(&report)), times)
    };
    let good = look(Some(name(3)), 99);
    assert_eq!((good.state, good.behind_since, good.late), (State::Applied, None, false));
    assert_eq!((good.drift.as_slice(), good.more_drift), (&[PolicyKey::Roots][..], true));
    let behind = look(Some(name(1)), 24);
    assert_eq!((behind.state, behind.behind_since), (State::Waiting, Some(after(10))));
    assert!(!behind.late && look(Some(name(1)), 26).late);
    assert_eq!(look(None, 1).behind_since, Some(after(0)));
}
