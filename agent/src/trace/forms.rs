//! How parts of an observation are written in JSON: paths that are no UTF-8, values that are shared.
//!
//! Named in `#[serde(with = "forms::…")]` of the types in `observation`.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whether a value need not be written.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A path: text where it is UTF-8, else its bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes { hex: String },
}

impl Written {
    fn of(path: &std::path::Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes { hex: hex::encode(path.as_os_str().as_encoded_bytes()) },
        }
    }

    fn path<E: serde::de::Error>(self) -> Result<PathBuf, E> {
        match self {
            Self::Text(text) => Ok(PathBuf::from(text)),
            Self::Bytes { hex } => hex::decode(hex).map(of_bytes).map_err(E::custom),
        }
    }
}

/// Returns the path with these bytes; where the system has no such paths, the nearest text.
#[cfg(unix)]
pub(super) fn of_bytes(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;

    std::ffi::OsString::from_vec(bytes).into()
}

/// Returns the path with these bytes; where the system has no such paths, the nearest text.
#[cfg(not(unix))]
pub(super) fn of_bytes(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// A path.
pub mod path {
    use std::path::{Path, PathBuf};

    use super::{Deserialize as _, Deserializer, Serialize as _, Serializer, Written};

    /// Writes a path.
    ///
    /// # Errors
    /// If the output fails.
    pub fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        Written::of(path).serialize(to)
    }

    /// Reads a path.
    ///
    /// # Errors
    /// If it is neither text nor hexadecimal bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        Written::deserialize(from)?.path()
    }
}

/// A path that may be unknown.
pub mod maybe_path {
    use std::path::PathBuf;

    use super::{Deserialize as _, Deserializer, Serialize as _, Serializer, Written};

    /// Writes a path or nothing.
    ///
    /// # Errors
    /// If the output fails.
    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(Written::of).serialize(to)
    }

    /// Reads a path or nothing.
    ///
    /// # Errors
    /// If it is neither nothing, text nor hexadecimal bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
        Option::<Written>::deserialize(from)?
            .map(Written::path)
            .transpose()
    }
}

/// Whether names below a root may leave the host.
pub mod names {
    use serde::de::Error as _;
    use shirase_shared::redact::Names;

    use super::{Deserialize as _, Deserializer, Serializer};

    /// Writes it.
    ///
    /// # Errors
    /// If the output fails.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub fn serialize<S: Serializer>(names: &Names, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match names {
            Names::Hidden => "hidden",
            Names::Clear => "clear",
        })
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it is neither `hidden` nor `clear`.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Names, D::Error> {
        match String::deserialize(from)?.as_str() {
            "hidden" => Ok(Names::Hidden),
            "clear" => Ok(Names::Clear),
            _ => Err(D::Error::custom("names are neither `hidden` nor `clear`")),
        }
    }
}

/// A value that several observations have in common.
pub mod shared {
    use super::{Arc, Deserialize, Deserializer, Serialize, Serializer};

    /// Writes it in full.
    ///
    /// # Errors
    /// If the output fails.
    pub fn serialize<T: Serialize, S: Serializer>(
        value: &Arc<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(to)
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it does not read.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

/// A value that several observations have in common, or none.
pub mod maybe_shared {
    use super::{Arc, Deserialize, Deserializer, Serialize, Serializer};

    /// Writes it in full.
    ///
    /// # Errors
    /// If the output fails.
    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Arc<T>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_deref().serialize(to)
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it does not read.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Arc<T>>, D::Error> {
        Option::<T>::deserialize(from).map(|value| value.map(Arc::new))
    }
}
