//! HMAC-SHA-256 (RFC 2104, FIPS 180-4) for millions of short messages under one key: the padded key is hashed once, and
//! each message goes on from there.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a key, and of a tag.
const OUT: usize = 32;
/// Bytes of a block of SHA-256, to which a key is filled up with zeros.
const BLOCK: usize = 64;

/// A key, as the two states of the hash that follow its padded blocks. They are overwritten when dropped; the copies that a
/// message makes of them on the stack are not, since that costs a third more.
pub(super) struct Mac(Hmac<Sha256>);

impl Mac {
    pub(super) fn new(key: &[u8; OUT]) -> Self {
        Self(begun(key))
    }

    /// The tag of a message.
    pub(super) fn tag(&self, message: &[u8]) -> [u8; OUT] {
        let mut begun = self.0.clone();
        begun.update(message);
        begun.finalize().into_bytes().into()
    }
}

impl Drop for Mac {
    fn drop(&mut self) {
        self.0 = begun(&[0; OUT]);
        // What nobody reads would not be written.
        std::hint::black_box(&self.0);
    }
}

fn begun(key: &[u8; OUT]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; BLOCK]);
    block.iter_mut().zip(key).for_each(|(into, byte)| *into = *byte);
    Hmac::new(&(*block).into())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_hmac(key: [u8; OUT], message in proptest::collection::vec(any::<u8>(), 0..300)) {
            let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
            let tag = Mac::new(&key).tag(&message);
            prop_assert_eq!(tag.as_slice(), expected.as_ref());
        }
    }
}
