//! The call sheet of a delivery by hand: whom to reach, what to say, what to write down.
//!
//! Pure: a sheet is made of the frozen answers alone, so that what is said on the telephone is what was released.

use jiff::Timestamp;

use super::parcel::{Mismatch, Parcel};
use super::{Delivery, Way};
use crate::approval::Format;
use crate::reports::answer::Answer;
use crate::reports::fields::Field;
use crate::reports::profile::Profile;
use crate::reports::render::short_hash;

/// What a person who calls, faxes, types or hands over holds in their hand.
#[derive(Clone, Debug)]
pub struct CallSheet {
    /// Whether it is an exercise: that is said first.
    pub drill: bool,
    /// By which way.
    pub way: Way,
    /// Name of the institution that reports, and its director.
    pub sender: (String, String),
    /// What people call the incident.
    pub incident_number: u64,
    /// What is said, in the order of the document: the field and its frozen answer.
    pub say: Vec<(Field, Option<Answer>)>,
    /// The profile that was frozen with it: its labels and its office.
    pub profile: Profile,
    /// When it was released.
    pub approved_at: Timestamp,
    /// First digits of the answers' hash: the other side can compare them with the document.
    pub hash: String,
    /// Names of the files that go along where they can.
    pub files: Vec<String>,
}

/// Why there is no call sheet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// The report is not the one the delivery was chosen for.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The frozen profile does not read.
    #[error("the profile that was frozen with the report does not read")]
    Profile,
}

/// Makes the call sheet of a delivery.
///
/// # Errors
/// When the report is not the one the delivery was chosen for.
pub fn call_sheet(delivery: &Delivery, parcel: &Parcel) -> Result<CallSheet, SheetError> {
    parcel.check(delivery)?;
    let frozen = parcel.approved.frozen();
    let profile = Profile::read(&frozen.profile.text).map_err(|_| SheetError::Profile)?;
    let said = profile.body.fields.iter();
    let say = said
        .map(|field| (*field, frozen.answer(*field).cloned()))
        .collect();
    let files = match delivery.way {
        Way::Phone | Way::Web => Vec::new(),
        Way::Fax => parcel.files(|format| format == Format::Pdf),
        Way::Medium | Way::Mail | Way::Folder | Way::Partner => {
            parcel.files(|format| format == Format::Pdf || format.is_attachment())
        }
    };

    Ok(CallSheet {
        drill: delivery.drill,
        way: delivery.way,
        sender: (frozen.sender.name.clone(), frozen.sender.director.clone()),
        incident_number: frozen.incident.number,
        say,
        profile,
        approved_at: parcel.approved.approved_at(),
        hash: short_hash(parcel.approved.answers_sha256()),
        files: files.into_iter().map(|file| file.name).collect(),
    })
}
