//! The few protocol data units of DICOM (PS3.8) a C-ECHO needs. Pure.
//!
//! Always holds: no length the peer gives is believed beyond the bytes that are there.

use shirase_shared::settings::probe::TITLE_MAX;

/// Bytes before the content of a PDU.
pub(super) const HEAD_BYTES: usize = 6;
/// The one presentation context proposed.
pub(super) const CONTEXT_ID: u8 = 1;
/// A-RELEASE-RQ.
pub(super) const RELEASE: &[u8] = &[5, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// Longest PDU we say we take, in bytes.
const ANNOUNCED_MAX: u32 = 16 * 1024;

const APPLICATION_CONTEXT: &[u8] = b"1.2.840.10008.3.1.1.1";
const VERIFICATION: &[u8] = b"1.2.840.10008.1.1";
const IMPLICIT_LITTLE_ENDIAN: &[u8] = b"1.2.840.10008.1.2";
/// Ours, below the arc for UUIDs.
const IMPLEMENTATION: &[u8] = b"2.25.310276954918170403266402198327761401371";
const IMPLEMENTATION_VERSION: &[u8] = b"SHIRASE";

const MESSAGE_ID: u16 = 1;
const C_ECHO_RQ: u16 = 0x0030;
const C_ECHO_RSP: u16 = 0x8030;
const NO_DATA_SET: u16 = 0x0101;

/// Returns an A-ASSOCIATE-RQ for the Verification service.
pub(super) fn associate(called: &str, calling: &str) -> Vec<u8> {
    let context =
        [vec![CONTEXT_ID, 0, 0, 0], item(0x30, VERIFICATION), item(0x40, IMPLICIT_LITTLE_ENDIAN)];
    let user = [
        item(0x51, &ANNOUNCED_MAX.to_be_bytes()),
        item(0x52, IMPLEMENTATION),
        item(0x55, IMPLEMENTATION_VERSION),
    ];
    let mut content = vec![0, 1, 0, 0];
    content.extend(title(called));
    content.extend(title(calling));
    content.extend([0; 32]);
    content.extend(item(0x10, APPLICATION_CONTEXT));
    content.extend(item(0x20, &context.concat()));
    content.extend(item(0x50, &user.concat()));

    whole(1, &content)
}

/// Returns a P-DATA-TF with a C-ECHO-RQ.
pub(super) fn echo() -> Vec<u8> {
    let mut class = VERIFICATION.to_vec();
    class.push(0);
    let elements = [
        element(0x0002, &class),
        element(0x0100, &C_ECHO_RQ.to_le_bytes()),
        element(0x0110, &MESSAGE_ID.to_le_bytes()),
        element(0x0800, &NO_DATA_SET.to_le_bytes()),
    ]
    .concat();
    let mut value = vec![CONTEXT_ID, 0b11];
    value.extend(element(0x0000, &short(elements.len()).to_le_bytes()));
    value.extend(elements);
    let mut content = short(value.len()).to_be_bytes().to_vec();
    content.extend(value);

    whole(4, &content)
}

/// Reads the kind of a PDU and the length of its content.
pub(super) fn head(bytes: &[u8]) -> Option<(u8, usize)> {
    let [kind @ 1..=7, 0, a, b, c, d] = bytes else { return None };
    let length = u32::from_be_bytes([*a, *b, *c, *d]);

    Some((*kind, usize::try_from(length).ok()?))
}

/// What a peer can say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pdu {
    /// The association stands, and whether our presentation context does.
    Accepted(Result<(), String>),
    /// It does not, and why.
    Refused(String),
    /// Fragments of messages, or why they do not read.
    Data(Result<Vec<Fragment>, String>),
    /// The peer breaks off, and why.
    Aborted(String),
    /// The association is over.
    Released,
    /// Something only the side that asks may say.
    Strange(u8),
}

/// A part of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) context: u8,
    pub(super) is_command: bool,
    pub(super) is_last: bool,
    pub(super) bytes: Vec<u8>,
}

impl Pdu {
    pub(super) fn read(kind: u8, content: &[u8]) -> Self {
        let at = |index: usize| content.get(index).copied().unwrap_or(0);
        match kind {
            2 => Self::Accepted(accepted(content)),
            3 => Self::Refused(refusal(at(1), at(2), at(3))),
            4 => Self::Data(
                fragments(content)
                    .ok_or_else(|| "its answer to a C-ECHO has lengths that do not fit".to_owned()),
            ),
            6 => Self::Released,
            7 => Self::Aborted(abort(at(2), at(3))),
            other => Self::Strange(other),
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Accepted(_) => "an acceptance".to_owned(),
            Self::Refused(_) => "a refusal".to_owned(),
            Self::Data(_) => "data".to_owned(),
            Self::Aborted(_) => "an abort".to_owned(),
            Self::Released => "the end of the association".to_owned(),
            Self::Strange(kind) => format!("a PDU of type {kind:02X}H"),
        }
    }
}

/// Finds out whether our presentation context was accepted.
fn accepted(content: &[u8]) -> Result<(), String> {
    let garbled = || "accepted the association in a way that does not read".to_owned();
    let mut rest = content.get(68..).ok_or_else(garbled)?;
    while let [kind, _, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (item, next) = after.split_at_checked(length).ok_or_else(garbled)?;
        rest = next;
        let [CONTEXT_ID, _, result, ..] = item else { continue };
        if *kind != 0x21 {
            continue;
        }
        return match result {
            0 => Ok(()),
            1 => Err("accepted the association but not Verification: rejected by user".to_owned()),
            2 => Err("accepted the association but not Verification: no reason given".to_owned()),
            3 => Err("does not know the Verification service".to_owned()),
            4 => Err("does not take Implicit VR Little Endian".to_owned()),
            other => Err(format!("accepted the association but not Verification: result {other}")),
        };
    }

    Err("accepted the association without a word on Verification".to_owned())
}

/// Reads the values of a P-DATA-TF.
fn fragments(mut rest: &[u8]) -> Option<Vec<Fragment>> {
    let mut fragments = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, next) = after.split_at_checked(length)?;
        let [context, control, bytes @ ..] = value else { return None };
        fragments.push(Fragment {
            context: *context,
            is_command: control & 1 == 1,
            is_last: control & 2 == 2,
            bytes: bytes.to_vec(),
        });
        rest = next;
    }

    Some(fragments)
}

/// The elements of a command that say how a C-ECHO went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    command: Option<u16>,
    answered: Option<u16>,
    status: Option<u16>,
}

impl Answer {
    /// Reads a command set, which is always Implicit VR Little Endian.
    pub(super) fn read(mut rest: &[u8]) -> Option<Self> {
        let mut answer = Self::default();
        while !rest.is_empty() {
            let (head, after) = rest.split_first_chunk::<8>()?;
            let [g0, g1, e0, e1, a, b, c, d] = *head;
            let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
            let (value, next) = after.split_at_checked(length)?;
            rest = next;
            let short = <[u8; 2]>::try_from(value).ok().map(u16::from_le_bytes);
            match (u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1])) {
                (0, 0x0100) => answer.command = short,
                (0, 0x0120) => answer.answered = short,
                (0, 0x0900) => answer.status = short,
                _ => {}
            }
        }

        Some(answer)
    }

    /// Returns the status, if this answers our C-ECHO.
    pub(super) fn status(&self) -> Result<u16, String> {
        match (self.command, self.answered, self.status) {
            (Some(C_ECHO_RSP), Some(MESSAGE_ID), Some(status)) => Ok(status),
            (Some(C_ECHO_RSP), Some(MESSAGE_ID), None) => {
                Err("answered the C-ECHO without a status".to_owned())
            }
            (Some(C_ECHO_RSP), answered, _) => {
                Err(format!("answered the C-ECHO {answered:?}, which was not asked"))
            }
            (command, _, _) => {
                Err(format!("answered the C-ECHO with command {:04X}H", command.unwrap_or(0)))
            }
        }
    }
}

/// The words of PS3.8, table 9-21.
fn refusal(result: u8, source: u8, reason: u8) -> String {
    let why = match (source, reason) {
        (1, 1) | (3, 0) => "no reason given",
        (1, 2) => "application context not supported",
        (1, 3) => "calling AE title not recognised",
        (1, 7) => "called AE title not recognised",
        (2, 1) => "no reason given by its protocol layer",
        (2, 2) => "protocol version not supported",
        (3, 1) => "congested for the moment",
        (3, 2) => "its limit of associations is reached",
        _ => return format!("rejected the association: source {source}, reason {reason}"),
    };
    let how = if result == 2 { "for now" } else { "for good" };

    format!("rejected the association {how}: {why}")
}

/// The words of PS3.8, table 9-26.
fn abort(source: u8, reason: u8) -> String {
    let who = if source == 0 { "its application" } else { "its protocol layer" };
    let why = match reason {
        1 => "unrecognised PDU",
        2 => "unexpected PDU",
        4 => "unrecognised PDU parameter",
        5 => "unexpected PDU parameter",
        6 => "invalid PDU parameter value",
        _ => "no reason given",
    };

    format!("aborted the association: {who}, {why}")
}

fn title(title: &str) -> [u8; TITLE_MAX] {
    let mut padded = [b' '; TITLE_MAX];
    for (place, byte) in padded.iter_mut().zip(title.bytes()) {
        *place = byte;
    }
    padded
}

/// Everything we send is short, because the titles are.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn item(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [&[kind, 0], length.to_be_bytes().as_slice(), content].concat()
}

fn element(number: u16, value: &[u8]) -> Vec<u8> {
    let mut element = vec![0, 0];
    element.extend(number.to_le_bytes());
    element.extend(short(value.len()).to_le_bytes());
    element.extend(value);
    element
}

fn whole(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut pdu = vec![kind, 0];
    pdu.extend(short(content.len()).to_be_bytes());
    pdu.extend(content);
    pdu
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_sent_has_the_lengths_it_says() {
        for pdu in [associate("ORTHANC", "SHIRASE"), echo(), RELEASE.to_vec()] {
            let (_, length) = head(pdu.get(..HEAD_BYTES).unwrap()).unwrap();
            assert_eq!(length + HEAD_BYTES, pdu.len());
        }
        let sent = fragments(echo().get(HEAD_BYTES..).unwrap()).unwrap();
        let command = Answer::read(&sent[0].bytes).unwrap();
        assert_eq!(command.command, Some(C_ECHO_RQ));
        assert!(command.status().unwrap_err().contains("0030H"));
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_peer_break_the_reader(
            head_bytes in proptest::collection::vec(any::<u8>(), 0..8),
            kind in 0_u8..8,
            content in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let length = head(&head_bytes).map(|(_, length)| length);
            prop_assert!(length.is_none_or(|length| length <= usize::try_from(u32::MAX).unwrap()));
            prop_assert!(!Pdu::read(kind, &content).name().is_empty());
            if let Some(answer) = Answer::read(&content) {
                prop_assert!(answer.status.is_none() || !content.is_empty());
            }
        }
    }
}
