//! The profiles this program brings along.

macro_rules! built_in {
    ($($id:literal),* $(,)?) => {
        /// Each with the name of its file.
        pub(super) const BUILT_IN: &[(&str, &str)] = &[
            $((concat!($id, ".toml"), include_str!(concat!("../../../profiles/", $id, ".toml")))),*
        ];
    };
}

built_in!(
    "jp-vendor",
    "jp-mhlw-contact",
    "jp-mhlw-followup",
    "jp-mhlw-final",
    "jp-mhlw-fault",
    "jp-local",
    "jp-municipality-first",
    "jp-municipality-result",
    "jp-ppc-preliminary",
    "jp-ppc-final",
    "jp-common-1",
    "jp-common-2",
    "jp-common-3",
    "jp-police",
    "jp-ipa",
    "jp-jpcert",
    "jp-ceptoar",
    "jp-cyber-act",
    "us-hipaa",
    "eu-nis2",
    "uk-nis",
    "kr-pipa",
);
