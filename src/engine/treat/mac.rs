//! HMAC-SHA-256 (RFC 2104, FIPS 180-4) for millions of short messages under one key.
//!
//! The library's own makes and copies a context of several hundred bytes for each message; two digests of a few blocks
//! cost three quarters of that.

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroize;

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// Bytes of its digest, and of a tag.
const OUT: usize = 32;

/// A key, as the blocks that its two digests begin with. They are wiped when dropped.
pub(super) struct Mac {
    inner: [u8; BLOCK],
    outer: [u8; BLOCK],
}

impl Mac {
    pub(super) fn new(key: &[u8; OUT]) -> Self {
        let mut mac = Self { inner: [0x36; BLOCK], outer: [0x5c; BLOCK] };
        for (pad, byte) in mac.inner.iter_mut().zip(key) {
            *pad ^= byte;
        }
        for (pad, byte) in mac.outer.iter_mut().zip(key) {
            *pad ^= byte;
        }
        mac
    }

    /// What every message under this key begins with before it is tagged.
    pub(super) const fn head(&self) -> &[u8; BLOCK] {
        &self.inner
    }

    /// The tag of a message that begins with the head.
    pub(super) fn tag(&self, headed: &[u8]) -> [u8; OUT] {
        debug_assert!(headed.starts_with(&self.inner));
        let mut outer = [0; BLOCK + OUT];
        let (pad, within) = outer.split_at_mut(BLOCK);
        pad.copy_from_slice(&self.outer);
        within.copy_from_slice(digest(&SHA256, headed).as_ref());
        let mut tag = [0; OUT];
        tag.copy_from_slice(digest(&SHA256, &outer).as_ref());
        tag
    }
}

impl Drop for Mac {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_hmac(key: [u8; OUT], message in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mac = Mac::new(&key);
            let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
            let headed = [mac.head().as_slice(), message.as_slice()].concat();
            let tag = mac.tag(&headed);
            prop_assert_eq!(tag.as_slice(), expected.as_ref());
        }
    }
}
