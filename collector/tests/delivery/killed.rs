//! The real collector is killed in the middle of sending, and started anew: nothing is lost, nothing goes twice by itself.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use shirase_collector::deliver::{Attempt, Choice, Delivery, Outcome as Ending, State, Way};
use shirase_shared::ids::DeliveryId;
use shirase_shared::testing::eventually;

use crate::smtp_play::Play;
use crate::ward::Ward;

/// Longest wait for the collector to come as far as a test wants it; it starts within seconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn killed_after_the_text_left_it_is_unknown_and_is_not_sent_again() {
    let (ward, report) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["never-answers", "take"]);
    let id = ward
        .choose(&report, Way::Mail, "uketsuke@mhlw.example")
        .await;
    let collector = Collector::start(ward.dir.path(), server.port);
    eventually("the text to be handed over", DEADLINE, || async {
        (server.taken().len() == 1).then_some(())
    })
    .await;
    collector.kill();
    let (_, attempts) = ward.delivery(id).await;
    assert!(attempts[0].handing_over_at.is_some() && attempts[0].outcome.is_none());

    let collector = Collector::start(ward.dir.path(), server.port);
    let (_, attempts) = until(&ward, id, State::Unknown).await;
    assert_eq!((attempts.len(), attempts[0].outcome), (1, Some(Ending::Unknown)));
    assert!(attempts[0].answer.contains("in the middle"), "{}", attempts[0].answer);
    assert_eq!(server.taken().len(), 1, "nothing goes twice by itself");

    ward.decide(id, Choice::Again, "電話で確かめたが、届いていない")
        .await;
    until(&ward, id, State::Delivered).await;
    let taken = server.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].message_id, taken[1].message_id);
    collector.kill();
}

#[tokio::test]
async fn killed_before_the_text_left_it_is_sent_after_the_start() {
    let (ward, report) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["silent", "take"]);
    let id = ward
        .choose(&report, Way::Mail, "uketsuke@mhlw.example")
        .await;
    let collector = Collector::start(ward.dir.path(), server.port);
    eventually("an attempt to begin", DEADLINE, || async {
        (!ward.delivery(id).await.1.is_empty()).then_some(())
    })
    .await;
    collector.kill();

    let collector = Collector::start(ward.dir.path(), server.port);
    let (_, attempts) = until(&ward, id, State::Delivered).await;
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome).collect();
    // The kill can come before the connection was made; the silent server then costs one attempt more.
    let (last, before) = outcomes.split_last().unwrap();
    assert_eq!(*last, Some(Ending::Delivered), "{attempts:#?}");
    assert!((1..=2).contains(&before.len()), "{attempts:#?}");
    assert!(
        before
            .iter()
            .all(|outcome| *outcome == Some(Ending::NotYet)),
        "{attempts:#?}"
    );
    assert_eq!(server.taken().len(), 1);
    collector.kill();
}

async fn until(ward: &Ward, id: DeliveryId, state: State) -> (Delivery, Vec<Attempt>) {
    eventually("the delivery to stand as it should", DEADLINE, || async {
        Some(ward.delivery(id).await).filter(|(delivery, _)| delivery.state == state)
    })
    .await
}

/// The real program, serving the ward's data directory.
struct Collector(Child);

impl Collector {
    fn start(data_dir: &Path, mail_port: u16) -> Self {
        let config = data_dir.join("collector.toml");
        let text = format!(
            "data_dir = \"{}\"\n[ingest]\nlisten = \"127.0.0.1:0\"\n[enrolment]\nlisten = \"127.0.0.1:0\"\n\
             [console]\nlisten = \"127.0.0.1:0\"\n[mail]\nhost = \"127.0.0.1\"\nport = {mail_port}\ntls = \"none\"\n\
             from = \"report@hospital.example\"\n",
            data_dir.display()
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_shirase-collector"))
            .arg("--config")
            .arg(config)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// Kills it without warning (SIGKILL).
    fn kill(self) {
        drop(self);
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
