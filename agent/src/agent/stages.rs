//! Tasks that make up one step of the pipeline.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Stages that are stopped together.
#[derive(Default)]
pub(super) struct Stages(JoinSet<&'static str>);

impl Stages {
    /// Starts one.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        stage: impl Future<Output = ()> + Send + 'static,
    ) {
        self.0.spawn(async move {
            stage.await;
            name
        });
    }

    /// Starts one on a thread of its own: no other stage holds it up, and waking it wakes nobody else.
    pub(super) fn add_apart(
        &mut self,
        name: &'static str,
        stage: impl Future<Output = ()> + Send + 'static,
    ) {
        let runtime = Handle::current();
        self.0.spawn_blocking(move || {
            runtime.block_on(stage);
            name
        });
    }

    /// Waits for the first that ends and names it.
    pub(super) async fn first_end(&mut self) -> &'static str {
        match self.0.join_next().await {
            Some(Ok(name)) => name,
            Some(Err(error)) => {
                tracing::error!(%error, "a stage broke off");
                "(broken off)"
            }
            None => std::future::pending().await,
        }
    }

    /// Waits until all have ended.
    pub(super) async fn drain(mut self) {
        while let Some(ended) = self.0.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a stage broke off while stopping");
            }
        }
    }
}
