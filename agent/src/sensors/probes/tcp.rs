//! Whether a TCP port accepts a connection.

use super::Asked;
use super::net::{Peer, Progress};

/// Connects and hangs up.
pub(super) async fn ask(peer: &Peer, progress: &Progress) -> Asked {
    peer.reach(progress).await?;
    Ok("accepts connections".to_owned())
}
