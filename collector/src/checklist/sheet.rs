//! The sheets of a list: one of the institution, one for each company that maintains a system.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use shirase_shared::tls::sha256_hex;

use super::{Filled, SheetKind};
use crate::facilities::{CareRole, Vendor};

/// Digits of the hash in a vendor's key.
const KEY_DIGITS: usize = 16;
/// How the key of the institution's sheet reads, and how that of a vendor begins.
const INSTITUTION: &str = "institution";
const VENDOR: &str = "vendor-";

/// Which sheet of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SheetKey {
    /// The institution's own.
    Institution,
    /// That of one company, by a hash of its name: a company that is called otherwise has another sheet.
    Vendor(String),
}

impl SheetKey {
    /// Returns the key of a company; none for one without a name.
    #[must_use]
    pub fn of_company(company: &str) -> Option<Self> {
        let name = company.split_whitespace().collect::<Vec<_>>().join(" ");
        let digits = sha256_hex(name.as_bytes())
            .chars()
            .take(KEY_DIGITS)
            .collect();
        (!name.is_empty()).then_some(Self::Vendor(digits))
    }

    /// Returns who fills it.
    #[must_use]
    pub const fn kind(&self) -> SheetKind {
        match self {
            Self::Institution => SheetKind::Institution,
            Self::Vendor(_) => SheetKind::Vendor,
        }
    }
}

impl fmt::Display for SheetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Institution => f.write_str(INSTITUTION),
            Self::Vendor(digits) => write!(f, "{VENDOR}{digits}"),
        }
    }
}

/// Why a text names no sheet.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` names no sheet")]
pub struct SheetKeyError(String);

impl FromStr for SheetKey {
    type Err = SheetKeyError;

    fn from_str(text: &str) -> Result<Self, SheetKeyError> {
        if text == INSTITUTION {
            return Ok(Self::Institution);
        }
        let digits = text.strip_prefix(VENDOR).unwrap_or_default();
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if digits.len() == KEY_DIGITS && digits.chars().all(hex) {
            return Ok(Self::Vendor(digits.to_owned()));
        }
        Err(SheetKeyError(text.chars().take(80).collect()))
    }
}

/// One sheet that can be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Which.
    pub key: SheetKey,
    /// The company; empty for the institution.
    pub company: String,
    /// The systems the company maintains.
    pub systems: BTreeSet<CareRole>,
    /// Whether the company stands in the address book or the master data now. The institution always does.
    pub current: bool,
}

/// Returns the sheets there are: the institution's, one for each company that is known now, and those somebody filled
/// for a company that is not known any more.
#[must_use]
pub fn sheets(vendors: &[Vendor], filled: &[Filled]) -> Vec<Sheet> {
    let mut companies: BTreeMap<SheetKey, Sheet> = BTreeMap::new();
    for vendor in vendors {
        let Some(key) = SheetKey::of_company(&vendor.company) else { continue };
        let sheet = companies.entry(key.clone()).or_insert_with(|| Sheet {
            key,
            company: vendor.company.clone(),
            systems: BTreeSet::new(),
            current: true,
        });
        sheet.systems.insert(vendor.system);
    }
    for one in filled
        .iter()
        .filter(|one| one.sheet != SheetKey::Institution)
    {
        companies.entry(one.sheet.clone()).or_insert_with(|| Sheet {
            key: one.sheet.clone(),
            company: one.company.clone(),
            systems: BTreeSet::new(),
            current: false,
        });
    }
    let mut vendors: Vec<Sheet> = companies.into_values().collect();
    vendors.sort_by(|a, b| {
        (!a.current, &a.systems, &a.company).cmp(&(!b.current, &b.systems, &b.company))
    });
    let own = Sheet {
        key: SheetKey::Institution,
        company: String::new(),
        systems: BTreeSet::new(),
        current: true,
    };

    std::iter::once(own).chain(vendors).collect()
}
