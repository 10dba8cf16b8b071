//! Makes the mail that carries a released report: the mail that was approved and signed, with an envelope around it.
//!
//! The subject, the text and every part are the stored, signed file's own. What is set here says to whom it goes, from
//! whom, when it was chosen and under which id; the proof of the signatures and a filled form are added as parts.
//!
//! Always holds: no text begins a header line; the same delivery gives the same mail, byte for byte, at every attempt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::parcel::{File, Mismatch};
use super::{Delivery, Parcel};
use crate::approval::Format;
use crate::notify::mail::{Around, EnvelopeError, Outgoing, envelope};

/// Longest line of a part in base64.
const BASE64_LINE: usize = 76;
/// Headers of the signed mail that go on; everything else in its head is for a mail program that opens a draft.
const KEPT_HEADERS: [&str; 3] = ["mime-version", "subject", "content-type"];

/// Why there is no mail.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The report is not the one the delivery was chosen for.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// It was approved when there were no mails yet.
    #[error(
        "the report was approved by a version that made no mail; deliver it by another way, or release it anew"
    )]
    NoMail,
    /// The stored mail is not one this program makes.
    #[error("the stored mail has no head or no boundary")]
    Unreadable,
    /// An address does not stand.
    #[error(transparent)]
    Address(#[from] EnvelopeError),
}

/// Makes the mail of a delivery.
///
/// # Errors
/// Says why there is none.
pub fn compose(from: &str, delivery: &Delivery, parcel: &Parcel) -> Result<Outgoing, ComposeError> {
    parcel.check(delivery)?;
    let stored = parcel.approved.rendering_of(Format::Eml);
    let stored = stored.ok_or(ComposeError::NoMail)?;
    let text = std::str::from_utf8(&stored.bytes).map_err(|_| ComposeError::Unreadable)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(ComposeError::Unreadable)?;
    let kept = kept_headers(head);
    let boundary = boundary(&kept).ok_or(ComposeError::Unreadable)?;
    let end = format!("--{boundary}--");
    let (inner, _) = body.rsplit_once(&end).ok_or(ComposeError::Unreadable)?;

    let mut added = parcel.files(|_| false);
    added.push(parcel.proof());
    let parts: Vec<String> = added.iter().map(|file| part(&boundary, file)).collect();
    let around = Around {
        from,
        to: &delivery.addressee.address,
        message_id: &delivery.message_id,
        at: delivery.created_at,
    };
    let mut outgoing = envelope(&around)?;
    let rest = format!("{kept}\r\n{inner}{}{end}\r\n", parts.concat());
    outgoing.bytes.extend_from_slice(rest.as_bytes());

    Ok(outgoing)
}

/// Returns the headers that go on, each with the lines it is folded into.
fn kept_headers(head: &str) -> String {
    let mut kept = String::new();
    let mut keeps = false;
    for line in head.split("\r\n") {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default();
            keeps = KEPT_HEADERS.contains(&name.to_ascii_lowercase().as_str());
        }
        if keeps {
            kept.push_str(line);
            kept.push_str("\r\n");
        }
    }
    kept
}

/// Returns what separates the parts.
fn boundary(head: &str) -> Option<String> {
    let (_, after) = head.split_once("boundary=\"")?;
    let (boundary, _) = after.split_once('"')?;
    let legal = |c: char| c.is_ascii_alphanumeric();
    (!boundary.is_empty() && boundary.chars().all(legal)).then(|| boundary.to_owned())
}

fn part(boundary: &str, file: &File) -> String {
    let encoded = STANDARD.encode(&file.bytes);
    let mut lines = String::new();
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(BASE64_LINE));
        lines.push_str(line);
        lines.push_str("\r\n");
        rest = after;
    }
    let (name, kind) = (&file.name, media_type(&file.name));
    format!(
        "--{boundary}\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{lines}"
    )
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("json") => Format::Json.media_type(),
        Some("xlsx") => Format::Xlsx.media_type(),
        Some("docx") => Format::Docx.media_type(),
        Some(_) | None => "application/octet-stream",
    }
}
