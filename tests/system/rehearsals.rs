//! Nights that happened, and one that was nothing: each ends in the duties, deadlines and documents its file names.
//!
//! The files beside this one are written to be followed by a reader from a hospital. The papers are left below
//! `target/rehearsals`, to be looked at.

use std::path::Path;

use shirase_system_tests::rehearsal::{Ended, Script, look_in, mail_words, play};

#[tokio::test(flavor = "multi_thread")]
async fn osaka_2022_ends_with_every_report_out_in_time() {
    let ended = rehearse("osaka-2022").await;
    assert_eq!(ended.papers.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn musashi_kosugi_2026_tells_a_count_that_grows_thirteenfold() {
    let ended = rehearse("musashi-kosugi-2026").await;
    assert_eq!(ended.papers.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_outage_calls_nobody_but_the_maintenance_company_and_ends_as_a_fault() {
    let ended = rehearse("outage-2026").await;
    assert_eq!(ended.papers.len(), 1);
}

/// Reads a rehearsal.
pub(crate) fn script(name: &str) -> Script {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("system/rehearsals");
    Script::read(&here.join(format!("{name}.toml"))).unwrap()
}

/// Plays a rehearsal to its end.
async fn rehearse(name: &str) -> Ended {
    let script = script(name);
    let dir = tempfile::tempdir().unwrap();
    let ended = play(&script, dir.path(), &look_in(name)).await;
    let ended = ended.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    ended.site.collector(&["audit", "verify"], b"").unwrap();
    let mails = ended.site.mail.messages();
    assert!(!mails.is_empty(), "nobody was told");
    for mail in mails {
        let words = mail_words(&mail).unwrap();
        for name in &script.planted {
            assert!(!words.contains(name.as_str()), "`{name}` left the house in a mail:\n{words}");
        }
    }

    ended
}
