//! The style sheet, and the policy that allows it and nothing else.

/// The content of the only `<style>`.
pub(super) const STYLE: &str = include_str!("page.css");

/// No script, no other file, no form, no frame. A style sheet counts only if it has this hash, which is that of [`STYLE`].
pub(in crate::details) const POLICY: &str = concat!(
    "default-src 'none'; style-src 'sha256-",
    "UrSCFOKADhxLH3GVhHS1SRexzuSisx8gc3agbewBBlo=",
    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
);

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::{POLICY, STYLE};

    #[test]
    fn the_policy_has_the_hash_of_the_style() {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}'")), "the hash is {hash}");
    }

    #[test]
    fn the_style_loads_nothing_and_does_not_end_its_element() {
        for text in ["url(", "@import", "</", "@font-face", "image-set"] {
            assert!(!STYLE.contains(text), "{text}");
        }
    }
}
