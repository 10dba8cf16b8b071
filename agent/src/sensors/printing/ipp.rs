//! The little of the Internet Printing Protocol (RFC 8010, 8011) that lists jobs: the question Get-Jobs and its answer,
//! within HTTP.

/// What a server is asked with: version 2.0, Get-Jobs.
const BEGINNING: [u8; 4] = [0x02, 0x00, 0x00, 0x0a];
/// Tags of groups end here; above it are those of values.
const LAST_GROUP_TAG: u8 = 0x0f;
const OPERATION_GROUP: u8 = 0x01;
const JOB_GROUP: u8 = 0x02;
const END: u8 = 0x03;
const INTEGER: u8 = 0x21;
const NAME: u8 = 0x42;
const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;
/// The first status that is none of success.
const FIRST_FAILURE: u16 = 0x0100;

/// A job as the server tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: i32,
    pub(super) printer: String,
    pub(super) title: String,
    /// When it was made, in seconds since 1970.
    pub(super) made_at: i64,
}

/// Returns the question for jobs from this id on, in HTTP.
pub(super) fn question(first: i32, limit: i32) -> Vec<u8> {
    let mut body = BEGINNING.to_vec();
    body.extend(1_i32.to_be_bytes());
    body.push(OPERATION_GROUP);
    value(&mut body, CHARSET, "attributes-charset", b"utf-8");
    value(&mut body, LANGUAGE, "attributes-natural-language", b"en");
    value(&mut body, URI, "printer-uri", b"ipp://localhost/");
    value(&mut body, NAME, "requesting-user-name", b"root");
    value(&mut body, KEYWORD, "which-jobs", b"all");
    value(&mut body, INTEGER, "first-job-id", &first.to_be_bytes());
    value(&mut body, INTEGER, "limit", &limit.to_be_bytes());
    value(&mut body, KEYWORD, "requested-attributes", b"job-id");
    // The host is not needed here, but a CUPS that is asked for it reads done jobs from its disk; else their titles are
    // missing.
    for name in ["job-originating-host-name", "job-name", "job-printer-uri", "time-at-creation"] {
        value(&mut body, KEYWORD, "", name.as_bytes());
    }
    body.push(END);
    // 1.0, so that the answer comes in one piece and the connection ends with it.
    let head = format!(
        "POST / HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );

    [head.as_bytes(), &body].concat()
}

fn value(body: &mut Vec<u8>, tag: u8, name: &str, value: &[u8]) {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    body.push(tag);
    body.extend(length(name.as_bytes()));
    body.extend(name.as_bytes());
    body.extend(length(value));
    body.extend(value);
}

/// Returns the jobs an answer lists.
///
/// # Errors
/// Says what is odd about it.
pub(super) fn jobs(answer: &[u8]) -> Result<Vec<Job>, String> {
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .ok_or("the answer is no HTTP")?;
    let (head, body) = answer
        .split_at_checked(end + 4)
        .ok_or("the answer is cut off")?;
    let head = String::from_utf8_lossy(head);
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("the answer is `{}`", status.trim()));
    }
    let mut rest = Bytes(body);
    let _version = rest.u16()?;
    let status = rest.u16()?;
    if FIRST_FAILURE <= status {
        return Err(format!("the print service refuses with IPP status {status:#06x}"));
    }
    let _request = rest.take(4)?;
    let mut jobs: Vec<Job> = Vec::new();
    let mut group = OPERATION_GROUP;
    loop {
        let tag = rest.u8()?;
        if tag == END {
            jobs.retain(|job| job.id != 0);
            return Ok(jobs);
        }
        if tag <= LAST_GROUP_TAG {
            group = tag;
            if group == JOB_GROUP {
                jobs.push(Job::default());
            }
            continue;
        }
        let name_length = usize::from(rest.u16()?);
        let name = rest.take(name_length)?;
        let value_length = usize::from(rest.u16()?);
        let value = rest.take(value_length)?;
        if let Some(job) = jobs.last_mut().filter(|_| group == JOB_GROUP) {
            note(job, name, value);
        }
    }
}

fn note(job: &mut Job, name: &[u8], value: &[u8]) {
    let text = || String::from_utf8_lossy(value).into_owned();
    let integer = || value.try_into().map(i32::from_be_bytes).unwrap_or(0);
    match name {
        b"job-id" => job.id = integer(),
        b"job-name" => job.title = text(),
        b"job-printer-uri" => {
            let uri = text();
            job.printer = uri.rsplit('/').next().unwrap_or_default().to_owned();
        }
        b"time-at-creation" => job.made_at = i64::from(integer()),
        _ => {}
    }
}

/// Reads bytes one after the other, never beyond their end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or("the answer is cut off")?;
        self.0 = rest;

        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    fn u16(&mut self) -> Result<u16, String> {
        let bytes = self.take(2)?;

        Ok(bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u16::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What CUPS 2.4.2 on Debian 12 answered to the question for jobs from 3 on.
    const ANSWER: &[u8] = b"HTTP/1.0 200 OK\r\nContent-Language: en\r\nContent-Length: 274\r\nContent-Type: application/ipp\r\n\
        Server: CUPS/2.4 IPP/2.1\r\n\r\n\
        \x02\x00\x00\x00\x00\x00\x00\x01\x01G\x00\x12attributes-charset\x00\x05utf-8H\x00\x1battributes-natural-language\x00\x02en\
        \x02E\x00\x0fjob-printer-uri\x00#ipp://localhost:631/printers/shira3B\x00\x19job-originating-user-name\x00\x04root\
        B\x00\x08job-name\x00\x14README restore filesB\x00\x19job-originating-host-name\x00\tlocalhost\
        !\x00\x10time-at-creation\x00\x04k\x07:g!\x00\x06job-id\x00\x04\x00\x00\x00\x03\x03";

    #[test]
    fn a_real_answer_reads() {
        let job = Job {
            id: 3,
            printer: "shira3".to_owned(),
            title: "README restore files".to_owned(),
            made_at: 1_795_635_815,
        };
        assert_eq!(jobs(ANSWER), Ok(vec![job]));
    }

    #[test]
    fn no_answer_however_damaged_ends_the_agent() {
        for end in 0..ANSWER.len() {
            assert!(jobs(ANSWER.get(..end).unwrap()).is_err(), "{end}");
        }
        for at in 0..ANSWER.len() {
            let mut damaged = ANSWER.to_vec();
            damaged[at] ^= 0xff;
            drop(jobs(&damaged));
        }
        let refused = String::from_utf8_lossy(ANSWER).replace("200 OK", "403 Forbidden");
        assert!(jobs(refused.as_bytes()).unwrap_err().contains("403"));
    }

    #[test]
    fn the_question_states_its_length() {
        let question = question(7, 500);
        let end = question
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .unwrap()
            + 4;
        let head = String::from_utf8_lossy(&question[..end]);
        let length = format!("Content-Length: {}\r\n", question.len() - end);
        assert!(head.contains(&length), "{head}");
    }
}
