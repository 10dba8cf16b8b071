//! Tampering with any part of a stored approval is found.
