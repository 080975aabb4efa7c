//! The first lines of code for a vendor's machine. They name permit, dataset and purpose; the secret comes from the
//! machine's environment and stands in none of them.

use crate::app::access::Pullable;
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

/// The lines that put id and secret into the environment.
pub fn shell(client: &ClientId, secret: &str) -> String {
    format!("export TIDEGATE_CLIENT_ID='{client}'\nexport TIDEGATE_CLIENT_SECRET='{secret}'")
}

/// The same in each language: a token, then a page of rows; what there is to pull, where no permit is in force yet.
pub fn of(base: &str, first: Option<&Pullable>) -> Vec<Snippet> {
    let path = first.map_or_else(
        || "/data/v1/datasets".to_owned(),
        |first| format!("/data/v1/datasets/{}/records?purpose={}&limit=5", first.dataset, first.purpose),
    );
    let scope = first.map(|first| first.permit.as_str());
    vec![
        Snippet { key: "curl", label: "curl", run: "In a shell.", code: curl(base, &path, scope) },
        Snippet {
            key: "python",
            label: "Python",
            run: "Save as pull.py and run python3 pull.py; it needs nothing else.",
            code: python(base, &path, scope),
        },
        Snippet {
            key: "node",
            label: "Node",
            run: "Save as pull.mjs and run node pull.mjs; Node 18 or newer.",
            code: node(base, &path, scope),
        },
    ]
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
