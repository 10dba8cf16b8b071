//! Whether an HL7 interface acknowledges a message over MLLP; a mere connection proves nothing.
//!
//! ```text
//! ──▶ VT message FS CR          MSA|AA or MSA|CA with the control id sent: up
//! ◀── VT acknowledgement FS CR  AE, AR, CE, CR: down, with the words of MSA-3 or ERR
//! ```
//!
//! What is sent has no effect in any record: `NMQ^N01`, the standard's network management query, with nothing but
//! MSH and `NST|N`. It names no patient, no order and no document, so that an engine that files what it receives has
//! nothing to file; NCK and NSC, which set clocks and stop applications, are left out. Interface engines that
//! acknowledge on receipt (the usual setting) answer `AA` to any message that reads. One that checks types before it
//! acknowledges answers `AR`; it is given a message of its own by `message_file`, agreed on with whoever runs it.

mod message;

use std::path::PathBuf;

use shirase_shared::clock::SharedClock;
use uuid::Uuid;

use super::net::{Peer, Progress, Talk};
use super::{Asked, Failure};
use message::Stamp;

pub(super) use message::Header;
pub use shirase_shared::settings::probe::Acknowledgement;

/// Longest answer taken, framing and all blocks included, and longest message sent, in bytes.
const BYTES_MAX: usize = 64 * 1024;
/// Bytes read at a time.
const READ_BYTES: usize = 4096;

const VT: u8 = 0x0b;
const FS: u8 = 0x1c;
const CR: u8 = 0x0d;
/// A block of this byte alone says that the bytes arrived (MLLP release 2); the acknowledgement follows.
const COMMITTED: &[u8] = &[0x06];
/// A block of this byte alone says that they did not.
const NOT_COMMITTED: &[u8] = &[0x15];

/// An interface and what is said to it.
pub(super) struct Interface {
    pub(super) peer: Peer,
    pub(super) message: Message,
    pub(super) clock: SharedClock,
}

/// What is said.
pub(super) enum Message {
    /// The built-in query.
    BuiltIn(Header),
    /// What stands in a file.
    File(PathBuf),
}

impl Interface {
    /// Asks once.
    pub(super) async fn ask(&self, progress: &Progress) -> Asked {
        let id = Uuid::new_v4().simple().to_string();
        // MSH-10 holds 20 characters.
        let id: String = "SHR".chars().chain(id.chars().take(16)).collect();
        let stamp = Stamp {
            control_id: id,
            time: self.clock.now().strftime("%Y%m%d%H%M%S+0000").to_string(),
        };
        let message = match &self.message {
            Message::BuiltIn(header) => header.query(&stamp),
            Message::File(path) => {
                let read = super::read_file(path, BYTES_MAX).map_err(Failure::Unable)?;
                let unfit =
                    |why| Failure::Unable(format!("the message `{}` {why}", path.display()));
                message::restamped(&read, &stamp).map_err(unfit)?
            }
        };
        let mut block = Vec::with_capacity(message.len() + 3);
        block.push(VT);
        block.extend_from_slice(&message);
        block.extend_from_slice(&[FS, CR]);

        let mut talk = self.peer.connect(progress).await?;
        talk.send(&block).await?;
        let mut blocks = Blocks { talk, received: Vec::new(), scanned: 0, begins: None };
        loop {
            let block = blocks.next().await?;
            if block == COMMITTED {
                continue;
            }
            if block == NOT_COMMITTED {
                return Err("refused the message (MLLP NAK)".to_owned().into());
            }
            return Ok(message::judge(&block, &stamp.control_id)?);
        }
    }
}

/// Takes MLLP blocks from a connection, however its bytes arrive.
struct Blocks {
    talk: Talk,
    received: Vec<u8>,
    scanned: usize,
    /// Where the block begun last has its first byte.
    begins: Option<usize>,
}

impl Blocks {
    /// Returns the content of the next block.
    async fn next(&mut self) -> Result<Vec<u8>, String> {
        loop {
            while let Some(byte) = self.received.get(self.scanned) {
                self.scanned += 1;
                match (self.begins, *byte) {
                    // What stands between blocks is no part of any.
                    (None, VT) => self.begins = Some(self.scanned),
                    (Some(begins), FS) => {
                        self.begins = None;
                        let block = self.received.get(begins..self.scanned - 1);
                        return Ok(block.unwrap_or_default().to_vec());
                    }
                    (None | Some(_), _) => {}
                }
            }
            let room = BYTES_MAX - self.received.len();
            if room == 0 {
                return Err(format!("its answer does not end within {} KiB", BYTES_MAX / 1024));
            }
            let read = self
                .talk
                .read_some(&mut self.received, room.min(READ_BYTES))
                .await?;
            if read == 0 {
                return Err(self.broken_off());
            }
        }
    }

    fn broken_off(&self) -> String {
        match (self.received.as_slice(), self.begins) {
            ([], _) => "closed the connection without an answer".to_owned(),
            (_, Some(_)) => "closed the connection in the middle of its answer".to_owned(),
            (answer, None) => format!(
                "does not speak MLLP; it said `{}`",
                String::from_utf8_lossy(answer)
                    .chars()
                    .take(60)
                    .collect::<String>()
            ),
        }
    }
}
