//! Digests of a store, in buckets by key: members that differ exchange the buckets in which they do, not all they have.

/// How many buckets a store is divided into.
pub(crate) const BUCKETS: usize = 256;

/// Records of the state files that go into one message, in bytes, and a record more.
pub(crate) const STATE_MAX: usize = 32 << 20;

/// Combined hashes of the versions in each bucket; a version that comes or goes is counted the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    buckets: Box<[u64; BUCKETS]>,
    total: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self { buckets: Box::new([0; BUCKETS]), total: 0 }
    }
}

/// Buckets that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted(Box<[bool; BUCKETS]>);

impl Digest {
    /// A version has come, or gone.
    pub(crate) fn toggle(&mut self, bucket: usize, version: u64) {
        self.buckets[bucket % BUCKETS] ^= version;
        self.total ^= version;
    }

    /// Equal for stores that hold the same versions.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// One number for each bucket.
    pub(crate) fn buckets(&self) -> Vec<u64> {
        self.buckets.to_vec()
    }

    /// Where another store differs. One that is divided otherwise differs everywhere.
    pub(crate) fn differing(&self, other: &[u64]) -> Wanted {
        let mut wanted = Wanted::all();
        if other.len() == BUCKETS {
            wanted.0.iter_mut().zip(self.buckets.iter().zip(other)).for_each(|(wanted, (a, b))| *wanted = a != b);
        }
        wanted
    }
}

impl Wanted {
    pub(crate) fn all() -> Self {
        Self(Box::new([true; BUCKETS]))
    }

    pub(crate) fn has(&self, bucket: usize) -> bool {
        self.0[bucket % BUCKETS]
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }
}

/// The bucket of a key with this hash.
pub(crate) fn bucket_of(hash: u64) -> usize {
    (hash % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_buckets_with_a_difference_are_wanted() {
        let (mut one, mut other) = (Digest::default(), Digest::default());
        for digest in [&mut one, &mut other] {
            digest.toggle(3, 0xaa);
            digest.toggle(9, 0xbb);
        }
        assert!(one.differing(&other.buckets()).is_empty() && one.total() == other.total());
        other.toggle(9, 0xbb);
        let wanted = one.differing(&other.buckets());
        assert_eq!((0..BUCKETS).filter(|b| wanted.has(*b)).collect::<Vec<_>>(), [9]);
        assert_ne!(one.total(), other.total());
        assert_eq!(one.differing(&[1, 2]), Wanted::all());
    }
}
