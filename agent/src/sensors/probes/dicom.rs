//! Whether a DICOM node answers a C-ECHO with status 0000H.
//!
//! ```text
//! ──▶ A-ASSOCIATE-RQ (Verification)   ◀── A-ASSOCIATE-AC, or RJ: down, with the reason
//! ──▶ C-ECHO-RQ                       ◀── C-ECHO-RSP, status 0000H: up, any other: down
//! ──▶ A-RELEASE-RQ                    ◀── A-RELEASE-RP
//! ```

mod pdu;

use std::time::Duration;

use super::Asked;
use super::net::{Peer, Progress, Talk};
use pdu::{Answer, CONTEXT_ID, Pdu};

/// Longest PDU taken, in bytes. We announce 16 KiB; a peer's own answer to an association may be longer.
const PDU_MAX_BYTES: usize = 64 * 1024;
/// Longest command taken from all its fragments, in bytes; an answer to a C-ECHO has 80.
const COMMAND_MAX_BYTES: usize = 16 * 1024;
/// PDUs taken in one exchange.
const PDUS_MAX: usize = 64;
/// How long the peer may take to part in good manners; it has answered by then.
const RELEASE_PATIENCE: Duration = Duration::from_millis(500);

/// A node and the names used.
pub(super) struct Node {
    pub(super) peer: Peer,
    pub(super) called: String,
    pub(super) calling: String,
}

impl Node {
    /// Asks once.
    pub(super) async fn ask(&self, progress: &Progress) -> Asked {
        let mut talk = self.peer.connect(progress).await?;
        talk.send(&pdu::associate(&self.called, &self.calling))
            .await?;
        match read(&mut talk).await? {
            Pdu::Accepted(context) => context?,
            Pdu::Refused(why) | Pdu::Aborted(why) => return Err(why.into()),
            other @ (Pdu::Data(_) | Pdu::Released | Pdu::Strange(_)) => {
                return Err(unexpected(&other, "its answer to an association").into());
            }
        }
        talk.send(&pdu::echo()).await?;
        let status = echoed(&mut talk).await?;
        if status != 0 {
            return Err(format!("answered the C-ECHO with status {status:04X}H").into());
        }
        // The question is answered; how the peer parts does not change that.
        drop(tokio::time::timeout(RELEASE_PATIENCE, release(&mut talk)).await);

        Ok("answered the C-ECHO with status 0000H".to_owned())
    }
}

/// Reads until the answer to the C-ECHO is whole; returns its status.
async fn echoed(talk: &mut Talk) -> Result<u16, String> {
    let mut command = Vec::new();
    for _ in 0..PDUS_MAX {
        let fragments = match read(talk).await? {
            Pdu::Data(fragments) => fragments?,
            Pdu::Aborted(why) => return Err(why),
            other @ (Pdu::Accepted(_) | Pdu::Refused(_) | Pdu::Released | Pdu::Strange(_)) => {
                return Err(unexpected(&other, "its answer to a C-ECHO"));
            }
        };
        for fragment in fragments {
            if fragment.context != CONTEXT_ID || !fragment.is_command {
                return Err("its answer to a C-ECHO carries a data set".to_owned());
            }
            command.extend_from_slice(&fragment.bytes);
            if COMMAND_MAX_BYTES < command.len() {
                return Err("its answer to a C-ECHO does not end".to_owned());
            }
            if fragment.is_last {
                return match Answer::read(&command) {
                    Some(answer) => answer.status(),
                    None => Err("its answer to a C-ECHO does not read".to_owned()),
                };
            }
        }
    }

    Err("its answer to a C-ECHO does not end".to_owned())
}

async fn release(talk: &mut Talk) -> Result<(), String> {
    talk.send(pdu::RELEASE).await?;
    read(talk).await.map(drop)
}

async fn read(talk: &mut Talk) -> Result<Pdu, String> {
    let head = talk.read_exactly(pdu::HEAD_BYTES).await?;
    let (kind, length) = pdu::head(&head).ok_or_else(|| {
        let said = String::from_utf8_lossy(&head).into_owned();
        format!("does not speak DICOM; its answer begins with `{said}`")
    })?;
    if PDU_MAX_BYTES < length {
        return Err(format!("announced a PDU of {length} bytes, which is no answer to a C-ECHO"));
    }

    Ok(Pdu::read(kind, &talk.read_exactly(length).await?))
}

fn unexpected(pdu: &Pdu, what: &str) -> String {
    format!("{what} is {}", pdu.name())
}
