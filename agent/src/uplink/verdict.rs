//! Decides what an answer means. The one place that can make records leave the buffer.
//!
//! Always holds: pure. Only an answer that was parsed decides anything; a status alone decides nothing but `413`.

use shirase_shared::ids::Sequence;
use shirase_shared::wire::{Ack, Refusal, RefusalReason};

use super::batch::Outgoing;

/// What came back for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A success whose body is an acknowledgement, to the letter.
    Ack(Ack),
    /// A client error whose body is a refusal of one record, to the letter.
    Refused(Refusal),
    /// Status 413 without a refusal: the request is too large for someone on the way.
    TooLarge,
    /// Anything else that was answered.
    Unreadable {
        /// What it was, for people.
        saw: String,
    },
    /// No answer came.
    ConnectionLost {
        /// Why, for people.
        why: String,
    },
}

/// What the uplink does next with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The collector stored everything up to this number: remove it from the buffer.
    Stored {
        /// The last number stored.
        through: Sequence,
    },
    /// The collector names one record it will never take: set it aside and raise an event about it.
    SetAside {
        /// Its number.
        sequence: Sequence,
        /// Why.
        reason: RefusalReason,
    },
    /// Too large for one request: send less at a time.
    Halve,
    /// Nothing was decided: send the same batch again after a pause.
    Resend {
        /// What came instead of a decision, for people.
        why: String,
    },
}

impl Verdict {
    /// Judges an answer to a batch.
    #[must_use]
    pub fn judge(batch: &Outgoing, answer: Answer) -> Self {
        match answer {
            Answer::Ack(ack) if covers(&ack, batch) => Self::Stored { through: ack.stored_through },
            Answer::Ack(ack) => Self::Resend {
                why: format!(
                    "an acknowledgement through {} that does not fit the batch",
                    ack.stored_through
                ),
            },
            Answer::Refused(refusal) if names(&refusal, batch) => {
                Self::SetAside { sequence: refusal.sequence, reason: refusal.refused }
            }
            Answer::Refused(refusal) => Self::Resend {
                why: format!("a refusal of record {}, which is not in the batch", refusal.sequence),
            },
            Answer::TooLarge if 1 < batch.lines().len() => Self::Halve,
            // Nobody but the collector's typed refusal may take a record out of the way.
            Answer::TooLarge => Self::Resend {
                why: "a single record was too large for someone on the way (status 413)".to_owned(),
            },
            Answer::Unreadable { saw } => Self::Resend { why: saw },
            Answer::ConnectionLost { why } => Self::Resend { why },
        }
    }
}

fn covers(ack: &Ack, batch: &Outgoing) -> bool {
    ack.stream == batch.stream()
        && batch.contains(ack.stored_through)
        && ack.digest == batch.digest(ack.stored_through)
}

fn names(refusal: &Refusal, batch: &Outgoing) -> bool {
    refusal.stream == batch.stream() && batch.contains(refusal.sequence)
}

#[cfg(test)]
mod tests {
    use shirase_shared::ids::StreamId;
    use shirase_shared::wire::record_hash;

    use super::*;
    use crate::buffer::StoredLine;

    fn batch(numbers: &[u64]) -> Outgoing {
        let line = |number: &u64| {
            let line = format!("{{\"sequence\":{number}}}").into_bytes();
            let hash = record_hash(&line);
            StoredLine { stream: ours(), sequence: Sequence(*number), line, hash }
        };
        Outgoing::of(numbers.iter().map(line).collect()).unwrap()
    }

    fn ours() -> StreamId {
        StreamId::from_uuid(uuid::Uuid::from_u128(1))
    }

    fn theirs() -> StreamId {
        StreamId::from_uuid(uuid::Uuid::from_u128(2))
    }

    fn ack(stream: StreamId, through: u64, digest: String) -> Answer {
        Answer::Ack(Ack { stream, stored_through: Sequence(through), digest })
    }

    fn refusal(stream: StreamId, sequence: u64) -> Answer {
        let refused = RefusalReason::Malformed;
        Answer::Refused(Refusal { stream, sequence: Sequence(sequence), refused })
    }

    #[track_caller]
    fn check(numbers: &[u64], answer: Answer, expected: &str) {
        let verdict = match Verdict::judge(&batch(numbers), answer) {
            Verdict::Stored { through } => format!("stored {through}"),
            Verdict::SetAside { sequence, reason } => format!("set aside {sequence} {reason:?}"),
            Verdict::Halve => "halve".to_owned(),
            Verdict::Resend { .. } => "resend".to_owned(),
        };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn only_an_acknowledgement_with_our_stream_and_digest_removes_records() {
        let numbers = &[3, 4, 6];
        let whole = || batch(numbers).digest(Sequence(6));
        check(numbers, ack(ours(), 6, whole()), "stored 6");
        check(numbers, ack(ours(), 4, batch(numbers).digest(Sequence(4))), "stored 4");
        check(numbers, ack(ours(), 6, batch(numbers).digest(Sequence(4))), "resend");
        check(numbers, ack(ours(), 6, String::new()), "resend");
        check(numbers, ack(ours(), 6, whole().to_uppercase()), "resend");
        check(numbers, ack(theirs(), 6, whole()), "resend");
        check(numbers, ack(ours(), 5, batch(numbers).digest(Sequence(5))), "resend");
        check(numbers, ack(ours(), 7, whole()), "resend");
        check(numbers, ack(ours(), 0, batch(numbers).digest(Sequence(0))), "resend");
    }

    #[test]
    fn only_a_refusal_that_names_one_of_ours_sets_it_aside() {
        check(&[3, 4], refusal(ours(), 4), "set aside 4 Malformed");
        check(&[3, 4], refusal(ours(), 5), "resend");
        check(&[3, 4], refusal(theirs(), 4), "resend");
    }

    #[test]
    fn too_large_is_halved_down_to_one_record_which_waits() {
        check(&[3, 4], Answer::TooLarge, "halve");
        check(&[3], Answer::TooLarge, "resend");
    }

    #[test]
    fn everything_else_means_later() {
        check(&[3], Answer::Unreadable { saw: "status 200, text/html".to_owned() }, "resend");
        check(&[3], Answer::ConnectionLost { why: "reset".to_owned() }, "resend");
    }
}
