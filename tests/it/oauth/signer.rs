//! Keys of vendors' machines, of every kind that is taken, and what is signed with them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use tidegate::token::client_key;

pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

pub struct Signer {
    pair: Pair,
    pub alg: &'static str,
}

impl Signer {
    pub fn new(alg: &'static str) -> Self {
        let pair = match alg {
            "ES256" => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "ES384" => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
            // Ed25519 by its older and by its newer name (RFC 8037 §3.1, RFC 9864 §2.2).
            "EdDSA" | "Ed25519" => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
            "RS256" | "PS256" => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            other => panic!("{other}"),
        };
        Self { pair, alg }
    }

    pub fn pem(&self) -> String {
        let der = match &self.pair {
            Pair::Ec(pair) => pair.public_key().as_der().unwrap(),
            Pair::Ed(pair) => pair.public_key().as_der().unwrap(),
            Pair::Rsa(pair) => pair.public_key().as_der().unwrap(),
        };
        armoured("PUBLIC KEY", der.as_ref())
    }

    /// The private half as PKCS#8, for clients that others wrote.
    pub fn private_pem(&self) -> String {
        let pkcs8 = match &self.pair {
            Pair::Ec(pair) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            // As OpenSSL writes it: without the public half, which RFC 5958 would add.
            Pair::Ed(pair) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).unwrap().as_ref().to_vec(),
        };
        armoured("PRIVATE KEY", &pkcs8)
    }

    /// The public half with what its kind has and no more.
    pub fn jwk(&self) -> Value {
        let mut jwk = json!(client_key::read(&self.pem()).unwrap().remove(0));
        for member in ["kid", "alg"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        if self.alg == "PS256" {
            jwk["alg"] = json!("PS256");
        }
        jwk
    }

    pub fn thumbprint(&self) -> String {
        client_key::thumbprint(&client_key::from_jwk(&self.jwk()).unwrap()).unwrap().to_string()
    }

    pub fn raw(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(claims));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = if self.alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(padding, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// An assertion as a client makes it.
    pub fn assertion(&self, client: &str, issuer: &str, now: i64) -> String {
        self.sign(&json!({"alg": self.alg, "typ": "JWT"}), &claims(client, issuer, now))
    }

    /// A proof for a request, with the hash of a token where one comes with it.
    pub fn proof(&self, method: &str, url: &str, token: Option<&str>, now: i64) -> String {
        self.sign(&self.proof_header(), &proof_claims(method, url, token, now))
    }

    pub fn proof_header(&self) -> Value {
        json!({"alg": self.alg, "typ": "dpop+jwt", "jwk": self.jwk()})
    }
}

/// One less than the exponent of the keys of [`smooth_rsa`]; it has 1,920 divisors.
const ORDER: u64 = 3_491_888_400;

/// A proof by an RSA key of so many bits or a few more, which libraries would not make. Its modulus is a product of primes that
/// are each one more than a divisor of `ORDER`. To the power of `ORDER + 1` every number is itself then (Carmichael), so a
/// padded hash is its own signature.
pub fn smooth_rsa(bits: usize, claims: &Value) -> String {
    let modulus = smooth_modulus(bits);
    let exponent = BASE64URL_NOPAD.encode(&(ORDER + 1).to_be_bytes()[4..]);
    let jwk = json!({"kty": "RSA", "n": BASE64URL_NOPAD.encode(&modulus), "e": exponent});
    let header = json!({"alg": "RS256", "typ": "dpop+jwt", "jwk": jwk});
    let message = [header, claims.clone()].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes())).join(".");
    // EMSA-PKCS1-v1_5 with the DigestInfo of SHA-256 (RFC 8017 §9.2).
    let info = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let hash = digest(&SHA256, message.as_bytes());
    let padding = vec![0xff_u8; modulus.len() - info.len() - hash.as_ref().len() - 3];
    let signature = [&[0_u8, 1][..], &padding, &[0], info, hash.as_ref()].concat();
    format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// The product of the first such primes that has so many bits, in big-endian bytes.
fn smooth_modulus(bits: usize) -> Vec<u8> {
    let is_prime = |number: &u64| (2_u64..).take_while(|by| by * by <= *number).all(|by| !number.is_multiple_of(by));
    let mut primes = (2_u64..).filter(|divisor| ORDER.is_multiple_of(*divisor)).map(|divisor| divisor + 1).filter(is_prime);
    let length = |product: &[u8]| product.len() * 8 - product[product.len() - 1].leading_zeros() as usize;
    let mut product = vec![1_u8];
    while length(&product) < bits {
        let (prime, mut carry) = (primes.next().unwrap(), 0_u64);
        for byte in &mut product {
            carry += u64::from(*byte) * prime;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        while carry > 0 {
            product.push(carry.to_le_bytes()[0]);
            carry >>= 8;
        }
    }
    product.reverse();
    product
}

fn armoured(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub fn claims(client: &str, issuer: &str, now: i64) -> Value {
    json!({"iss": client, "sub": client, "aud": issuer, "iat": now, "exp": now + 60, "jti": unique()})
}

pub fn proof_claims(method: &str, url: &str, token: Option<&str>, now: i64) -> Value {
    let mut claims = json!({"htm": method, "htu": url, "iat": now, "jti": unique()});
    if let Some(token) = token {
        claims["ath"] = json!(BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref()));
    }
    claims
}

pub fn unique() -> String {
    tidegate::keys::new_uuid()
}

/// Members with some changed; `null` takes one out.
pub fn changed(good: &Value, by: &Value) -> Value {
    let mut members = good.clone();
    for (name, value) in by.as_object().unwrap() {
        if value.is_null() {
            members.as_object_mut().unwrap().remove(name);
        } else {
            members[name] = value.clone();
        }
    }
    members
}
