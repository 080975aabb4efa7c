//! The first lines of code for a vendor's machine. They name permit, dataset and purpose; the secret comes from the
//! machine's environment and stands in none of them.

use crate::app::access::Pullable;
use crate::domain::client_key::KeyAlgorithm;
use crate::domain::id::ClientId;

/// Lines in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// For the page's mark-up, and for the test that runs it.
    pub key: &'static str,
    pub label: &'static str,
    /// How it is run.
    pub run: &'static str,
    pub code: String,
}

/// What the machine has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A client's secret, for short-lived tokens.
    Secret,
    /// A key of its own, for the same, and how that signs.
    Key(KeyAlgorithm),
    /// A plain token.
    Plain,
}

/// What the environment holds: names and values.
fn environment(client: &ClientId, how: How, secret: &str) -> Vec<(&'static str, String)> {
    match how {
        How::Secret => vec![("TIDEGATE_CLIENT_ID", client.to_string()), ("TIDEGATE_CLIENT_SECRET", secret.to_owned())],
        How::Key(_) => vec![("TIDEGATE_CLIENT_ID", client.to_string()), ("TIDEGATE_PRIVATE_KEY", "private-key.pem".to_owned())],
        How::Plain => vec![("TIDEGATE_TOKEN", secret.to_owned())],
    }
}

/// The lines that put what the machine needs into the environment.
pub fn shell(client: &ClientId, how: How, secret: &str) -> String {
    let lines: Vec<String> = environment(client, how, secret).iter().map(|(name, value)| format!("export {name}='{value}'")).collect();
    lines.join("\n")
}

/// The same as a file of settings, as container and service managers read it.
pub fn settings(base: &str, client: &ClientId, how: How, secret: &str) -> String {
    let mut lines = vec![format!("TIDEGATE_URL={base}")];
    lines.extend(environment(client, how, secret).iter().map(|(name, value)| format!("{name}={value}")));
    lines.push(String::new());
    lines.join("\n")
}

/// A text as an address that a browser saves as a file (RFC 2397), so that a page shown once needs no second one.
pub fn as_address(text: &str) -> String {
    format!("data:text/plain;base64,{}", data_encoding::BASE64.encode(text.as_bytes()))
}

/// The same in each language: a token, then a page of rows; what there is to pull, where no permit is in force yet.
pub fn of(base: &str, first: Option<&Pullable>, how: How) -> Vec<Snippet> {
    let path = first.map_or_else(
        || "/data/v1/datasets".to_owned(),
        |first| format!("/data/v1/datasets/{}/records?purpose={}&limit=5", first.dataset, first.purpose),
    );
    let scope = first.map(|first| first.permit.as_str());
    let python_run = match how {
        How::Secret | How::Plain => "Save as pull.py and run python3 pull.py; it needs nothing else.",
        How::Key(_) => "Save as pull.py and run python3 pull.py; it needs PyJWT with its extra crypto.",
    };
    let shell = curl(base, &path, scope, how).map(|code| Snippet { key: "curl", label: "curl", run: "In a shell.", code });
    let python = Snippet { key: "python", label: "Python", run: python_run, code: python(base, &path, scope, how) };
    let node_run = "Save as pull.mjs and run node pull.mjs; Node 18 or newer.";
    let node = Snippet { key: "node", label: "Node", run: node_run, code: node(base, &path, scope, how) };
    shell.into_iter().chain([python, node]).collect()
}

/// A shell signs nothing by itself, so there are no lines for keys.
fn curl(base: &str, path: &str, scope: Option<&str>, how: How) -> Option<String> {
    let (token, asked) = match how {
        How::Key(_) => return None,
        How::Plain => ("TIDEGATE_TOKEN", String::new()),
        How::Secret => {
            let scope = scope.map(|scope| format!(" -d scope={scope}")).unwrap_or_default();
            let asked = format!(
                r#"TOKEN=$(curl -sS --fail-with-body -u "$TIDEGATE_CLIENT_ID:$TIDEGATE_CLIENT_SECRET" \
  -d grant_type=client_credentials{scope} {base}/oauth/token \
  | sed -E 's/.*"access_token" *: *"([^"]+)".*/\1/')
"#
            );
            ("TOKEN", asked)
        }
    };
    Some(format!(
        r#"{asked}curl -sS --fail-with-body -H "Authorization: Bearer ${token}" \
  '{base}{path}'"#
    ))
}

fn python(base: &str, path: &str, scope: Option<&str>, how: How) -> String {
    let scope = scope.map(|scope| format!(", \"scope\": \"{scope}\"")).unwrap_or_default();
    let begin = match how {
        How::Secret => python_secret(base, &scope),
        How::Key(algorithm) => python_key(base, &scope, algorithm),
        How::Plain => format!(
            r#"import json, os, urllib.request

BASE = "{base}"
token = os.environ["TIDEGATE_TOKEN"]"#
        ),
    };
    format!(
        r#"{begin}

pull = urllib.request.Request(BASE + "{path}")
pull.add_header("Authorization", "Bearer " + token)
print(json.dumps(json.load(urllib.request.urlopen(pull)), indent=2))"#
    )
}

fn python_secret(base: &str, scope: &str) -> String {
    format!(
        r#"import base64, json, os, urllib.parse, urllib.request

BASE = "{base}"
client = os.environ["TIDEGATE_CLIENT_ID"] + ":" + os.environ["TIDEGATE_CLIENT_SECRET"]
form = urllib.parse.urlencode({{"grant_type": "client_credentials"{scope}}}).encode()
ask = urllib.request.Request(BASE + "/oauth/token", data=form)
ask.add_header("Authorization", "Basic " + base64.b64encode(client.encode()).decode())
token = json.load(urllib.request.urlopen(ask))["access_token"]"#
    )
}

fn python_key(base: &str, scope: &str, algorithm: KeyAlgorithm) -> String {
    let algorithm = algorithm.key();
    format!(
        r#"import json, os, time, urllib.parse, urllib.request, uuid
import jwt

BASE = "{base}"
client, now = os.environ["TIDEGATE_CLIENT_ID"], int(time.time())
key = open(os.environ["TIDEGATE_PRIVATE_KEY"]).read()
claims = {{"iss": client, "sub": client, "aud": BASE, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}}
form = urllib.parse.urlencode({{
    "grant_type": "client_credentials"{scope},
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": jwt.encode(claims, key, "{algorithm}"),
}}).encode()
token = json.load(urllib.request.urlopen(BASE + "/oauth/token", form))["access_token"]"#
    )
}

fn node(base: &str, path: &str, scope: Option<&str>, how: How) -> String {
    let scope = scope.map(|scope| format!("\n  scope: \"{scope}\",")).unwrap_or_default();
    let begin = match how {
        How::Secret => node_secret(base, &scope),
        How::Key(algorithm) => node_key(base, &scope, algorithm),
        How::Plain => format!(
            r#"const BASE = "{base}";
const access_token = process.env.TIDEGATE_TOKEN;"#
        ),
    };
    format!(
        r#"{begin}

const pulled = await fetch(BASE + "{path}", {{ headers: {{ Authorization: "Bearer " + access_token }} }});
if (!pulled.ok) throw new Error(await pulled.text());
console.log(JSON.stringify(await pulled.json(), null, 2));"#
    )
}

fn node_secret(base: &str, scope: &str) -> String {
    format!(
        r#"const BASE = "{base}";
const {{ TIDEGATE_CLIENT_ID: id, TIDEGATE_CLIENT_SECRET: secret }} = process.env;
const headers = {{ Authorization: "Basic " + Buffer.from(id + ":" + secret).toString("base64") }};
const body = new URLSearchParams({{
  grant_type: "client_credentials",{scope}
}});
const asked = await fetch(BASE + "/oauth/token", {{ method: "POST", headers, body }});
if (!asked.ok) throw new Error(await asked.text());
const {{ access_token }} = await asked.json();"#
    )
}

fn node_key(base: &str, scope: &str, algorithm: KeyAlgorithm) -> String {
    let (name, (hash, options)) = (algorithm.key(), node_signing(algorithm));
    format!(
        r#"import {{ constants, randomUUID, sign }} from "node:crypto";
import {{ readFileSync }} from "node:fs";

const BASE = "{base}";
const {{ TIDEGATE_CLIENT_ID: id, TIDEGATE_PRIVATE_KEY: file }} = process.env;
const iat = Math.floor(Date.now() / 1000);
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const said = part({{ alg: "{name}", typ: "JWT" }}) + "." +
  part({{ iss: id, sub: id, aud: BASE, iat, exp: iat + 60, jti: randomUUID() }});
const signature = sign({hash}, Buffer.from(said), {{ key: readFileSync(file){options} }});
const body = new URLSearchParams({{
  grant_type: "client_credentials",{scope}
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: said + "." + signature.toString("base64url"),
}});
const asked = await fetch(BASE + "/oauth/token", {{ method: "POST", body }});
if (!asked.ok) throw new Error(await asked.text());
const {{ access_token }} = await asked.json();"#
    )
}

/// The digest and the options of `crypto.sign` that make what the algorithm's name says: JWS wants both halves of an ECDSA
/// signature side by side (RFC 7518 §3.4), and a salt as long as the hash (§3.5).
const fn node_signing(algorithm: KeyAlgorithm) -> (&'static str, &'static str) {
    match algorithm {
        KeyAlgorithm::ES256 => ("\"sha256\"", ", dsaEncoding: \"ieee-p1363\""),
        KeyAlgorithm::ES384 => ("\"sha384\"", ", dsaEncoding: \"ieee-p1363\""),
        KeyAlgorithm::EdDSA => ("null", ""),
        KeyAlgorithm::RS256 => ("\"sha256\"", ""),
        KeyAlgorithm::PS256 => ("\"sha256\"", ", padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32"),
    }
}
