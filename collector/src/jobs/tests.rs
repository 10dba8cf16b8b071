//! When a job runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shirase_shared::testing::eventually;

use super::*;

struct Counting(Arc<AtomicUsize>);

impl Job for Counting {
    const NAME: &'static str = "counting";
    const PERIOD: Duration = Duration::from_secs(3600);
    const WOKEN_BY: &'static [What] = &[What::Records];

    async fn activate(&mut self) -> Outcome {
        self.0.fetch_add(1, Ordering::SeqCst);
        Outcome::Failed("a failure is not the end".to_owned())
    }
}

#[tokio::test]
async fn a_job_runs_at_once_after_each_change_that_wakes_it_and_not_after_others() {
    let (runs, nudge, stop) = (Arc::default(), Nudge::default(), CancellationToken::new());
    let facility: FacilityId = "handa-hp".parse().unwrap();
    let job = Counting(Arc::clone(&runs));
    let running = tokio::spawn(run(job, nudge.clone(), stop.clone()));
    let reached = async |count: usize| {
        eventually(&format!("{count} runs"), Duration::from_secs(10), async || {
            (runs.load(Ordering::SeqCst) == count).then_some(())
        })
        .await;
    };
    reached(1).await;
    nudge.tell_of(&facility, What::Report);
    nudge.tell_of(&facility, What::Records);
    reached(2).await;
    // More than the channel holds: having missed some is a reason to look.
    for _ in 0..=CHANGES_CAPACITY {
        nudge.tell_of(&facility, What::Report);
    }
    reached(3).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}
