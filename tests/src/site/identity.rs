//! What an organisation is and is called.

/// Whose collector a site runs.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// `hospital`, `group`, `municipality` or `ceptoar`.
    pub kind: &'static str,
    /// Its official name.
    pub name: &'static str,
    /// Whether partners reach it over the network; else by file alone.
    pub reachable: bool,
}

impl Identity {
    /// The hospital of the quick start and of most tests.
    pub const HOSPITAL: Self =
        Self { kind: "hospital", name: "しらせ総合病院", reachable: false };
}
