//! A package: sealed by its sender, read as a stranger's, proven by its signature.
//!
//! ```text
//! package.zip: manifest.json (canonical)   signature.txt (Ed25519, base64)   files/<name> …
//! ```
//!
//! Always holds:
//! - a [`Package`] was sealed here or its signature was checked; what was merely read is [`Unproven`];
//! - its files are those the manifest names, byte for byte, and no others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::tls::sha256_hex;

use super::kind::{PackageKind, Tlp};
use super::manifest::{
    Acknowledged, FILE_MAX_BYTES, FileEntry, LAYOUT, Manifest, ManifestError, ReleasedBy, ReportRef,
};
use super::message::Released;
use super::{CardId, FileName, FileNameError, PackageId};
use crate::approval::Format;
use crate::deliver::Parcel;
use crate::keys::{Signed, SigningKey};
use crate::reports::render::archive::{ArchiveError, pack, unpack};

/// Largest package as a file or a request.
pub const PACKAGE_MAX_BYTES: usize = 25 * 1024 * 1024;
/// Ending of a package's file.
pub const PACKAGE_SUFFIX: &str = ".shirase.zip";
/// First line of the text that is signed.
const SIGNED_LAYOUT: &str = "shirase-package-signature-1";
const MANIFEST_PART: &str = "manifest.json";
const SIGNATURE_PART: &str = "signature.txt";
const FILES_FOLDER: &str = "files/";
/// An Ed25519 signature in base64 has 88 characters; a line end may follow.
const SIGNATURE_MAX_BYTES: usize = 100;

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Its name.
    pub name: FileName,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// From whom to whom a package goes, when, and where in its thread it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The sender's card.
    pub sender: CardId,
    /// The addressee's card.
    pub addressee: CardId,
    /// When it is made.
    pub made_at: Timestamp,
    /// The package that began the thread; `None` for a new one.
    pub thread: Option<PackageId>,
    /// Its place among the sender's packages of the thread.
    pub order: u32,
}

/// What may become a package: each was released, approved, or is said by the machine itself.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A message a second person released.
    Message(&'a Released),
    /// An approved report.
    Report(&'a ReportContent<'a>),
    /// An approved sharing product, which names nobody.
    Product(&'a crate::sharing::Approved),
    /// An acknowledgement.
    Acknowledgement(&'a Acknowledged),
}

/// An approved report as it becomes a package.
#[derive(Clone, Copy, Debug)]
pub struct ReportContent<'a> {
    /// Its files, from a verified approval.
    pub parcel: &'a Parcel,
    /// One line.
    pub subject: &'a str,
}

/// Why a package was not sealed, read or proven.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It is larger than a package is.
    #[error("it has more than {PACKAGE_MAX_BYTES} bytes, so it is no package of Shirase")]
    TooLarge,
    /// It is no container, or a damaged one.
    #[error("it is no whole package; copy the file again, or have the partner send it anew")]
    Damaged,
    /// A part of the container would do harm, or does not read.
    #[error("a part of it is not taken; have the partner send it anew")]
    Container(#[source] ArchiveError),
    /// A part of it is missing.
    #[error("it lacks the part `{0}`; copy the file again, or have the partner send it anew")]
    Missing(String),
    /// It holds something the manifest does not name.
    #[error(
        "it holds the part `{0}`, which its manifest does not name; have the partner send it anew"
    )]
    Foreign(String),
    /// A file is not the one the manifest names.
    #[error(
        "its file `{0}` is not the one the manifest names; copy the file again, or have the partner send it anew"
    )]
    OtherFile(FileName),
    /// The manifest cannot stand.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file has a name that is not taken.
    #[error(transparent)]
    Name(#[from] FileNameError),
    /// The signature is not that of the sender's key.
    #[error(
        "its signature is not that of the sender's key: it was forged or changed; call the partner on a number you know"
    )]
    Forged,
}

impl From<ArchiveError> for PackageError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::NotZip(_) => Self::Damaged,
            error @ (ArchiveError::TooMany(_)
            | ArchiveError::Bomb(_)
            | ArchiveError::Name(_)
            | ArchiveError::Encrypted(_)
            | ArchiveError::Part { .. }) => Self::Container(error),
        }
    }
}

/// A package whose sender is known by its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    id: PackageId,
    manifest: Manifest,
    signature: String,
    signer: String,
    files: Vec<PackageFile>,
}

/// A package as it was read: whole, but by whomever.
#[derive(Clone, Debug)]
pub struct Unproven(Package);

impl Package {
    /// Makes a package and signs it.
    ///
    /// # Errors
    /// When what is to be sent cannot stand in a manifest.
    pub fn seal(
        content: Content<'_>,
        envelope: Envelope,
        key: &SigningKey,
    ) -> Result<Self, PackageError> {
        let (mut manifest, files) = manifest_of(content, envelope)?;
        manifest.files = files
            .iter()
            .map(|file| FileEntry {
                name: file.name.clone(),
                sha256: sha256_hex(&file.bytes),
                bytes: file.bytes.len() as u64,
            })
            .collect();
        manifest.check()?;
        let id = PackageId::of(manifest.text()?.as_bytes());
        let signature = key.sign_base64(signed_text(&id).as_bytes());

        Ok(Self { id, manifest, signature, signer: key.public_base64(), files })
    }

    /// Returns what it is named by.
    #[must_use]
    pub const fn id(&self) -> &PackageId {
        &self.id
    }

    /// Returns its manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns its signature, base64.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Returns the public key the signature was made or checked with, base64.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// Returns its files.
    #[must_use]
    pub fn files(&self) -> &[PackageFile] {
        &self.files
    }

    /// Returns the package as one file.
    ///
    /// # Errors
    /// When it is larger than the container can hold.
    pub fn to_file(&self) -> Result<Vec<u8>, PackageError> {
        let mut parts = vec![
            (MANIFEST_PART.to_owned(), self.manifest.text()?.into_bytes()),
            (SIGNATURE_PART.to_owned(), format!("{}\n", self.signature).into_bytes()),
        ];
        parts.extend(
            self.files
                .iter()
                .map(|file| (format!("{FILES_FOLDER}{}", file.name), file.bytes.clone())),
        );
        let named: Vec<(&str, Vec<u8>)> = parts
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.clone()))
            .collect();

        Ok(pack(&named)?)
    }

    /// Returns the name of its file: kind and the beginning of its id.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(self.manifest.kind, &self.id)
    }

    /// Puts together what was stored after it was sealed or proven, and checks that nothing of it was changed since.
    ///
    /// # Errors
    /// When it was.
    pub fn stored(
        manifest: &str,
        signature: String,
        files: Vec<PackageFile>,
        key: &str,
    ) -> Result<Self, PackageError> {
        Unproven::of(manifest.as_bytes(), signature, files)?.prove(key)
    }
}

/// Returns the name of a package's file.
#[must_use]
pub fn file_name(kind: PackageKind, id: &PackageId) -> String {
    format!("{}-{}{PACKAGE_SUFFIX}", kind.as_str().replace('_', "-"), id.short())
}

impl Unproven {
    /// Reads a foreign file strictly.
    ///
    /// # Errors
    /// Says what is wrong with it and what to do.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        if PACKAGE_MAX_BYTES < bytes.len() {
            return Err(PackageError::TooLarge);
        }
        let mut parts = unpack(bytes)?;
        let mut take = |name: &str| {
            let part = parts.remove(name);
            part.ok_or_else(|| PackageError::Missing(name.to_owned()))
        };
        let manifest = take(MANIFEST_PART)?;
        let signature = take(SIGNATURE_PART)?;
        if SIGNATURE_MAX_BYTES < signature.len() {
            return Err(PackageError::Forged);
        }
        let signature = String::from_utf8(signature).map_err(|_| PackageError::Forged)?;
        let mut files = Vec::new();
        for (name, bytes) in parts {
            let Some(bare) = name.strip_prefix(FILES_FOLDER) else {
                return Err(PackageError::Foreign(shown(&name)));
            };
            files.push(PackageFile { name: bare.parse()?, bytes });
        }

        Self::of(&manifest, signature.trim_end().to_owned(), files)
    }

    fn of(
        manifest: &[u8],
        signature: String,
        files: Vec<PackageFile>,
    ) -> Result<Self, PackageError> {
        let id = PackageId::of(manifest);
        let manifest = Manifest::read(manifest)?;
        let mut held: BTreeMap<FileName, Vec<u8>> = files
            .into_iter()
            .map(|file| (file.name, file.bytes))
            .collect();
        let mut files = Vec::with_capacity(manifest.files.len());
        for entry in &manifest.files {
            let Some(bytes) = held.remove(&entry.name) else {
                return Err(PackageError::Missing(entry.name.to_string()));
            };
            if FILE_MAX_BYTES < bytes.len() as u64
                || bytes.len() as u64 != entry.bytes
                || sha256_hex(&bytes) != entry.sha256
            {
                return Err(PackageError::OtherFile(entry.name.clone()));
            }
            files.push(PackageFile { name: entry.name.clone(), bytes });
        }
        if let Some(name) = held.into_keys().next() {
            return Err(PackageError::Foreign(name.to_string()));
        }

        Ok(Self(Package { id, manifest, signature, signer: String::new(), files }))
    }

    /// Returns what it says of itself, which nobody vouches for yet.
    #[must_use]
    pub const fn claims(&self) -> &Manifest {
        &self.0.manifest
    }

    /// Returns what it is named by.
    #[must_use]
    pub const fn id(&self) -> &PackageId {
        &self.0.id
    }

    /// Checks the signature against the key on the sender's card.
    ///
    /// # Errors
    /// When it is not that key's.
    pub fn prove(self, report_key: &str) -> Result<Package, PackageError> {
        let text = signed_text(&self.0.id);
        let signed =
            Signed { public_key: report_key, bytes: text.as_bytes(), signature: &self.0.signature };
        if !signed.is_genuine() {
            return Err(PackageError::Forged);
        }

        Ok(Package { signer: report_key.to_owned(), ..self.0 })
    }
}

fn signed_text(id: &PackageId) -> String {
    format!("{SIGNED_LAYOUT}\nmanifest-sha256 {id}\n")
}

fn manifest_of(
    content: Content<'_>,
    envelope: Envelope,
) -> Result<(Manifest, Vec<PackageFile>), PackageError> {
    let Envelope { sender, addressee, made_at, thread, order } = envelope;
    let mut manifest = Manifest {
        layout: LAYOUT.to_owned(),
        kind: PackageKind::Acknowledgement,
        sender,
        addressee,
        made_at,
        tlp: Tlp::Amber,
        drill: false,
        thread,
        reply_to: None,
        order,
        subject: String::new(),
        text: String::new(),
        released: None,
        report: None,
        acknowledges: None,
        files: Vec::new(),
    };
    let files = match content {
        Content::Message(released) => {
            let message = released.message();
            manifest.kind = message.kind;
            manifest.tlp = message.tlp;
            manifest.drill = message.drill;
            manifest.reply_to.clone_from(&message.reply_to);
            manifest.subject.clone_from(&message.subject);
            manifest.text.clone_from(&message.text);
            manifest.released = Some(ReleasedBy {
                written_by: message.written_by.name.clone(),
                released_by: released.by().name.clone(),
            });
            message.files.clone()
        }
        Content::Report(report) => {
            let approved = &report.parcel.approved;
            let frozen = approved.frozen();
            manifest.kind = PackageKind::Report;
            manifest.drill = frozen.drill.is_some();
            report.subject.clone_into(&mut manifest.subject);
            manifest.report = Some(ReportRef {
                report: frozen.report,
                revision: frozen.revision.0,
                profile: frozen.profile.id.clone(),
                incident_number: frozen.incident.number,
                answers_sha256: approved.answers_sha256().to_owned(),
            });
            report_files(report.parcel)?
        }
        Content::Product(approved) => {
            let body = approved.body();
            manifest.kind = PackageKind::SharingProduct;
            manifest.tlp = body.tlp;
            manifest.drill = body.drill;
            manifest.subject = approved.subject();
            approved.files().cloned().collect()
        }
        Content::Acknowledgement(said) => {
            manifest.reply_to = Some(said.package.clone());
            said.what.as_str().clone_into(&mut manifest.subject);
            manifest.acknowledges = Some(said.clone());
            Vec::new()
        }
    };

    Ok((manifest, files))
}

/// Returns the kept renderings with the proof of their signatures. The mail is left out: it holds the others once more.
fn report_files(parcel: &Parcel) -> Result<Vec<PackageFile>, PackageError> {
    let mut files = parcel.files(|format| format != Format::Eml);
    files.push(parcel.proof());
    let named = files
        .into_iter()
        .map(|file| Ok(PackageFile { name: file.name.parse()?, bytes: file.bytes }));
    named.collect()
}

fn shown(text: &str) -> String {
    crate::locale::visible(text).chars().take(80).collect()
}
