//! Choices and columns: enums that have a name for machines and a label for people.

use std::fmt::Debug;

use serde::Serialize;

/// Makes an enum of which each variant has a code for files and a key of its label.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $code:literal $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$each])* #[serde(rename = $code)] $variant),* }

        impl $name {
            /// Every one, in the order a form shows them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the name used in JSON, in tables and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// Returns the key of its label in the locale files.
            #[must_use]
            pub const fn label_key(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// Reads its name back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use choices;

/// A column of a table, which is an input of a page as well.
pub trait TableColumn: Copy + Ord + Debug + Serialize + 'static {
    /// Every column, in the order of the table.
    const ALL: &'static [Self];
    /// Those without which a table says nothing.
    const NEEDED: &'static [Self];

    /// Returns the name used in JSON and on the command line; a heading may be it.
    fn as_str(self) -> &'static str;

    /// Returns the key of its label in the locale files; a heading may be it, in either language.
    fn label_key(self) -> &'static str;
}
