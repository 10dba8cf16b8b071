//! A product a second person approved, with the files that were made, signed and kept then.
//!
//! Always holds: [`Approved`] has one constructor, which checks the frozen text against its hash, the people against each
//! other, and every file against its signature.

use jiff::Timestamp;
use shirase_shared::ids::ProductId;
use shirase_shared::tls::sha256_hex;

use super::{Body, BodyError, Product, ProductState};
use crate::exchange::package::PackageFile;
use crate::keys::Signed;

/// First line of the text that is signed.
const SIGNED_LAYOUT: &str = "shirase-sharing-signature-1";

/// A file of a product with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductFile {
    /// The file.
    pub file: PackageFile,
    /// The signature over [`signed_text`], base64.
    pub signature: String,
}

/// What is stored about an approved product.
#[derive(Clone, Debug)]
pub struct StoredProduct {
    /// The product.
    pub product: Product,
    /// Its frozen body.
    pub frozen: String,
    /// The key the files were signed with, base64.
    pub signer: String,
    /// The files.
    pub files: Vec<ProductFile>,
}

/// An approved product. Only [`Approved::verify`] makes one, and only this leaves the house.
#[derive(Clone, Debug)]
pub struct Approved {
    stored: StoredProduct,
    body: Body,
    at: Timestamp,
    sha256: String,
}

/// Why what is stored is no approved product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Nobody approved it.
    #[error("the product is not approved")]
    NotApproved,
    /// The frozen body is not the one that was approved.
    #[error("the frozen text is not the one that was approved; the record was changed")]
    OtherText,
    /// It does not read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Its author approved it.
    #[error("its author is on record as its approver; the record was changed")]
    OwnProduct,
    /// A file is not the one that was signed.
    #[error("the file `{0}` is not the one that was signed; the record was changed")]
    OtherFile(String),
}

/// Returns the text that is signed for a file of a product.
#[must_use]
pub fn signed_text(product: ProductId, body_sha256: &str, file: &PackageFile) -> String {
    let (name, hash) = (&file.name, sha256_hex(&file.bytes));
    format!(
        "{SIGNED_LAYOUT}\nproduct {product}\nbody-sha256 {body_sha256}\nfile {name}\nfile-sha256 {hash}\n"
    )
}

impl Approved {
    /// Checks what is stored.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn verify(stored: StoredProduct) -> Result<Self, Mismatch> {
        let product = &stored.product;
        let ProductState::Approved(decided) = &product.state else {
            return Err(Mismatch::NotApproved);
        };
        if sha256_hex(stored.frozen.as_bytes()) != decided.sha256 {
            return Err(Mismatch::OtherText);
        }
        let body = Body::read(stored.frozen.as_bytes())?;
        if body != product.body {
            return Err(Mismatch::OtherText);
        }
        if product
            .authors
            .iter()
            .any(|author| author.user == decided.by.user)
        {
            return Err(Mismatch::OwnProduct);
        }
        for ProductFile { file, signature } in &stored.files {
            let text = signed_text(product.id, &decided.sha256, file);
            let signed = Signed { public_key: &stored.signer, bytes: text.as_bytes(), signature };
            if !signed.is_genuine() {
                return Err(Mismatch::OtherFile(file.name.to_string()));
            }
        }
        let (at, sha256) = (decided.at, decided.sha256.clone());

        Ok(Self { body, at, sha256, stored })
    }

    /// Returns the product.
    #[must_use]
    pub const fn product(&self) -> &Product {
        &self.stored.product
    }

    /// Returns what it says.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// Returns when it was approved.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the hash of its frozen body.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns its files.
    pub fn files(&self) -> impl Iterator<Item = &PackageFile> {
        self.stored.files.iter().map(|one| &one.file)
    }

    /// Returns the file of a name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&PackageFile> {
        self.files().find(|file| file.name.as_str() == name)
    }

    /// Returns the one line that stands over its package.
    #[must_use]
    pub fn subject(&self) -> String {
        super::title(&self.body, crate::locale::Locale::new(crate::locale::Lang::Ja))
    }
}
