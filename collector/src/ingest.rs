//! Takes what agents send: checks it, puts it on the collector's time line, stores it, then answers.

pub mod clock_offset;
