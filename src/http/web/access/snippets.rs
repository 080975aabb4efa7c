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
    let shell = ("curl", "curl", "In a shell.");
    let python_run = match how {
        How::Secret | How::Plain => "Save as pull.py and run python3 pull.py; it needs nothing else.",
        How::Key(_) => "Save as pull.py and run python3 pull.py; it needs PyJWT with its extra crypto.",
    };
    let python_is = ("python", "Python", python_run);
    let node_is = ("node", "Node", "Save as pull.mjs and run node pull.mjs; Node 18 or newer.");
    let listed = match how {
        How::Secret => {
            vec![(shell, curl(base, &path, scope)), (python_is, python(base, &path, scope)), (node_is, node(base, &path, scope))]
        }
        How::Key(algorithm) => {
            let python = (python_is, python_key(base, &path, scope, algorithm));
            // Node signs the others in other ways; PyJWT knows them all.
            let node = (algorithm == KeyAlgorithm::ES256).then(|| (node_is, node_key(base, &path, scope)));
            std::iter::once(python).chain(node).collect()
        }
        How::Plain => vec![(shell, curl_plain(base, &path)), (python_is, python_plain(base, &path)), (node_is, node_plain(base, &path))],
    };
    listed.into_iter().map(|((key, label, run), code)| Snippet { key, label, run, code }).collect()
}

fn curl_plain(base: &str, path: &str) -> String {
    format!(
        r#"curl -sS --fail-with-body -H "Authorization: Bearer $TIDEGATE_TOKEN" \
  '{base}{path}'"#
    )
}

fn python_plain(base: &str, path: &str) -> String {
    format!(
        r#"import json, os, urllib.request

pull = urllib.request.Request("{base}{path}")
pull.add_header("Authorization", "Bearer " + os.environ["TIDEGATE_TOKEN"])
print(json.dumps(json.load(urllib.request.urlopen(pull)), indent=2))"#
    )
}

fn node_plain(base: &str, path: &str) -> String {
    format!(
        r#"const pulled = await fetch("{base}{path}", {{
  headers: {{ Authorization: "Bearer " + process.env.TIDEGATE_TOKEN }},
}});
if (!pulled.ok) throw new Error(await pulled.text());
console.log(JSON.stringify(await pulled.json(), null, 2));"#
    )
}

fn python_key(base: &str, path: &str, scope: Option<&str>, algorithm: KeyAlgorithm) -> String {
    let algorithm = algorithm.key();
    let scope = scope.map(|scope| format!(", \"scope\": \"{scope}\"")).unwrap_or_default();
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
token = json.load(urllib.request.urlopen(BASE + "/oauth/token", form))["access_token"]

pull = urllib.request.Request(BASE + "{path}")
pull.add_header("Authorization", "Bearer " + token)
print(json.dumps(json.load(urllib.request.urlopen(pull)), indent=2))"#
    )
}

fn node_key(base: &str, path: &str, scope: Option<&str>) -> String {
    let scope = scope.map(|scope| format!("\n  scope: \"{scope}\",")).unwrap_or_default();
    format!(
        r#"import {{ randomUUID, sign }} from "node:crypto";
import {{ readFileSync }} from "node:fs";

const BASE = "{base}";
const {{ TIDEGATE_CLIENT_ID: id, TIDEGATE_PRIVATE_KEY: file }} = process.env;
const iat = Math.floor(Date.now() / 1000);
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const said = part({{ alg: "ES256", typ: "JWT" }}) + "." +
  part({{ iss: id, sub: id, aud: BASE, iat, exp: iat + 60, jti: randomUUID() }});
const signature = sign("sha256", Buffer.from(said), {{ key: readFileSync(file), dsaEncoding: "ieee-p1363" }});
const body = new URLSearchParams({{
  grant_type: "client_credentials",{scope}
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: said + "." + signature.toString("base64url"),
}});
const asked = await fetch(BASE + "/oauth/token", {{ method: "POST", body }});
if (!asked.ok) throw new Error(await asked.text());
const {{ access_token }} = await asked.json();

const pulled = await fetch(BASE + "{path}", {{ headers: {{ Authorization: "Bearer " + access_token }} }});
if (!pulled.ok) throw new Error(await pulled.text());
console.log(JSON.stringify(await pulled.json(), null, 2));"#
    )
}

fn curl(base: &str, path: &str, scope: Option<&str>) -> String {
    let scope = scope.map(|scope| format!(" -d scope={scope}")).unwrap_or_default();
    format!(
        r#"TOKEN=$(curl -sS --fail-with-body -u "$TIDEGATE_CLIENT_ID:$TIDEGATE_CLIENT_SECRET" \
  -d grant_type=client_credentials{scope} {base}/oauth/token \
  | sed -E 's/.*"access_token" *: *"([^"]+)".*/\1/')
curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" \
  '{base}{path}'"#
    )
}

fn python(base: &str, path: &str, scope: Option<&str>) -> String {
    let scope = scope.map(|scope| format!(", \"scope\": \"{scope}\"")).unwrap_or_default();
    format!(
        r#"import base64, json, os, urllib.parse, urllib.request

BASE = "{base}"
client = os.environ["TIDEGATE_CLIENT_ID"] + ":" + os.environ["TIDEGATE_CLIENT_SECRET"]
form = urllib.parse.urlencode({{"grant_type": "client_credentials"{scope}}}).encode()
ask = urllib.request.Request(BASE + "/oauth/token", data=form)
ask.add_header("Authorization", "Basic " + base64.b64encode(client.encode()).decode())
token = json.load(urllib.request.urlopen(ask))["access_token"]

pull = urllib.request.Request(BASE + "{path}")
pull.add_header("Authorization", "Bearer " + token)
print(json.dumps(json.load(urllib.request.urlopen(pull)), indent=2))"#
    )
}

fn node(base: &str, path: &str, scope: Option<&str>) -> String {
    let scope = scope.map(|scope| format!(", scope: \"{scope}\"")).unwrap_or_default();
    format!(
        r#"const BASE = "{base}";
const {{ TIDEGATE_CLIENT_ID: id, TIDEGATE_CLIENT_SECRET: secret }} = process.env;
const asked = await fetch(BASE + "/oauth/token", {{
  method: "POST",
  headers: {{ Authorization: "Basic " + Buffer.from(id + ":" + secret).toString("base64") }},
  body: new URLSearchParams({{ grant_type: "client_credentials"{scope} }}),
}});
if (!asked.ok) throw new Error(await asked.text());
const {{ access_token }} = await asked.json();

const pulled = await fetch(BASE + "{path}", {{ headers: {{ Authorization: "Bearer " + access_token }} }});
if (!pulled.ok) throw new Error(await pulled.text());
console.log(JSON.stringify(await pulled.json(), null, 2));"#
    )
}
