//! The two hashes of a config: ours over all files, and the reference's metric.

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};

/// SHA-256 of a config with the files it refers to; by it the operator knows what a replica runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigHash([u8; 32]);

impl ConfigHash {
    /// The raw digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its first eight bytes, as a number whose hex digits are the first ones of the hash.
    pub fn short(&self) -> u64 {
        self.0.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}

impl fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hash over (name length, name, content length, content) of `files` in the order of their names; lengths are 8
/// bytes, little endian. The order in which the files are given does not matter.
pub fn content_hash(files: &[(&str, &[u8])]) -> ConfigHash {
    let mut sorted = files.to_vec();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    for (name, content) in sorted {
        for part in [name.as_bytes(), content] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    ConfigHash(hash.finalize().into())
}

/// Under this name the digest of the mounted files counts in [`content_hash`]: no file is called that.
pub const MOUNTED_NAME: &str = "";

/// One digest over the mounted files that a config names, by their paths; `None` where it names none. It is kept beside a
/// config in place of the files, which are secrets of others.
pub fn mounted_digest(files: &[(&str, &[u8])]) -> Option<String> {
    (!files.is_empty()).then(|| content_hash(files).to_string())
}

/// The value of `alertmanager_config_hash`: the first six bytes of the file's MD5, little endian.
pub fn metric_hash(content: &[u8]) -> u64 {
    let digest = Md5::digest(content);
    digest.iter().take(6).rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_but_names_do() {
        let one = content_hash(&[("a", b"1"), ("b", b"2")]);
        assert_eq!(one, content_hash(&[("b", b"2"), ("a", b"1")]));
        assert_ne!(one, content_hash(&[("a", b"2"), ("b", b"1")]));
        assert_ne!(content_hash(&[("ab", b"")]), content_hash(&[("a", b"b")]));
        assert_eq!(one.to_string().len(), 64);
        assert!(one.to_string().starts_with(&format!("{:016x}", one.short())));
    }

    #[test]
    fn metric_is_the_references() {
        // md5("") = d41d8cd98f00…
        assert_eq!(metric_hash(b""), 0x008f_d98c_1dd4);
    }
}
