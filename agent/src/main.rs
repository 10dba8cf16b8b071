//! The endpoint agent.

fn main() {}
