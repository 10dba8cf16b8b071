//! On what a municipality's question or guidance can rest.

use crate::facilities::FacilityKind;

/// What the notice of 2018 names as a base, and the notice itself.
const MEDICAL_ACT: &[&str] =
    &["legal-basis-medical-act-25", "legal-basis-notice-2018", "legal-basis-enforcement-14"];
/// A pharmacy is under another act.
const PHARMACY: &[&str] = &["legal-basis-pharmaceutical-act"];
/// Of others none is known.
const ELSE: &[&str] = &["legal-basis-notice-2018"];
/// What everybody may be asked without any.
const VOLUNTARY: &str = "legal-basis-voluntary";

/// Returns the keys of the bases that are usual for an institution, the first to be chosen first.
///
/// 医療法 第25条 is about 病院, 診療所 and 助産所 only.
pub fn usual_bases(kind: FacilityKind) -> impl Iterator<Item = &'static str> {
    let own = match kind {
        FacilityKind::Hospital
        | FacilityKind::Clinic
        | FacilityKind::DentalClinic
        | FacilityKind::MaternityHome => MEDICAL_ACT,
        FacilityKind::Pharmacy => PHARMACY,
        FacilityKind::Unknown | FacilityKind::Other => ELSE,
    };
    own.iter().copied().chain([VOLUNTARY])
}
