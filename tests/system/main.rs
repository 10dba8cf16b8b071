//! The system ring.
