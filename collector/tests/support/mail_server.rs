//! A real, independent SMTP server (Debian's `python3-aiosmtpd`) and an independent reader of what it stored.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use shirase_shared::testing::eventually;

use crate::python::python;

/// Reads a maildir with Python's own mail parser and prints one JSON array.
const READER: &str = r#"
import email, email.policy, json, pathlib, sys
mails = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("new/*"), key=lambda p: p.stat().st_mtime_ns):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    mails.append({"subject": mail["Subject"], "to": mail["To"], "from": mail["From"], "body": mail.get_content(),
                  "message_id": mail["Message-ID"], "headers": [k for k, _ in mail.items()],
                  "defects": [str(d) for d in mail.defects]})
print(json.dumps(mails))
"#;

/// One mail as an independent parser reads it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) body: String,
    pub(crate) message_id: String,
    pub(crate) headers: Vec<String>,
    pub(crate) defects: Vec<String>,
}

/// Certificate and key for a server that wants STARTTLS.
pub(crate) struct ServerTls<'a> {
    pub(crate) certificate: &'a Path,
    pub(crate) key: &'a Path,
}

/// A running server; ends when dropped.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    maildir: PathBuf,
    child: Child,
}

/// Returns a port nobody uses at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl MailServer {
    /// Starts it on `port` with its mails in `dir`, and waits until it answers.
    pub(crate) async fn start(dir: &Path, port: u16, tls: Option<ServerTls<'_>>) -> Self {
        let maildir = dir.join("maildir");
        let mut command = Command::new(python());
        command.args(["-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Mailbox"]);
        command.args(["-l", &format!("127.0.0.1:{port}")]);
        if let Some(tls) = tls {
            command
                .arg("--tlscert")
                .arg(tls.certificate)
                .arg("--tlskey")
                .arg(tls.key);
        }
        let child = command
            .arg(&maildir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the mail server to answer", Duration::from_secs(20), || async {
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;

        Self { port, maildir, child }
    }

    /// Returns the mails stored so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let mut reader = Command::new(python())
            .arg("-")
            .arg(&self.maildir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        reader
            .stdin
            .take()
            .unwrap()
            .write_all(READER.as_bytes())
            .unwrap();
        let output = reader.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
