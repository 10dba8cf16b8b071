//! Ids of STIX objects, derived so that the same thing always has the same one (`UUIDv5`).

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use uuid::{Builder, Uuid, uuid};

/// The namespace STIX 2.1 (section 2.9) names for cyber-observable objects.
const OBSERVABLES: Uuid = uuid!("00abedb4-aa42-466c-9c01-fed23315a9b7");
/// Our own namespace, for everything else: that of STIX is for observables alone.
const OURS: Uuid = uuid!("8d5f7e0a-3c1b-5c8e-9a44-6b1f0e2d7c35");

/// Returns the id of an object of our own making.
pub(in crate::sharing) fn derived(kind: &str, of: &[&str]) -> String {
    let name = format!("{kind}\n{}", of.join("\n"));
    format!("{kind}--{}", version_5(OURS, &name))
}

/// Returns the id of a cyber-observable object from the canonical JSON of its contributing properties.
pub(super) fn observable(kind: &str, contributing: &str) -> String {
    format!("{kind}--{}", version_5(OBSERVABLES, contributing))
}

fn version_5(namespace: Uuid, name: &str) -> Uuid {
    // RFC 9562 builds version 5 on SHA-1; nothing here relies on its strength.
    let mut hash = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(namespace.as_bytes());
    hash.update(name.as_bytes());
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finish().as_ref()) {
        *to = *from;
    }
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_standards() {
        // RFC 9562, appendix A.4; the other is what the stix2 library of OASIS makes of the same address.
        let dns = uuid!("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        assert_eq!(
            version_5(dns, "www.example.com").to_string(),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2"
        );
        assert_eq!(
            observable("ipv4-addr", r#"{"value":"198.51.100.3"}"#),
            "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"
        );
    }
}
