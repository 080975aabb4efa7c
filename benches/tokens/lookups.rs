//! How long the token endpoint takes to refuse clients that there are and clients that there are not.

use std::time::Instant;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tidegate::keys;
use tidegate::keys::secret::{Prefix, generate};
use tidegate::store::Clock;

use crate::machine::Machine;
use crate::running::{Demo, client};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Asked for this often before it counts.
const WARM: usize = 200;

/// Asks in turns as a stranger, with a wrong secret, and with signatures of a wrong key; says the median of each.
pub async fn measure(demo: &Demo, machine: &Machine, rounds: usize) {
    let http = client();
    let pair = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (theirs, wrong) = (pair(), pair());
    let keyed = machine.sibling(demo, &http).await.id;
    let body = json!({"version": 1, "dpop": "optional", "authentication": {"kind": "keys", "pem": pem(&theirs)}});
    let path = format!("{}/api/v1/clients/{keyed}/authentication", demo.url);
    let set = http.put(path).bearer_auth(demo.key("vendor_manager")).json(&body).send().await.unwrap();
    assert_eq!(set.status(), 200, "{}", set.text().await.unwrap());

    let secret = generate(Prefix::ClientSecret).reveal().to_owned();
    let nobody = keys::new_uuid();
    let cases = [
        ("a secret, no such client", Bring::Secret(nobody.clone())),
        ("a wrong secret", Bring::Secret(machine.id.clone())),
        ("an assertion, no such client", Bring::Assertion(nobody)),
        ("an assertion of a client with a secret", Bring::Assertion(machine.id.clone())),
        ("an assertion by a wrong key", Bring::Assertion(keyed)),
    ];
    let mut times: Vec<Vec<f64>> = cases.iter().map(|_| Vec::new()).collect();
    for round in 0..WARM + rounds {
        for ((_, bring), times) in cases.iter().zip(&mut times) {
            let body = match bring {
                Bring::Secret(id) => format!("grant_type=client_credentials&client_id={id}&client_secret={secret}"),
                Bring::Assertion(id) => {
                    let signed = assertion(&wrong, id, &demo.url);
                    format!("grant_type=client_credentials&client_assertion_type={JWT_BEARER}&client_assertion={signed}")
                }
            };
            let request = http.post(format!("{}/oauth/token", demo.url)).header("content-type", "application/x-www-form-urlencoded");
            let asked = Instant::now();
            let answer = request.body(body).send().await.unwrap();
            let taken = asked.elapsed().as_secs_f64() * 1e6;
            assert_eq!(answer.status(), 401, "{}", answer.text().await.unwrap());
            drop(answer.bytes().await.unwrap());
            if round >= WARM {
                times.push(taken);
            }
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    for ((name, bring), taken) in cases.iter().zip(&medians) {
        let stranger = if matches!(bring, Bring::Secret(_)) { medians[0] } else { medians[2] };
        println!("{name}: median {taken:.0} µs, {:.3} of a stranger's", taken / stranger);
    }
}

enum Bring {
    Secret(String),
    Assertion(String),
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn assertion(pair: &EcdsaKeyPair, client: &str, issuer: &str) -> String {
    let now = Clock::system().now().seconds();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": client, "sub": client, "aud": issuer, "iat": now, "exp": now + 60, "jti": keys::new_uuid()});
    let message = format!("{}.{}", part(json!({"alg": "ES256", "typ": "JWT"})), part(claims));
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn pem(pair: &EcdsaKeyPair) -> String {
    let der = pair.public_key().as_der().unwrap();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()))
}
