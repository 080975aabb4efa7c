//! Keys that no client has: a signature is checked by one of them where there is no key to check it by, so that the time an
//! answer takes does not tell which clients there are.
//!
//! Their private halves are public (RFC 7515 A.2 and A.3, RFC 8037 A.2; of P-384 the generator of FIPS 186-4 D.1.2.4, whose
//! private half is 1), so what they verify proves nothing, and nobody looks at what they say.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::domain::client_key::{ClientKey, KeyAlgorithm};

use super::client_key::from_jwk;

static STRANGERS: LazyLock<Vec<ClientKey>> = LazyLock::new(|| jwks().iter().filter_map(|jwk| from_jwk(jwk).ok()).collect());

/// The stranger of an algorithm.
pub(super) fn stranger(algorithm: KeyAlgorithm) -> Option<&'static ClientKey> {
    STRANGERS.iter().find(|key| key.alg == algorithm)
}

fn jwks() -> [Value; 5] {
    let rsa = |algorithm: &str| {
        json!({"kty": "RSA", "alg": algorithm, "e": "AQAB", "n":
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})
    };
    [
        json!({"kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}),
        json!({"kty": "EC", "crv": "P-384",
            "x": "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
            "y": "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f"}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        rsa("RS256"),
        rsa("PS256"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_of_each_algorithm() {
        for algorithm in KeyAlgorithm::ALL {
            assert!(stranger(algorithm).is_some(), "{algorithm:?}");
        }
    }
}
