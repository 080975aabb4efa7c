//! A vendor that went the whole way over HTTP, and its one permit: eight of the twelve columns, of half the rows.

use reqwest::Client;
use serde_json::{Value, json};
use tidegate::store::Clock;

use super::customers::COUNTRIES;
use super::running::Demo;

/// The vendor's machine.
pub struct Access {
    id: String,
    secret: String,
    url: String,
}

impl Access {
    /// The address of its records.
    pub fn records(&self) -> String {
        format!("{}/data/v1/datasets/speed/records", self.url)
    }

    /// A new token.
    pub async fn token(&self, http: &Client) -> String {
        let request = http.post(format!("{}/oauth/token", self.url)).basic_auth(&self.id, Some(&self.secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body("grant_type=client_credentials");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

struct Desk<'a> {
    demo: &'a Demo,
    http: &'a Client,
}

impl Desk<'_> {
    async fn send(&self, method: &str, role: &str, path: &str, body: Vec<u8>, kind: &str) -> Value {
        let url = format!("{}/api/v1{path}", self.demo.url);
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(self.demo.key(role));
        let response = request.header("content-type", kind).body(body).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn post(&self, role: &str, path: &str, body: Value) -> Value {
        self.send("POST", role, path, body.to_string().into_bytes(), "application/json").await
    }

    async fn manage(&self, path: &str, body: Value) -> Value {
        self.post("vendor_manager", path, body).await
    }

    async fn upload(&self, method: &str, path: &str) -> Value {
        self.send(method, "vendor_manager", path, b"A made-up paper.".to_vec(), "application/octet-stream").await
    }

    async fn counter(&self, agreement: &str) -> Value {
        let view = self.send("GET", "vendor_manager", &format!("/agreements/{agreement}"), Vec::new(), "application/json").await;
        view["versions"][0]["version"].clone()
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// Catalogues the table `speed` of a source and permits the release.
pub async fn permitted(demo: &Demo, http: &Client, location: Value, secret: Option<&str>) -> Access {
    let desk = Desk { demo, http };
    catalogue(&desk, location, secret).await;
    let me = desk.send("GET", "vendor_manager", "/me", Vec::new(), "application/json").await;
    let stated = json!({
        "legal_name": "Speed AG", "country": "DE", "role": "processor", "tier": "standard", "owner": me["id"],
        "contacts": [{"name": "Kim", "email": "kim@speed.example", "about": "business"}]
    });
    let vendor = id(&desk.manage("/vendors", stated).await);
    let paper = assessed(&desk, &vendor).await;
    agreed(&desk, &vendor, &paper).await;
    let client = desk.manage(&format!("/vendors/{vendor}/clients"), json!({"name": "machine", "hand_over": "answer"})).await;
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    Access { id: text("client_id"), secret: text("client_secret"), url: demo.url.clone() }
}

async fn catalogue(desk: &Desk<'_>, location: Value, secret: Option<&str>) {
    let mut body = json!({"name": "Speed", "location": location});
    if let Some(secret) = secret {
        body["secret"] = json!(secret);
    }
    let source = desk.post("data_steward", "/sources", body).await;
    let field = |(name, logical, class, category): (&str, &str, &str, &str)| json!({"name": name, "type": logical, "class": class, "category": category});
    let fields = [
        ("customer_id", "text", "direct_identifier", "technical"),
        ("first_name", "text", "quasi_identifier", "identifying"),
        ("last_name", "text", "direct_identifier", "identifying"),
        ("email", "text", "direct_identifier", "contact"),
        ("phone", "text", "direct_identifier", "contact"),
        ("birth_date", "date", "quasi_identifier", "demographic"),
        ("signed_up", "date", "quasi_identifier", "account"),
        ("city", "text", "quasi_identifier", "location"),
        ("postal_code", "text", "quasi_identifier", "location"),
        ("country", "text", "quasi_identifier", "location"),
        ("loyalty_tier", "text", "plain", "account"),
        ("lifetime_value", "number", "sensitive", "financial"),
    ];
    let fields: Vec<Value> = fields.into_iter().map(field).collect();
    let subject = json!({"field": "customer_id", "domain": "customer"});
    let body = json!({"name": "speed", "source": source["id"], "table": "speed", "fields": fields, "subject": subject});
    desk.post("data_steward", "/datasets", body).await;
}

async fn assessed(desk: &Desk<'_>, vendor: &str) -> String {
    for act in ["triage", "begin-due-diligence"] {
        desk.manage(&format!("/vendors/{vendor}/{act}"), json!({"reason": "To be measured."})).await;
    }
    let day = |days| Clock::system().now().date().plus_days(days);
    let query = format!("name=Certificate&type=iso27001&issued={}&expires={}&mandatory=true", day(-10), day(600));
    let paper = id(&desk.upload("POST", &format!("/vendors/{vendor}/evidence?{query}")).await);
    let round = id(&desk.manage(&format!("/vendors/{vendor}/assessments"), json!({"kind": "security", "template": "security"})).await);
    for act in ["send", "submit"] {
        desk.manage(&format!("/assessments/{round}/{act}"), json!({})).await;
    }
    desk.post("privacy_officer", &format!("/assessments/{round}/review"), json!({})).await;
    let decision = json!({"verdict": "approved", "rationale": "Good enough to be measured."});
    desk.post("privacy_officer", &format!("/assessments/{round}/decide"), decision).await;
    desk.manage(&format!("/vendors/{vendor}/activate"), json!({"reason": "To be measured."})).await;
    paper
}

async fn agreed(desk: &Desk<'_>, vendor: &str, paper: &str) {
    let today = Clock::system().now().date().to_string();
    let terms = json!({
        "subject_matter": "Measuring", "nature": "Counting", "purposes": ["service-usage-analytics"],
        "data_categories": ["technical", "contact", "demographic", "location", "account", "financial"],
        "subject_categories": ["Customers"], "starts_on": today, "instructions": ["Count."],
        "confidentiality_attested_on": today, "security_evidence": [paper],
        "sub_processors": {"authorisation": "forbidden"}, "assistance": {"days": 5, "channel": "e-mail"},
        "breach_notice": {"hours": 24, "contact": "breach@speed.example"},
        "at_the_end": {"way": "delete", "deadline_days": 30}, "audit": {"every_months": 12}, "retention_days": 100
    });
    let body = json!({"reference": "dpa-speed", "kind": "processor", "terms": terms});
    let agreement = id(&desk.manage(&format!("/vendors/{vendor}/agreements"), body).await);
    let version = format!("/agreements/{agreement}/versions/1");
    desk.upload("PUT", &format!("{version}/document?version={}", desk.counter(&agreement).await)).await;
    desk.manage(&format!("/agreements/{agreement}/permits"), json!({"key": "speed", "terms": released()})).await;
    desk.manage(&format!("{version}/submit"), json!({})).await;
    let body = json!({"version": desk.counter(&agreement).await, "confirm_clear": []});
    let approved = desk.post("privacy_officer", &format!("{version}/approve"), body).await;
    for party in ["house", "vendor"] {
        let document = &approved["versions"][0]["document"];
        let body = json!({"version": desk.counter(&agreement).await, "party": party, "name": "Kim Roe", "document": document});
        desk.manage(&format!("{version}/sign"), body).await;
    }
}

fn released() -> Value {
    json!({
        "dataset": "speed", "purpose": "service-usage-analytics", "legal_basis": "legitimate_interests", "instruction": "Count.",
        "fields": {
            "customer_id": {"kind": "pseudonym", "format": "base32"},
            "email": {"kind": "mask", "prefix": 1, "suffix": 0, "pad": 3, "email_domain": true},
            "birth_date": {"kind": "generalise_date", "unit": "year"},
            "signed_up": {"kind": "generalise_date", "unit": "month"},
            "postal_code": {"kind": "truncate", "length": 2},
            "country": {"kind": "clear"},
            "loyalty_tier": {"kind": "clear"},
            "lifetime_value": {"kind": "round", "step": 10.0}
        },
        "condition": {"all": [{"field": "country", "op": "in", "values": COUNTRIES[..4]}]},
        "daily_rows": 1_000_000_000_000_u64
    })
}
