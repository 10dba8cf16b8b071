//! What must fire and what must stay quiet, by the names of the facts: A01 to A15 and ordinary hospital work.
