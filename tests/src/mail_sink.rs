//! Takes what the collector mails: a minimal SMTP server on loopback that keeps each message as a file.
//!
//! It is for the quick start, where nothing but a Rust toolchain is at hand. The collector's own tests use an
//! independent SMTP server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longest message kept, in bytes; a longer one is refused.
const MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// A running sink. Ends when dropped.
#[derive(Debug)]
pub struct MailSink {
    /// Where it listens.
    pub address: SocketAddr,
    folder: PathBuf,
    task: JoinHandle<()>,
}

impl MailSink {
    /// Keeps messages in `folder` as `0001.eml` and so on: those that come to `listener`, or to a free loopback port.
    ///
    /// # Errors
    /// When no port is free, or the folder cannot be made.
    pub async fn start(folder: &Path, listener: Option<std::net::TcpListener>) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make `{}`", folder.display()))?;
        let listener = match listener {
            Some(listener) => TcpListener::from_std(listener),
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
        };
        let listener = listener.context("no free port")?;
        let address = listener
            .local_addr()
            .context("failed to read the sink's address")?;
        let kept = folder.to_owned();
        let number = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kept.clone(), Arc::clone(&number)));
            }
        });

        Ok(Self { address, folder: folder.to_owned(), task })
    }

    /// Returns the messages kept so far, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        let mut files: Vec<_> = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        files.sort();
        files
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .collect()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, folder: PathBuf, number: Arc<AtomicUsize>) {
    // A client that goes away in the middle has delivered nothing, which is all there is to say.
    drop(converse(stream, &folder, &number).await);
}

async fn converse(stream: TcpStream, folder: &Path, number: &AtomicUsize) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 mail sink ready\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-mail sink\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => b"250 well\r\n",
            "DATA" => {
                writer.write_all(b"354 go on, end with a dot\r\n").await?;
                match message(&mut lines).await? {
                    Some(text) => {
                        let name = format!("{:04}", number.fetch_add(1, Ordering::SeqCst) + 1);
                        let part = folder.join(format!("{name}.part"));
                        std::fs::write(&part, text)?;
                        std::fs::rename(&part, folder.join(format!("{name}.eml")))?;
                        b"250 kept\r\n"
                    }
                    None => b"552 too long\r\n",
                }
            }
            "QUIT" => {
                writer.write_all(b"221 good night\r\n").await?;
                return Ok(());
            }
            _ => b"502 not known here\r\n",
        };
        writer.write_all(answer).await?;
    }

    Ok(())
}

async fn message(
    lines: &mut tokio::io::Lines<BufReader<tokio::net::tcp::OwnedReadHalf>>,
) -> Result<Option<String>> {
    let mut text = String::new();
    while let Some(line) = lines.next_line().await? {
        if line == "." {
            return Ok((text.len() <= MESSAGE_MAX_BYTES).then_some(text));
        }
        if text.len() <= MESSAGE_MAX_BYTES {
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push('\n');
        }
    }

    anyhow::bail!("the client went away in the middle of a message")
}
