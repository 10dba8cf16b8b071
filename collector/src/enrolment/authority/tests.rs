//! Tests of the module beside this folder.

use std::os::unix::fs::PermissionsExt;

use rcgen::DnType;

use super::*;

fn now() -> Timestamp {
    "2026-02-09T01:50:00Z".parse().unwrap()
}

fn request(params: &CertificateParams) -> String {
    params
        .serialize_request(&KeyPair::generate().unwrap())
        .unwrap()
        .pem()
        .unwrap()
}

#[test]
fn an_authority_is_made_once_and_keeps_its_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    let first = Authority::open(dir.path(), now()).unwrap();
    let second = Authority::open(dir.path(), now()).unwrap();
    assert_eq!(first.fingerprint(), second.fingerprint());
    for file in [AUTHORITY_KEY_FILE, AUTHORITY_CERTIFICATE_FILE] {
        let mode = std::fs::metadata(dir.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_lost_or_foreign_key_is_an_error_and_a_torn_first_start_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    Authority::open(dir.path(), now()).unwrap();
    std::fs::remove_file(dir.path().join(AUTHORITY_CERTIFICATE_FILE)).unwrap();
    Authority::open(dir.path(), now()).unwrap();

    std::fs::remove_file(dir.path().join(AUTHORITY_KEY_FILE)).unwrap();
    let error = Authority::open(dir.path(), now()).unwrap_err();
    assert!(matches!(error, AuthorityError::KeyLost { .. }), "{error}");

    let other = KeyPair::generate().unwrap().serialize_pem();
    write_secret_file(&dir.path().join(AUTHORITY_KEY_FILE), other.as_bytes()).unwrap();
    let error = Authority::open(dir.path(), now()).unwrap_err();
    assert!(matches!(error, AuthorityError::Damaged { .. }), "{error}");
}

#[test]
fn of_a_request_only_the_key_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open(dir.path(), now()).unwrap();
    let mut greedy = CertificateParams::new(["collector.hospital.example".to_owned()]).unwrap();
    greedy
        .distinguished_name
        .push(DnType::CommonName, "administrator");
    greedy.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = RequestedKey::read(&request(&greedy)).unwrap();
    let host = HostId::random();
    let issued = authority.certify_host(&key, host, now()).unwrap();

    let der = CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
    let subject = parsed.subject().to_string();
    assert!(subject.contains(&host.to_string()) && !subject.contains("administrator"), "{subject}");
    let sans = parsed.subject_alternative_name().unwrap().unwrap();
    let urn = format!("{HOST_URN}{host}");
    let expected = [x509_parser::extensions::GeneralName::URI(&urn)];
    assert_eq!(sans.value.general_names, expected);
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
    assert_eq!(hex::encode(parsed.raw_serial()), issued.serial);
    assert_eq!(parsed.validity().not_after.timestamp(), issued.expires_at.as_second());
    assert!(!parsed.is_ca());
}

#[test]
fn a_request_with_a_foreign_signature_or_an_odd_key_is_refused() {
    let honest = request(&CertificateParams::default());
    assert!(RequestedKey::read(&honest).is_ok());
    let der = rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(honest.as_bytes());
    let mut forged = der.unwrap().to_vec();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forged = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, forged)
    );
    for bad in [forged.as_str(), "", "<html>", "-----BEGIN CERTIFICATE REQUEST-----\n-----END"] {
        assert!(matches!(RequestedKey::read(bad), Err(AuthorityError::Request(_))), "{bad}");
    }
}

#[test]
fn a_server_certificate_carries_every_name_and_outlasts_its_renewal() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open(dir.path(), now()).unwrap();
    let names = ["collector.local".to_owned(), "192.0.2.7".to_owned(), "::1".to_owned()];
    let server = authority.certify_server(&names, now()).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&server.chain[0]).unwrap();
    assert_eq!(
        parsed
            .subject_alternative_name()
            .unwrap()
            .unwrap()
            .value
            .general_names
            .len(),
        3
    );
    assert!(server.renew_at.as_second() < parsed.validity().not_after.timestamp());
    let bad = authority.certify_server(&["知らせ".to_owned()], now());
    assert!(matches!(bad, Err(AuthorityError::Name(_))));
}
