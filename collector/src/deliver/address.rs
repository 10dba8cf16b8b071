//! What an addressee must look like for each way: checked where it is typed, never repaired.

use super::{Addressee, Way};
use crate::exchange::partner::PartnerId;
use crate::locale::is_hidden;
use crate::notify::mail::check_address;

/// Longest name of an organisation or a person, in characters.
const NAME_MAX: usize = 120;
/// Longest address of any kind, in characters.
const ADDRESS_MAX: usize = 300;
/// Fewest and most digits of a telephone number.
const DIGITS: std::ops::RangeInclusive<usize> = 3..=20;

/// Why an addressee cannot stand, with what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// No organisation, or one that is no plain line.
    #[error(
        "the organisation is missing, has a line break or hidden characters, or more than {NAME_MAX} characters; give its plain name"
    )]
    Organisation,
    /// A person that is no plain line.
    #[error(
        "the person has a line break or hidden characters, or more than {NAME_MAX} characters; give a plain name or leave it out"
    )]
    Person,
    /// The address has a line break or hidden characters, or is too long.
    #[error(
        "the address has a line break, space around it or hidden characters, or is empty or longer than {ADDRESS_MAX} characters; type it anew"
    )]
    Line,
    /// It is no mail address.
    #[error("`{0}` is no mail address; give one address such as uketsuke@example.jp")]
    Mail(String),
    /// It is no folder's name.
    #[error(
        "`{0}` is no folder; give the name of a folder in `deliver.folder`: 1 to 32 of the characters a-z, 0-9 and -"
    )]
    Folder(String),
    /// It is no short name of a partner.
    #[error("`{0}` is no short name of a partner; `partner list` shows those there are")]
    Partner(String),
    /// It is no telephone number.
    #[error(
        "`{0}` is no number; use digits, +, -, spaces and brackets only, for example 03-0000-0000"
    )]
    Number(String),
    /// It is no web address.
    #[error("`{0}` is no web address; it begins with https:// and has no spaces")]
    Url(String),
}

impl AddressProblem {
    /// Returns the key of what a page says.
    #[must_use]
    pub const fn text_key(&self) -> &'static str {
        match self {
            Self::Organisation => "address-organisation",
            Self::Person => "address-person",
            Self::Line => "address-line",
            Self::Mail(_) => "address-mail",
            Self::Folder(_) => "address-folder",
            Self::Partner(_) => "address-partner",
            Self::Number(_) => "address-number",
            Self::Url(_) => "address-url",
        }
    }
}

/// Checks that an addressee can be reached by a way.
///
/// # Errors
/// Names the first thing that cannot stand.
pub fn check(way: Way, addressee: &Addressee) -> Result<(), AddressProblem> {
    let Addressee { organisation, person, address, .. } = addressee;
    if organisation.trim().is_empty() || !is_plain(organisation, NAME_MAX) {
        return Err(AddressProblem::Organisation);
    }
    if !is_plain(person, NAME_MAX) {
        return Err(AddressProblem::Person);
    }
    if address.is_empty() || address.trim() != address || !is_plain(address, ADDRESS_MAX) {
        return Err(AddressProblem::Line);
    }
    let shown = || address.chars().take(80).collect::<String>();
    match way {
        Way::Mail => check_address(address).map_err(|_| AddressProblem::Mail(shown())),
        Way::Folder if is_folder(address) => Ok(()),
        Way::Folder => Err(AddressProblem::Folder(shown())),
        Way::Partner if address.parse::<PartnerId>().is_ok() => Ok(()),
        Way::Partner => Err(AddressProblem::Partner(shown())),
        Way::Phone | Way::Fax if is_number(address) => Ok(()),
        Way::Phone | Way::Fax => Err(AddressProblem::Number(shown())),
        Way::Web if is_url(address) => Ok(()),
        Way::Web => Err(AddressProblem::Url(shown())),
        Way::Medium => Ok(()),
    }
}

fn is_plain(text: &str, max: usize) -> bool {
    text.chars().count() <= max && !text.chars().any(is_hidden)
}

/// Whether a text is the name of one folder: no separator, no dot, nothing that could lead elsewhere.
pub(super) fn is_folder(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=32).contains(&name.len()) && name.chars().all(legal) && !name.starts_with('-')
}

fn is_number(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_digit() || "+-() #*,".contains(c);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.chars().all(legal) && DIGITS.contains(&digits)
}

fn is_url(text: &str) -> bool {
    text.strip_prefix("https://")
        .is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(address: &str) -> Addressee {
        Addressee {
            organisation: "厚生労働省".to_owned(),
            person: String::new(),
            address: address.to_owned(),
            drill_partner: false,
            contact: None,
            verified_on: None,
        }
    }

    #[track_caller]
    fn takes(way: Way, good: &[&str], bad: &[&str]) {
        for address in good {
            assert_eq!(check(way, &to(address)), Ok(()), "{way} {address:?}");
        }
        for address in bad {
            assert!(check(way, &to(address)).is_err(), "{way} {address:?}");
        }
    }

    #[test]
    fn each_way_takes_addresses_of_its_kind_alone() {
        let long = "a".repeat(33);
        takes(
            Way::Mail,
            &["uketsuke@example.jp", "a.b+c@x.example"],
            &[
                "",
                "x",
                "a@b\r\nBcc: c@d",
                "a@b, c@d",
                "<a@b>",
                "a b@c.jp",
                " a@b.jp",
                "a@b.jp\u{202e}",
            ],
        );
        takes(Way::Partner, &["handa-city", "ceptoar"], &["", "Handa", "半田市", "a b", "../x"]);
        takes(
            Way::Folder,
            &["mhlw", "ken-1"],
            &["", "..", "a/b", "/etc", "a b", "ä", "-x", "A", &long, "a\0"],
        );
        takes(
            Way::Phone,
            &["03-0000-0000", "+81 3 0000 0000", "(03)0000-0000", "119"],
            &["", "x", "03-0000\n0000", "電話", "1", "03-0000-0000;1"],
        );
        takes(Way::Fax, &["03-0000-0000"], &["a@b.jp"]);
        takes(
            Way::Web,
            &["https://example.jp/form?x=1"],
            &["", "http://example.jp", "https://", "javascript:alert(1)", "https://a b"],
        );
        takes(Way::Medium, &["県庁 3階 医療政策課の窓口"], &["", "a\nb", " a"]);
    }

    #[test]
    fn names_are_plain_lines() {
        let long = "あ".repeat(121);
        for organisation in ["", "  ", "a\r\nb", "\u{202e}a", &long] {
            let addressee = Addressee { organisation: organisation.to_owned(), ..to("a@b.jp") };
            assert_eq!(check(Way::Mail, &addressee), Err(AddressProblem::Organisation));
        }
        let addressee = Addressee { person: "a\nb".to_owned(), ..to("a@b.jp") };
        assert_eq!(check(Way::Mail, &addressee), Err(AddressProblem::Person));
    }
}
