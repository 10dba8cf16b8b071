//! Proves knowledge of a password by SCRAM-SHA-256 (RFC 5802, RFC 7677), and has the server prove that it knows it too.
//!
//! Always holds: the password leaves this host in no form from which it could be read; one that a server asks for in
//! the clear or as MD5 is not given.

use std::num::NonZeroU32;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};
use uuid::Uuid;

use super::messages::{Authentication, authentication_answer};

const MECHANISM: &str = "SCRAM-SHA-256";
/// Most rounds done for a server, so that a hostile one cannot keep a core busy; PostgreSQL asks for 4096.
const ROUNDS_MAX: u32 = 100_000;

/// One proof under way.
pub(super) struct Scram {
    nonce: String,
    first: String,
    /// What the server must answer to our proof, once that is sent.
    expected: Option<Vec<u8>>,
    proven: bool,
}

impl Scram {
    /// Whether the server proved that it knows the password too.
    pub(super) const fn is_proven(&self) -> bool {
        self.proven
    }

    fn begin(nonce: String) -> Self {
        // The role is in the startup packet, so the name stays empty.
        let first = format!("n=,r={nonce}");
        Self { nonce, first, expected: None, proven: false }
    }

    fn prove(&mut self, said: &str, password: &str) -> Result<String, String> {
        let field = |key: &str| said.split(',').find_map(|field| field.strip_prefix(key));
        let garbled = || "sent a challenge that does not read".to_owned();
        let nonce = field("r=").filter(|nonce| nonce.starts_with(&self.nonce));
        let nonce = nonce.ok_or_else(garbled)?;
        let salt = field("s=").and_then(|salt| BASE64.decode(salt).ok());
        let salt = salt.ok_or_else(garbled)?;
        let rounds = field("i=").and_then(|rounds| rounds.parse::<NonZeroU32>().ok());
        let rounds = rounds.ok_or_else(garbled)?;
        if ROUNDS_MAX < rounds.get() {
            return Err(format!("asks for {rounds} rounds, more than {ROUNDS_MAX}"));
        }
        let mut salted = [0; digest::SHA256_OUTPUT_LEN];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut salted);
        let last = format!("c=biws,r={nonce}");
        let all = format!("{},{said},{last}", self.first);
        let client = sign(&salted, b"Client Key");
        let stored = digest::digest(&digest::SHA256, &client);
        let signature = sign(stored.as_ref(), all.as_bytes());
        let proof: Vec<_> = client
            .iter()
            .zip(&signature)
            .map(|(key, signature)| key ^ signature)
            .collect();
        self.expected = Some(sign(&sign(&salted, b"Server Key"), all.as_bytes()));

        Ok(format!("{last},p={}", BASE64.encode(proof)))
    }

    fn check(&mut self, said: &str) -> Result<(), String> {
        let proof = said
            .strip_prefix("v=")
            .and_then(|proof| BASE64.decode(proof).ok());
        self.proven = proof.is_some() && proof == self.expected;
        if self.proven {
            return Ok(());
        }

        Err("could not prove that it knows the password; it may be another server".to_owned())
    }
}

/// Returns the answer to an authentication request; empty if none is due.
pub(super) fn answer(
    wanted: &Authentication,
    password: &str,
    scram: &mut Option<Scram>,
) -> Result<Vec<u8>, String> {
    match (wanted, scram) {
        (Authentication::Sasl(mechanisms), scram @ None)
            if mechanisms.iter().any(|name| name == MECHANISM) =>
        {
            let begun = scram.insert(Scram::begin(Uuid::new_v4().simple().to_string()));
            let first = format!("n,,{}", begun.first);
            let length = u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes();
            let content =
                [MECHANISM.as_bytes(), &[0], length.as_slice(), first.as_bytes()].concat();
            Ok(authentication_answer(&content))
        }
        (Authentication::SaslContinue(said), Some(scram)) if scram.expected.is_none() => {
            let proof = scram.prove(said, password)?;
            Ok(authentication_answer(proof.as_bytes()))
        }
        (Authentication::SaslFinal(said), Some(scram)) => {
            scram.check(said)?;
            Ok(Vec::new())
        }
        (wanted, _) => Err(format!(
            "asks for {}, and the probe proves its password by SCRAM-SHA-256 alone",
            wanted.name()
        )),
    }
}

/// Reads the password from its file.
pub(super) fn password(path: &Path, most: usize) -> Result<String, String> {
    let shown = path.display();
    private(path)?;
    let read = super::super::read_file(path, most)?;
    let text = String::from_utf8(read).map_err(|_| format!("`{shown}` is not text"))?;
    let password = text.trim_end_matches(['\r', '\n']);
    // Others would have to be normalised before they are hashed (SASLprep).
    if password.is_empty() || !password.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return Err(format!("`{shown}` does not hold one line of plain ASCII characters"));
    }

    Ok(password.to_owned())
}

/// Refuses a file that others than its owner can read.
#[cfg(unix)]
fn private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;

    let shown = path.display();
    let found = path
        .metadata()
        .map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }

    Err(format!("`{shown}` has mode {mode:03o}, so that others can read the password; chmod 600"))
}

/// Elsewhere, who may read a file is not told by a mode.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the face of the other systems")]
fn private(_: &Path) -> Result<(), String> {
    Ok(())
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7677_is_proven_both_ways() {
        let mut scram = Scram::begin("rOprNGfwEbeRWgbNEkqO".to_owned());
        scram.first = format!("n=user,r={}", scram.nonce);
        let said = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram.prove(said, "pencil").unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(scram.check("v=AAAA").is_err());
        scram
            .check("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
            .unwrap();
        assert!(scram.is_proven());
    }

    #[test]
    fn a_server_cannot_ask_for_everything() {
        let mut none = None;
        for wanted in [
            Authentication::Password,
            Authentication::Other(7),
            Authentication::Sasl(vec!["PLAIN".to_owned()]),
            Authentication::SaslFinal("v=x".to_owned()),
        ] {
            assert!(answer(&wanted, "secret", &mut none).is_err(), "{wanted:?}");
        }
        for said in
            ["", "r=other,s=AAAA,i=1", "r=N,s=AAAA,i=0", "r=N,s=!,i=1", "r=N,s=AAAA,i=4000000000"]
        {
            assert!(Scram::begin("N".to_owned()).prove(said, "secret").is_err(), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_password_that_others_can_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let check = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            password(&path, 1024)
        };
        assert_eq!(check("secret\n", 0o600), Ok("secret".to_owned()));
        assert!(check("secret\n", 0o640).unwrap_err().contains("chmod 600"));
        assert!(check("\n", 0o600).unwrap_err().contains("one line"));
        assert!(check("two\nlines", 0o600).unwrap_err().contains("one line"));
    }
}
