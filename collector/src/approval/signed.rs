//! What the collector's report key signs about a file, and how that is checked.

use shirase_shared::ids::ReportId;
use shirase_shared::tls::sha256_hex;

use super::{Format, Tampered};
use crate::keys::Signed;
use crate::reports::answer::Revision;

/// First line of a signed text, so that a later layout can never be taken for this one.
const SIGNED_LAYOUT: &str = "shirase-rendering-1";

/// What a signature of a rendering speaks about.
#[derive(Clone, Copy, Debug)]
pub struct SignedParts<'a> {
    /// The report.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// Hash of the frozen answers.
    pub answers_sha256: &'a str,
    /// What kind of file.
    pub format: Format,
    /// Hash of the file.
    pub file_sha256: &'a str,
}

/// Returns the text a rendering's signature is over.
#[must_use]
pub fn signed_text(parts: &SignedParts<'_>) -> String {
    let SignedParts { report, revision, answers_sha256, format, file_sha256 } = parts;
    format!(
        "{SIGNED_LAYOUT}\nreport {report}\nrevision {revision}\nanswers-sha256 {answers_sha256}\n\
         format {format}\nfile-sha256 {file_sha256}\n"
    )
}

/// Checks a file against its signature: that it is the one rendered for these answers by the holder of the key.
///
/// `parts.file_sha256` is what the record claims; the file is hashed anew here.
///
/// # Errors
/// Says whether the file or the signature is the wrong one.
pub fn verify_rendering(
    parts: &SignedParts<'_>,
    file: &[u8],
    signature: &str,
    public_key: &str,
) -> Result<(), Tampered> {
    let found = sha256_hex(file);
    if found != parts.file_sha256 {
        let expected = parts.file_sha256.to_owned();
        return Err(Tampered::File { expected, found });
    }
    let text = signed_text(parts);
    let signed = Signed { public_key, bytes: text.as_bytes(), signature };
    if !signed.is_genuine() {
        return Err(Tampered::Signature);
    }

    Ok(())
}
