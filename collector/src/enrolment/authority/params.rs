//! What every certificate of the authority has in common.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyUsagePurpose,
    SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};

use super::AuthorityError;

/// How long an authority lasts.
const AUTHORITY_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 3652);
/// Where certificates agents check begin: 2000-01-01, in seconds since 1970.
const LONG_AGO_SECONDS: i64 = 946_684_800;

/// Names an authority, so that two of one collector are told apart.
pub(super) fn authority_name(serial: [u8; 16]) -> String {
    let short: String = hex::encode(serial).chars().take(8).collect();
    format!("Shirase authority {short}")
}

pub(super) fn authority_params(name: &str, serial: [u8; 16], now: Timestamp) -> CertificateParams {
    let mut params = params(name, serial);
    set_validity(&mut params, long_ago(), whole_seconds(now, AUTHORITY_VALIDITY));
    // One below it: the authority after it, as this one signs it.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(super) fn params(common_name: &str, serial: [u8; 16]) -> CertificateParams {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Shirase");
    name.push(DnType::CommonName, common_name);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.use_authority_key_identifier_extension = true;
    params
}

/// Returns 126 random bits as a number that is positive and sixteen bytes long in every encoding.
pub(super) fn random_serial() -> Result<[u8; 16], AuthorityError> {
    let mut serial = [0; 16];
    SystemRandom::new()
        .fill(&mut serial)
        .map_err(|_| AuthorityError::NoRandomness)?;
    serial[0] = (serial[0] & 0x7f) | 0x40;

    Ok(serial)
}

pub(super) fn whole_seconds(now: Timestamp, later: SignedDuration) -> Timestamp {
    let seconds = now.as_second().saturating_add(later.as_secs());
    Timestamp::from_second(seconds).unwrap_or(now)
}

pub(super) fn long_ago() -> Timestamp {
    Timestamp::from_second(LONG_AGO_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn set_validity(params: &mut CertificateParams, from: Timestamp, to: Timestamp) {
    let date = |at: Timestamp| {
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    params.not_before = date(from);
    params.not_after = date(to);
}
