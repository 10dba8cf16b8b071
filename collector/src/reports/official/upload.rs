//! What an uploaded file must be before anything else looks at it.

use std::collections::BTreeMap;

use super::xml::{attribute, each, local};
use super::{FormError, FormKind};
use crate::reports::render::archive::unpack;

/// Largest file taken. Official workbooks have some hundred kilobytes.
pub const UPLOAD_MAX_BYTES: usize = 5 * 1024 * 1024;
/// How a compound file begins: the old formats, and what a password makes of the new ones.
const COMPOUND: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];
/// Parts that hold programs, connections or foreign objects, by a piece of their name.
const FOREIGN_PARTS: &[&str] = &[
    "externallinks/",
    "activex/",
    "embeddings/",
    "connections.xml",
    "querytables/",
    "ctrlprops/",
    "afchunk",
    "webextensions/",
    "model/item",
];

/// Accepts a file or says why not.
pub(super) fn accept(bytes: &[u8]) -> Result<FormKind, FormError> {
    if UPLOAD_MAX_BYTES < bytes.len() {
        return Err(FormError::TooLarge { bytes: bytes.len() });
    }
    if bytes.starts_with(COMPOUND) {
        return Err(FormError::OldOrEncrypted);
    }
    let parts = unpack(bytes)?;
    let types = text(&parts, "[Content_Types].xml")?;
    refuse_programs(&parts, types)?;
    for (name, part) in &parts {
        let is_xml = name.ends_with(".xml") || name.ends_with(".rels") || name.ends_with(".vml");
        if !is_xml {
            continue;
        }
        let xml = std::str::from_utf8(part)
            .map_err(|_| FormError::Xml { part: name.clone(), reason: "it is not UTF-8".into() })?;
        refuse_foreign(name, xml)?;
    }

    kind(&parts, types)
}

fn kind(parts: &BTreeMap<String, Vec<u8>>, types: &str) -> Result<FormKind, FormError> {
    let has = |kind: &str, part: &str| types.contains(kind) && parts.contains_key(part);
    if has("spreadsheetml.sheet.main+xml", "xl/workbook.xml") {
        Ok(FormKind::Xlsx)
    } else if has("wordprocessingml.document.main+xml", "word/document.xml") {
        Ok(FormKind::Docx)
    } else {
        Err(FormError::WrongKind)
    }
}

fn refuse_programs(parts: &BTreeMap<String, Vec<u8>>, types: &str) -> Result<(), FormError> {
    if types.contains("macroEnabled") || types.contains("vbaProject") {
        return Err(FormError::Macros("[Content_Types].xml".to_owned()));
    }
    for name in parts.keys() {
        let lower = name.to_lowercase();
        if lower.contains("vba")
            || lower.contains("macrosheets/")
            || lower.contains("dialogsheets/")
        {
            return Err(FormError::Macros(name.clone()));
        }
        if FOREIGN_PARTS.iter().any(|piece| lower.contains(piece)) {
            return Err(FormError::Foreign(name.clone()));
        }
    }
    Ok(())
}

/// Refuses entity definitions anywhere, and relations that lead outside; a plain link for people to click is none.
fn refuse_foreign(name: &str, xml: &str) -> Result<(), FormError> {
    each(name, xml, |found| {
        if found.defines {
            let reason = "it defines entities".to_owned();
            return Err(FormError::Xml { part: name.to_owned(), reason });
        }
        let Some(tag) = found.open.filter(|tag| local(tag) == "Relationship") else {
            return Ok(());
        };
        let outside = attribute(&tag, "TargetMode").is_some_and(|mode| mode == "External");
        let link = attribute(&tag, "Type").is_some_and(|kind| kind.ends_with("/hyperlink"));
        if outside && !link { Err(FormError::Foreign(name.to_owned())) } else { Ok(()) }
    })
}

fn text<'a>(parts: &'a BTreeMap<String, Vec<u8>>, name: &str) -> Result<&'a str, FormError> {
    let part = parts.get(name).ok_or(FormError::WrongKind)?;
    std::str::from_utf8(part).map_err(|_| FormError::WrongKind)
}
