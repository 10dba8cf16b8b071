//! The columns of the register's table, which are the inputs of its page.

use shirase_shared::ids::InstitutionId;

use super::Details;
use crate::tables::{TableColumn, choices};

choices! {
    /// What is known of an institution.
    Column {
        /// Which institution; empty for a new one.
        Id "id" "institution-id";
        /// Name.
        Name "name" "institution-name";
        /// Kind.
        Kind "kind" "institution-kind";
        /// Medical institution code.
        Code "code" "institution-code";
        /// Address.
        Address "address" "institution-address";
        /// Whom to ask for.
        Person "person" "institution-person";
        /// Telephone by day.
        Phone "phone" "institution-phone";
        /// Telephone at night and on holidays.
        NightPhone "night_phone" "institution-night-phone";
        /// Mail address.
        Mail "mail" "institution-mail";
        /// Short name of the partner it corresponds to.
        Partner "partner" "institution-partner";
    }
}

impl TableColumn for Column {
    const ALL: &'static [Self] = Self::ALL;
    const NEEDED: &'static [Self] = &[Self::Name, Self::Kind];

    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }

    fn label_key(self) -> &'static str {
        Self::label_key(self)
    }
}

/// The texts an institution is read from. A column that is absent is empty.
pub type Filled = crate::tables::Filled<Column>;
/// What is wrong with one column.
pub type Flaw = crate::tables::Flaw<Column>;
/// One line of the register's table, not read yet.
pub(super) type Line = crate::tables::Line<Column>;
/// Something wrong with the register's table.
pub type Fault = crate::tables::Fault<Column>;
/// Kinds of fault.
pub(super) type FaultKind = crate::tables::FaultKind<Column>;
/// What a line of the register's table comes to.
pub type Plan = crate::tables::Plan<InstitutionId, Details>;
