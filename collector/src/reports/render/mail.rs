//! Renders a document to a mail that is ready to send: subject, text, the PDF and the attachments.
//!
//! `X-Unsent: 1` makes mail programs open it as a draft of the person who opened it; there is no `From`, and no `To`
//! unless somebody confirmed the addressee's address. Of lettre only the parts of a message are used here: nothing is sent.
//!
//! Always holds: no text can begin a header line; the separators between parts are derived, not drawn.

use std::time::SystemTime;

use lettre::message::header::{
    ContentType, Date, Header, HeaderName, HeaderValue, MIME_VERSION_1_0, Subject, To,
};
use lettre::message::{Body, Mailboxes, MultiPart, SinglePart};
use shirase_shared::tls::sha256_hex;

use super::Document;
use super::clean::clean_line;
use super::flat::{letter_lines, said_lines};
use crate::approval::Format;
use crate::locale::{Lang, Locale};

/// Longest subject, in characters.
const SUBJECT_MAX: usize = 180;

/// Renders a document to a mail around its PDF.
#[must_use]
pub fn render(document: &Document, pdf: &[u8]) -> Vec<u8> {
    let locale = Locale::new(Lang::read(document.lang));
    let record = &document.record;
    let boundary = sha256_hex(format!("{} {}", record.file_stem, sha256_hex(pdf)).as_bytes());
    let mut mail = MultiPart::mixed()
        .boundary(boundary)
        .singlepart(SinglePart::plain(Body::new(text(document, locale))))
        .singlepart(part(
            &format!("{}{}", record.file_stem, Format::Pdf.suffix()),
            Format::Pdf,
            pdf,
        ));
    for file in &document.attachments {
        mail = mail.singlepart(part(&file.name, file.format, &file.bytes));
    }
    let headers = mail.headers_mut();
    headers.set(MIME_VERSION_1_0);
    headers.set(Date::from(SystemTime::from(record.dated_at)));
    headers.set(Subject::from(subject(document, locale)));
    headers
        .insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str("X-Unsent"), "1".to_owned()));
    if !record.addressee_mail.is_empty()
        && let Ok(to) = record.addressee_mail.parse::<Mailboxes>()
    {
        headers.set(To::from(to));
    }

    mail.formatted()
}

fn part(name: &str, format: Format, bytes: &[u8]) -> SinglePart {
    let kind = ContentType::parse(format.media_type());
    let kind = kind.unwrap_or(ContentType::TEXT_PLAIN);
    SinglePart::builder()
        .header(Named(name.to_owned()))
        .header(kind)
        .body(bytes.to_vec())
}

/// That a part is a file, and its name in one piece: our names are plain, and cut into pieces some programs lose them.
#[derive(Clone)]
struct Named(String);

impl Header for Named {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
        let name: String = self.0.chars().filter(plain).collect();
        HeaderValue::new(Self::name(), format!("attachment; filename=\"{name}\""))
    }
}

fn subject(document: &Document, locale: Locale) -> String {
    let marks: String = document
        .marks
        .iter()
        .map(|mark| locale.text_with("mail-mark", &[("mark", mark)]))
        .collect();
    let sender = document.letter.sender.first().cloned().unwrap_or_default();
    let said = locale.text_with(
        "mail-subject",
        &[
            ("title", &document.title),
            ("facility", &sender),
            ("number", &document.record.incident_number),
            ("revision", &document.record.revision),
        ],
    );
    clean_line(&format!("{marks}{said}"))
        .chars()
        .take(SUBJECT_MAX)
        .collect()
}

fn text(document: &Document, locale: Locale) -> String {
    let mut lines = letter_lines(document);
    lines.extend([String::new(), locale.text("mail-body-items"), String::new()]);
    for item in &document.items {
        if !item.heading.is_empty() {
            lines.extend([format!("【{}】", item.heading), String::new()]);
        }
        lines.push(format!("{}. {} [{}]", item.place, item.label, item.status));
        lines.extend(
            said_lines(item)
                .into_iter()
                .map(|line| format!("   {line}")),
        );
        lines.push(String::new());
    }
    for (label, said) in &document.letter.duty {
        lines.push(format!("{label}: {said}"));
    }
    if !document.attachments.is_empty() {
        lines.extend([String::new(), locale.text("mail-body-files")]);
        for file in &document.attachments {
            lines.push(format!("   {}  {}", file.name, file.title));
            lines.push(format!("   SHA-256 {}", file.sha256));
        }
    }
    lines.extend([String::new(), document.footer.record.clone(), document.footer.hash.clone()]);
    if !document.footer.audit.is_empty() {
        lines.push(document.footer.audit.clone());
    }
    let mut text = lines.join("\r\n");
    text.push_str("\r\n");
    text
}
