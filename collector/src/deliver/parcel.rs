//! What goes to an addressee: the stored, signed files of a released report, and the proof of their signatures.
//!
//! The proof is a JSON file. For each file it holds the text that was signed (see `approval`) and the Ed25519 signature
//! over it; `public_key` is the collector's report key, which the hospital also tells on paper.

use serde::Serialize;
use shirase_shared::tls::sha256_hex;

use super::{Delivery, Refusal, fits};
use crate::approval::{Approved, Format, SignedParts, signed_text};

/// First words of the proof, so that a later layout can never be taken for this one.
const LAYOUT: &str = "shirase-signatures-1";

/// A released report, ready to go. Made by `release` alone, from a verified approval.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The verified approval.
    pub approved: Approved,
    /// What names of its files begin with: letters, digits and hyphens.
    pub stem: String,
    /// The collector's report key, in base64.
    pub public_key: String,
    /// A filled official form that goes along.
    pub form: Option<FormFile>,
}

/// A filled official form with its own signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormFile {
    /// A plain name for it.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The text that was signed.
    pub signed_text: String,
    /// The signature over it, in base64.
    pub signature: String,
}

/// A file on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// A plain name: letters, digits, hyphens and dots.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Why a parcel does not go with a delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The delivery was chosen for other answers.
    #[error("the released answers are not those this delivery was chosen for")]
    Answers,
    /// An exercise's report would go as a real one, or a real one as an exercise's.
    #[error("the report and the delivery do not agree on whether it is an exercise (訓練)")]
    Drill,
    /// An exercise's report to somebody who takes no part in exercises.
    #[error(transparent)]
    Addressee(#[from] Refusal),
}

#[derive(Serialize)]
struct Proof<'a> {
    layout: &'static str,
    report: String,
    revision: u32,
    drill: bool,
    answers_sha256: &'a str,
    approved_at: String,
    public_key: &'a str,
    files: Vec<Signed>,
}

#[derive(Serialize)]
struct Signed {
    name: String,
    sha256: String,
    signed_text: String,
    signature: String,
}

impl Parcel {
    /// Checks that this is what the delivery was chosen for.
    ///
    /// # Errors
    /// Says what does not fit; nothing is sent then.
    pub fn check(&self, delivery: &Delivery) -> Result<(), Mismatch> {
        let frozen = self.approved.frozen();
        if self.approved.answers_sha256() != delivery.answers_sha256
            || frozen.report != delivery.report
            || frozen.revision != delivery.revision
        {
            return Err(Mismatch::Answers);
        }
        if frozen.drill.is_some() != delivery.drill {
            return Err(Mismatch::Drill);
        }
        fits(delivery.drill, &delivery.addressee)?;

        Ok(())
    }

    /// Returns the signed files of these kinds, as far as there are any, and the filled form.
    #[must_use]
    pub fn files(&self, wanted: impl Fn(Format) -> bool) -> Vec<File> {
        let stored = self.approved.renderings();
        let stored = stored.filter(|file| wanted(file.format)).map(|file| File {
            name: format!("{}{}", self.stem, file.format.suffix()),
            bytes: file.bytes.clone(),
        });
        let form = self
            .form
            .iter()
            .map(|form| File { name: form.name.clone(), bytes: form.bytes.clone() });
        stored.chain(form).collect()
    }

    /// Returns the proof of every signature.
    #[must_use]
    pub fn proof(&self) -> File {
        let approved = &self.approved;
        let frozen = approved.frozen();
        let rendered = approved.renderings().map(|file| Signed {
            name: format!("{}{}", self.stem, file.format.suffix()),
            sha256: file.sha256.clone(),
            signed_text: signed_text(&SignedParts {
                report: frozen.report,
                revision: frozen.revision,
                answers_sha256: approved.answers_sha256(),
                format: file.format,
                file_sha256: &file.sha256,
            }),
            signature: file.signature.clone(),
        });
        let form = self.form.iter().map(|form| Signed {
            name: form.name.clone(),
            sha256: sha256_hex(&form.bytes),
            signed_text: form.signed_text.clone(),
            signature: form.signature.clone(),
        });
        let proof = Proof {
            layout: LAYOUT,
            report: frozen.report.to_string(),
            revision: frozen.revision.0,
            drill: frozen.drill.is_some(),
            answers_sha256: approved.answers_sha256(),
            approved_at: approved.approved_at().to_string(),
            public_key: &self.public_key,
            files: rendered.chain(form).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&proof).unwrap_or_default();
        bytes.push(b'\n');

        File { name: format!("{}-signatures.json", self.stem), bytes }
    }
}
