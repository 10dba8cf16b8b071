//! A real, independent SMTP server (Debian's `python3-aiosmtpd`) that plays a part for each connection: takes the mail,
//! refuses it, goes away before or after the final dot, keeps silent. What it took is read by Python's own mail parser.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::python::python;

/// The server: `FOLDER CERT KEY PART…`; connection n plays part n, the last one for ever. Prints its port.
const SERVER: &str = r#"
import asyncio, pathlib, ssl, sys
from aiosmtpd.smtp import SMTP

folder, cert, key, parts = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
tls = None
if cert:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)
connections = 0

class Handler:
    def __init__(self, part): self.part = part
    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.part == "rcpt-later": return "450 4.2.0 greylisted, come back"
        if self.part == "rcpt-refused": return "550 5.1.1 no such mailbox \x1b[31mhere"
        envelope.rcpt_tos.append(address)
        return "250 well"
    async def handle_DATA(self, server, session, envelope):
        if self.part == "text-later": return "451 4.3.0 try again"
        if self.part == "text-refused": return "554 5.7.1 we take no attachments"
        number = len(list(folder.glob("*.eml"))) + 1
        (folder / f"{number:04}.eml").write_bytes(envelope.original_content)
        if self.part == "cut-after":
            server.transport.abort()
            await asyncio.sleep(0.1)
        if self.part == "never-answers": await asyncio.sleep(3600)
        if self.part == "slow": await asyncio.sleep(1.5)
        return "250 2.0.0 taken as number %d" % number

class Play(SMTP):
    def __init__(self, part):
        self.part = part
        super().__init__(Handler(part), tls_context=tls, require_starttls=bool(tls), enable_SMTPUTF8=True,
                         decode_data=False)
    def connection_made(self, transport):
        if self.part != "silent": super().connection_made(transport)
    def data_received(self, data):
        if self.part != "silent": super().data_received(data)
    def connection_lost(self, error):
        if self.part != "silent": super().connection_lost(error)
    async def smtp_DATA(self, arg):
        if self.part == "cut-at-data":
            self.transport.abort()
            return
        if self.part == "cut-before":
            await self.push("354 go on")
            await self._reader.read(2000)
            self.transport.abort()
            return
        await super().smtp_DATA(arg)

def play():
    global connections
    part = parts[min(connections, len(parts) - 1)]
    connections += 1
    return Play(part)

async def main():
    server = await asyncio.get_running_loop().create_server(play, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

/// Reads the mails with Python's own parser and prints one JSON array.
const READER: &str = r#"
import email, email.policy, hashlib, json, pathlib, sys
mails = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = [p for p in mail.iter_attachments()]
    mails.append({"subject": mail["Subject"], "to": mail["To"], "from": mail["From"], "date": mail["Date"],
                  "message_id": mail["Message-ID"], "body": mail.get_body().get_content(),
                  "headers": [k for k, _ in mail.items()],
                  "files": {p.get_filename(): hashlib.sha256(p.get_payload(decode=True)).hexdigest() for p in parts},
                  "proof": next((p.get_payload(decode=True).decode() for p in parts
                                 if p.get_filename().endswith("-signatures.json")), ""),
                  "whole": hashlib.sha256(path.read_bytes()).hexdigest(),
                  "defects": [str(d) for part in mail.walk() for d in part.defects]})
print(json.dumps(mails))
"#;

/// One mail as an independent parser reads it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Taken {
    pub(crate) subject: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) date: String,
    pub(crate) message_id: String,
    pub(crate) body: String,
    pub(crate) headers: Vec<String>,
    pub(crate) files: std::collections::BTreeMap<String, String>,
    pub(crate) proof: String,
    pub(crate) whole: String,
    pub(crate) defects: Vec<String>,
}

/// A running server; ends when dropped.
pub(crate) struct Play {
    pub(crate) port: u16,
    folder: PathBuf,
    child: Child,
}

impl Play {
    /// Starts it without encryption.
    pub(crate) fn start(dir: &Path, parts: &[&str]) -> Self {
        Self::begin(dir, None, parts)
    }

    /// Starts it so that it wants STARTTLS.
    pub(crate) fn start_tls(
        dir: &Path,
        (certificate, key): (&Path, &Path),
        parts: &[&str],
    ) -> Self {
        Self::begin(dir, Some((certificate, key)), parts)
    }

    fn begin(dir: &Path, tls: Option<(&Path, &Path)>, parts: &[&str]) -> Self {
        let folder = dir.join("taken");
        std::fs::create_dir_all(&folder).unwrap();
        let none = Path::new("");
        let (certificate, key) = tls.unwrap_or((none, none));
        let mut child = Command::new(python())
            .args(["-c", SERVER])
            .arg(&folder)
            .arg(certificate)
            .arg(key)
            .args(parts)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the mail server's port");

        Self { port, folder, child }
    }

    /// Returns the mails it took, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        let mut reader = Command::new(python())
            .arg("-")
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = reader.stdin.take().unwrap();
        stdin.write_all(READER.as_bytes()).unwrap();
        drop(stdin);
        let output = reader.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
