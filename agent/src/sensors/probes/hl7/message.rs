//! The text of HL7 version 2 messages: the one that is sent, and what the acknowledgement says.
//!
//! Always holds: separators are taken from the message they stand in; a byte within a two-byte character of
//! ISO-2022-JP (`ISO IR87`, usual in Japan) is no separator, whatever its value.

use encoding_rs::{ISO_2022_JP, SHIFT_JIS};

use super::Acknowledgement;

const ESC: u8 = 0x1b;

/// What the configuration puts into MSH.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Header {
    pub(in super::super) sending_application: String,
    pub(in super::super) sending_facility: String,
    pub(in super::super) receiving_application: String,
    pub(in super::super) receiving_facility: String,
    pub(in super::super) acknowledgement: Acknowledgement,
}

/// What differs from message to message.
pub(super) struct Stamp {
    /// MSH-10.
    pub(super) control_id: String,
    /// MSH-7.
    pub(super) time: String,
}

impl Header {
    /// Returns the built-in message.
    pub(super) fn query(&self, stamp: &Stamp) -> Vec<u8> {
        let (accept, application) = match self.acknowledgement {
            Acknowledgement::Original => ("", ""),
            Acknowledgement::Enhanced => ("AL", "NE"),
        };
        let header = [
            "MSH",
            "^~\\&",
            &self.sending_application,
            &self.sending_facility,
            &self.receiving_application,
            &self.receiving_facility,
            &stamp.time,
            "",
            "NMQ^N01^NMQ_N01",
            &stamp.control_id,
            "P",
            "2.5",
            "",
            "",
            accept,
            application,
        ];
        let header = header.join("|");

        format!("{}\rNST|N\r", header.trim_end_matches('|')).into_bytes()
    }
}

/// Returns the message of a file with its own time and control id, in the form MLLP carries.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn restamped(file: &[u8], stamp: &Stamp) -> Result<Vec<u8>, String> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let frame = |byte: &u8| [super::VT, super::FS, super::CR, b'\n'].contains(byte);
    let from = file.iter().position(|byte| !frame(byte)).unwrap_or(0);
    let until = file
        .iter()
        .rposition(|byte| !frame(byte))
        .map_or(0, |last| last + 1);
    let file = file.get(from..until).unwrap_or_default();
    if file
        .iter()
        .any(|byte| [super::VT, super::FS].contains(byte))
    {
        return Err("holds more than one message".to_owned());
    }
    let separators = Separators::of(file).ok_or("does not begin with an MSH segment")?;
    let mut message = Vec::with_capacity(file.len() + 64);
    for (index, segment) in segments(file).enumerate() {
        if index == 0 {
            let mut fields = separators.fields(segment);
            if fields.len() < 12 {
                return Err("has an MSH segment without MSH-12, the version".to_owned());
            }
            for (at, value) in [(6, &stamp.time), (9, &stamp.control_id)] {
                if let Some(field) = fields.get_mut(at) {
                    *field = value.as_bytes();
                }
            }
            message.extend(fields.join(separators.field.as_slice()));
        } else {
            message.extend_from_slice(segment);
        }
        message.push(super::CR);
    }

    Ok(message)
}

/// Returns the segments of a message, whatever ends its lines.
fn segments(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    message
        .split(|byte| [b'\r', b'\n'].contains(byte))
        .filter(|segment| !segment.is_empty())
}

/// Says what an acknowledgement means.
///
/// # Errors
/// Why it is none, in words for a person.
pub(super) fn judge(block: &[u8], control_id: &str) -> Result<String, String> {
    let separators =
        Separators::of(block).ok_or("its answer is no HL7 message: it does not begin with MSH")?;
    let all = || segments(block).map(|segment| separators.fields(segment));
    let acknowledged = all()
        .find(|fields| fields.first() == Some(&b"MSA".as_slice()))
        .ok_or("its answer acknowledges nothing: it has no MSA segment")?;
    let field = |at: usize| {
        let bytes = acknowledged.get(at).copied().unwrap_or_default();
        separators.text(bytes)
    };
    let (code, echoed) = (field(1), field(2));
    let said = match field(3) {
        said if !said.is_empty() => said,
        _ => all()
            .find(|fields| fields.first() == Some(&b"ERR".as_slice()))
            .map(|error| separators.error(&error))
            .unwrap_or_default(),
    };
    let said = if said.is_empty() { said } else { format!(": {said}") };
    if echoed != control_id {
        return Err(format!("acknowledged the message `{echoed}`, which is not the one sent"));
    }
    match code.as_str() {
        "AA" | "CA" => Ok(format!("acknowledged with {code}")),
        "AE" | "CE" => Err(format!("answered {code} (error){said}")),
        "AR" | "CR" => Err(format!("answered {code} (rejected){said}")),
        _ => Err(format!("answered with `{code}`, which is no code of an acknowledgement{said}")),
    }
}

/// What divides a message.
struct Separators {
    field: [u8; 1],
    component: u8,
    escape: u8,
    repetition: u8,
    subcomponent: u8,
}

impl Separators {
    /// Reads them from MSH-1 and MSH-2; what MSH-2 leaves out has its usual value.
    fn of(message: &[u8]) -> Option<Self> {
        let rest = message.strip_prefix(b"MSH")?;
        let (field, rest) = rest.split_first()?;
        if !field.is_ascii_punctuation() {
            return None;
        }
        let mut encoding = rest
            .iter()
            .copied()
            .take_while(|byte| byte != field && byte.is_ascii_punctuation());
        Some(Self {
            field: [*field],
            component: encoding.next().unwrap_or(b'^'),
            repetition: encoding.next().unwrap_or(b'~'),
            escape: encoding.next().unwrap_or(b'\\'),
            subcomponent: encoding.next().unwrap_or(b'&'),
        })
    }

    /// Divides a segment; a byte of a two-byte character divides nothing.
    fn fields<'a>(&self, segment: &'a [u8]) -> Vec<&'a [u8]> {
        divided(segment, self.field[0])
    }

    /// Returns what a field says, without escapes.
    fn text(&self, field: &[u8]) -> String {
        let mut plain = Vec::with_capacity(field.len());
        let mut parts = divided(field, self.escape).into_iter();
        plain.extend_from_slice(parts.next().unwrap_or_default());
        while let Some(escaped) = parts.next() {
            match escaped {
                b"F" => plain.push(self.field[0]),
                b"S" => plain.push(self.component),
                b"T" => plain.push(self.subcomponent),
                b"R" => plain.push(self.repetition),
                b"E" => plain.push(self.escape),
                [b'X', digits @ ..] => plain.extend(hex::decode(digits).unwrap_or_default()),
                // Highlighting and layout.
                _ => plain.push(b' '),
            }
            plain.extend_from_slice(parts.next().unwrap_or_default());
        }

        decoded(&plain).trim().to_owned()
    }

    /// Returns the words of an ERR segment: for the user, for the support, or the code's.
    fn error(&self, error: &[&[u8]]) -> String {
        let whole = |at: usize| error.get(at).map(|field| self.text(field));
        let code = error.get(3).map(|field| {
            let components = divided(field, self.component);
            self.text(components.get(1).or(components.first()).unwrap_or(field))
        });
        [whole(8), whole(7), code]
            .into_iter()
            .flatten()
            .find(|words| !words.is_empty())
            .unwrap_or_default()
    }
}

/// Splits at a byte wherever it is a character of its own.
fn divided(text: &[u8], at: u8) -> Vec<&[u8]> {
    let mut two_bytes = false;
    let mut parts = Vec::new();
    let (mut begins, mut here) = (0, 0);
    while let Some(byte) = text.get(here) {
        if *byte == ESC {
            match (text.get(here + 1), text.get(here + 2)) {
                // `ESC $ B`, `ESC $ @` and `ESC $ ( D` begin two-byte characters, `ESC ( …` ends them.
                (Some(b'$'), _) => two_bytes = true,
                (Some(b'('), _) => two_bytes = false,
                _ => {}
            }
            here += 3;
            continue;
        }
        if *byte == at && !two_bytes {
            parts.push(text.get(begins..here).unwrap_or_default());
            begins = here + 1;
        }
        here += 1;
    }
    parts.push(text.get(begins..).unwrap_or_default());
    parts
}

/// Reads text in the encodings Japanese interfaces use: ISO-2022-JP by its escapes, UTF-8, else Shift JIS.
fn decoded(bytes: &[u8]) -> String {
    if bytes.contains(&ESC) {
        return ISO_2022_JP
            .decode_without_bom_handling(bytes)
            .0
            .into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => SHIFT_JIS.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "SHR0123456789abcdef";

    fn stamp() -> Stamp {
        Stamp { control_id: ID.to_owned(), time: "20260209015000+0000".to_owned() }
    }

    #[test]
    fn the_message_is_a_query_that_names_nobody() {
        let header = Header {
            sending_application: "SHIRASE".to_owned(),
            receiving_facility: "HANDA".to_owned(),
            ..Header::default()
        };
        assert_eq!(
            String::from_utf8(header.query(&stamp())).unwrap(),
            "MSH|^~\\&|SHIRASE|||HANDA|20260209015000+0000||NMQ^N01^NMQ_N01|SHR0123456789abcdef|P|2.5\rNST|N\r"
        );
        let enhanced = Header { acknowledgement: Acknowledgement::Enhanced, ..header };
        let message = String::from_utf8(enhanced.query(&stamp())).unwrap();
        assert!(message.contains("|P|2.5|||AL|NE\r"), "{message:?}");
    }

    #[test]
    fn a_message_of_ones_own_gets_a_time_and_a_number_and_nothing_else() {
        let own = "\u{b}MSH$%~\\&$EHR$1$$$old$$QBP%Q21$7$P$2.5\nQPD$ping$x\r\n\u{1c}\r\n";
        let sent = restamped(own.as_bytes(), &stamp()).unwrap();
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            format!("MSH$%~\\&$EHR$1$$$20260209015000+0000$$QBP%Q21${ID}$P$2.5\rQPD$ping$x\r")
        );
        for (unfit, why) in [
            ("", "MSH"),
            ("PID|1", "MSH"),
            ("MSH|^~\\&|A", "MSH-12"),
            ("MSH|^~\\&|A\u{1c}\r\u{b}MSH|", "more than one"),
        ] {
            let error = restamped(unfit.as_bytes(), &stamp()).unwrap_err();
            assert!(error.contains(why), "{unfit:?}: {error}");
        }
    }

    #[test]
    fn an_acknowledgement_means_what_its_code_says() {
        check("MSH|^~\\&|E\rMSA|AA|{id}", Ok("acknowledged with AA"));
        check("MSH|^~\\&|E\rSFT|x\rMSA|CA|{id}\r", Ok("acknowledged with CA"));
        check("MSH#@*!%#E\nMSA#AA#{id}\n", Ok("acknowledged with AA"));
        check(
            "MSH|^~\\&|E\rMSA|AE|{id}| queue \\T\\ disk \\F\\ full\\.br\\ ",
            Err("answered AE (error): queue & disk | full"),
        );
        check("MSH|^~\\&|E\rMSA|CR|{id}", Err("answered CR (rejected)"));
        check(
            "MSH|^~\\&|E\rMSA|AR|{id}\rERR||MSH^1^9|200^Unsupported message type^HL70357|E",
            Err("answered AR (rejected): Unsupported message type"),
        );
        check(
            "MSH|^~\\&|E\rMSA|AE|{id}\rERR|||207|E||||停止中です",
            Err("answered AE (error): 停止中です"),
        );
        check(
            "MSH|^~\\&|E\rMSA|AA|{id}x",
            Err("acknowledged the message `SHR0123456789abcdefx`, which is not the one sent"),
        );
        check(
            "MSH|^~\\&|E\rMSA|OK|{id}",
            Err("answered with `OK`, which is no code of an acknowledgement"),
        );
        check("MSH|^~\\&|E\r", Err("its answer acknowledges nothing: it has no MSA segment"));
        for no_message in ["", "MSH", "MSHxAA", "HTTP/1.1 400", "MS"] {
            let why = "its answer is no HL7 message: it does not begin with MSH";
            check(no_message, Err(why));
        }
    }

    #[test]
    fn a_two_byte_character_divides_nothing() {
        // The second byte of 復 is that of `|`.
        let (text, _, _) = ISO_2022_JP.encode("復旧中です|");
        assert_eq!(text.iter().filter(|byte| **byte == b'|').count(), 2, "{text:?}");
        let mut answer = b"MSH|^~\\&|E|||||||||||||||ISO IR87\rMSA|AE|".to_vec();
        answer.extend_from_slice(ID.as_bytes());
        answer.push(b'|');
        answer.extend_from_slice(&text);
        assert_eq!(judge(&answer, ID), Err("answered AE (error): 復旧中です".to_owned()));

        let (text, _, _) = SHIFT_JIS.encode("接続できません");
        let mut answer = format!("MSH|^~\\&|E\rMSA|AR|{ID}|").into_bytes();
        answer.extend_from_slice(&text);
        assert_eq!(judge(&answer, ID), Err("answered AR (rejected): 接続できません".to_owned()));
    }

    #[track_caller]
    fn check(answer: &str, expected: Result<&str, &str>) {
        let judged = judge(answer.replace("{id}", ID).as_bytes(), ID);
        assert_eq!(judged.as_deref().map_err(String::as_str), expected, "{answer:?}");
    }
}
