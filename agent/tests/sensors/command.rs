//! What `watch` prints.

use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use shirase_agent::sensors::files::BackendChoice;
use shirase_agent::watch;
use shirase_shared::testing::eventually;
use tokio_util::sync::CancellationToken;

use crate::watching::{DEADLINE, clock, pdf};

#[tokio::test]
async fn watch_says_ready_and_then_what_it_sees() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..10 {
        pdf(&home.path().join(format!("{number}.pdf")));
    }
    let (stop, printed) = (CancellationToken::new(), Printed::default());
    let options = watch::Options {
        dirs: vec![home.path().to_owned()],
        json: true,
        state: None,
        backend: BackendChoice::Notify,
        record: None,
    };
    let (mut out, token) = (printed.clone(), stop.clone());
    let running = tokio::spawn(async move { watch::run(options, clock(), &mut out, token).await });
    printed.wait_for("ready").await;
    for number in 0..10 {
        let path = home.path().join(format!("{number}.pdf"));
        fs::rename(&path, path.with_extension("pdf.qzx")).unwrap();
    }
    let event = printed.wait_for("event").await;
    assert_eq!((&event["kind"], &event["phase"]), (&"mass_change".into(), &"opened".into()));
    assert_eq!(event["severity"], "high");
    assert!(event["evidence"]["suffix_appended"].as_u64() >= Some(3), "{event}");
    let text = event.to_string();
    assert!(!text.contains(".pdf.qzx"), "names stay on the host: {text}");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn watch_names_the_directory_it_cannot_watch() {
    let options = watch::Options {
        dirs: vec!["/no/such/place".into()],
        json: true,
        state: None,
        backend: BackendChoice::Notify,
        record: None,
    };
    let mut out = Vec::new();
    let error = watch::run(options, clock(), &mut out, CancellationToken::new()).await;
    assert!(error.unwrap_err().to_string().contains("/no/such/place"));
    assert!(out.is_empty());
}

/// What `watch` printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Printed {
    /// Waits for the first line of a type.
    async fn wait_for(&self, wanted: &str) -> serde_json::Value {
        eventually(wanted, DEADLINE, || async {
            let printed = self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let text = String::from_utf8(printed).expect("text");
            let lines = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            let mut lines = lines.filter(|line: &serde_json::Value| line["type"] == wanted);
            lines.next()
        })
        .await
    }
}
