//! Odd JSON in place of each member of good bodies, at every route that takes one, in an order fixed by a seed.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::http::routes::{Access, ROUTES};

use super::{because, history_size, problem};
use crate::database::Database;
use crate::harness::{House, processor_terms, usual};
use crate::on_both;

/// How many odd bodies each route gets.
const TRIES: usize = 40;

/// A small generator (Marsaglia's xorshift): the same odd bodies in every run.
struct Odd(u64);

impl Odd {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn value(&mut self) -> Value {
        let odd = [
            Value::Null,
            json!(true),
            json!(-1),
            json!(0),
            json!(u64::MAX),
            json!(1e300),
            json!(-0.0),
            json!(9_007_199_254_740_993_i64),
            json!(""),
            json!("\u{0}"),
            json!("\u{202e}\u{200b}<b>&amp;'\"--"),
            json!("x".repeat(30_000)),
            json!("9999-12-31"),
            json!("0000-01-01"),
            json!("9999-12-31T23:59:59Z"),
            json!([]),
            json!({}),
            json!([[[[[[[[]]]]]]]]),
            json!({"kind": "clear", "reason": "odd", "": {"": ""}}),
            json!(vec![json!("people"); 300]),
        ];
        odd[self.below(odd.len())].clone()
    }

    /// The body with one of its members, or all of it, replaced, taken out or joined by another.
    fn body(&mut self, good: &Value) -> Value {
        let mut places = vec![String::new()];
        collect(good, "", &mut places);
        let place = places[self.below(places.len())].clone();
        let mut body = good.clone();
        match (self.below(6), place.rsplit_once('/')) {
            (0, Some((parent, name))) => {
                if let Some(members) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
                    members.remove(name);
                }
            }
            (1, _) => {
                let value = self.value();
                if let Some(members) = body.pointer_mut(&place).and_then(Value::as_object_mut) {
                    members.insert(["", "odd", "kind", "id", "\u{0}"][self.below(5)].to_owned(), value);
                }
            }
            _ => *body.pointer_mut(&place).unwrap() = self.value(),
        }
        body
    }
}

fn collect(value: &Value, at: &str, places: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (format!("{at}/{name}"), member)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (format!("{at}/{index}"), item)).collect(),
        _ => Vec::new(),
    };
    for (place, child) in children {
        collect(child, &place, places);
        places.push(place);
    }
}

/// What is there to be named, and good bodies for the routes that take one.
struct Around {
    vendor: String,
    agreement: String,
    round: String,
    client: String,
    token: String,
    person: String,
    paper: String,
    source: Value,
    terms: Value,
    owner: String,
}

impl Around {
    async fn of(house: &House) -> Self {
        house.catalogue_people(5).await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        house.token(&vendor).await;
        let tokens = house.get(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id)).await.good();
        let papers = house.get(Role::VendorManager, &format!("/api/v1/vendors/{}/evidence", vendor.id)).await.good();
        let paper = papers["items"][0]["id"].as_str().unwrap().to_owned();
        let round = house
            .post(
                Role::VendorManager,
                &format!("/api/v1/vendors/{}/assessments", vendor.id),
                json!({"kind": "legal", "template": "security"}),
            )
            .await;
        let round = round.good()["id"].as_str().unwrap().to_owned();
        house.post(Role::VendorManager, &format!("/api/v1/assessments/{round}/send"), json!({})).await.good();
        let agreement = house.draft(&vendor.id, "second", &paper, &[("draft-people", usual("people"))]).await;
        Self {
            agreement,
            round,
            token: tokens["items"][0]["id"].as_str().unwrap().to_owned(),
            person: house.person(Role::ComplianceReviewer, "spare").await.0,
            source: house.get(Role::DataSteward, "/api/v1/sources").await.good()["items"][0]["id"].clone(),
            terms: processor_terms(&house.clock, &paper),
            owner: house.person_id(Role::VendorManager).to_owned(),
            client: vendor.client_id,
            vendor: vendor.id,
            paper,
        }
    }

    fn path(&self, path: &str) -> String {
        let id = match path.split('/').nth(3).unwrap() {
            "vendors" => &self.vendor,
            "agreements" => &self.agreement,
            "assessments" => &self.round,
            "clients" => &self.client,
            "tokens" => &self.token,
            "evidence" => &self.paper,
            _ => &self.person,
        };
        let key = if path.ends_with("/revisions/{number}") { "draft-people" } else { "acme-people" };
        path.replace("{id}", id).replace("{number}", "1").replace("{key}", key).replace("{name}", "people")
    }

    fn body(&self, path: &str, method: &str) -> Value {
        let mut permit = usual("people");
        permit["condition"] = json!({"all": [{"field": "city", "op": "in", "values": ["Ulm", "Bern"]}]});
        permit["fields"]["secret"] = json!({"kind": "constant", "value": 1});
        let profile = json!({
            "legal_name": "New", "country": "DE", "role": "processor", "tier": "low", "owner": self.owner,
            "contacts": [{"name": "Kim", "email": "kim@example.org", "about": "privacy"}], "data_locations": ["FR"], "address": "here"
        });
        let fields = crate::harness::people_fields();
        let subject = json!({"field": "id", "domain": "person"});
        match (path.trim_start_matches("/api/v1/"), method) {
            ("vendors", _) => profile,
            ("vendors/{id}", _) => json!({"version": 1, "profile": profile}),
            ("vendors/{id}/assessments", _) => json!({"kind": "privacy", "template": "security"}),
            ("assessments/{id}/answers", _) => json!({"version": 2, "answers": {
                "security-policy": {"kind": "yes_no", "value": "yes"}, "certification": {"kind": "choice", "value": "none"},
                "certification-report": {"kind": "file", "value": self.paper}, "security-policy-reviewed": {"kind": "date", "value": "2026-01-01"}
            }}),
            ("assessments/{id}/decide", _) => json!({"verdict": "approved_with_conditions", "rationale": "x", "conditions": ["y"]}),
            ("vendors/{id}/agreements", _) => json!({"reference": "new", "kind": "processor", "terms": self.terms}),
            ("agreements/{id}/versions/{number}/terms", _) => json!({"version": 2, "terms": self.terms}),
            ("agreements/{id}/versions/{number}/approve", _) => json!({"version": 2, "comment": "x", "confirm_clear": ["email"]}),
            ("agreements/{id}/versions/{number}/hand-back", _) => json!({"comment": "x"}),
            ("agreements/{id}/versions/{number}/sign", _) => {
                json!({"version": 3, "party": "house", "name": "x", "document": "0".repeat(64)})
            }
            ("agreements/{id}/permits", _) => json!({"key": "new", "terms": permit}),
            ("permits/{key}/revisions", _) => json!({"based_on": 1, "terms": permit, "reason": "for the test"}),
            ("permits/{key}/revisions/{number}", _) => json!({"version": 1, "terms": permit}),
            ("permits/{key}/revisions/{number}/approve", _) => json!({"version": 1, "confirm_clear": ["email"]}),
            ("sources", _) => json!({"name": "x", "location": {"kind": "csv", "path": "people.csv", "delimiter": ";"}}),
            ("datasets", _) => json!({"name": "new", "source": self.source, "table": "people", "fields": fields, "subject": subject}),
            ("datasets/{name}", _) => json!({"version": 1, "fields": fields, "subject": subject}),
            ("vendors/{id}/clients", _) => json!({"name": "x", "permits": ["acme-people"]}),
            ("people", _) => json!({"email": "a@b.example", "name": "x", "role": "data_steward", "password": "short"}),
            ("me/keys" | "people/{id}/keys", _) => json!({"label": "x", "expires_at": "2027-01-01T00:00:00Z"}),
            _ => because(),
        }
    }
}

async fn odd_bodies_never_break_anything(database: Database) {
    let house = House::start(database).await;
    let around = Around::of(&house).await;
    let mut odd = Odd(0x7469_6465_6761_7465);
    let mut size = history_size(&house).await;
    let (mut refused, mut taken) = (0, 0);
    for route in ROUTES.iter().filter(|route| route.method != "GET") {
        let Access::Staff(permission) = route.access else { continue };
        let role = Role::ALL.into_iter().find(|role| tidegate::policy::access::allows(*role, permission)).unwrap();
        let (path, good) = (around.path(route.path), around.body(route.path, route.method));
        for _ in 0..TRIES {
            let body = odd.body(&good);
            let at = format!("{} {path}", route.method);
            let answer = house.send(route.method, &path, house.key(role), Some(&body)).await;
            assert!(answer.status < 500, "{at}: {} to {body}", answer.text);
            let now = history_size(&house).await;
            if answer.status >= 400 {
                problem(&answer, answer.status, &at);
                assert_eq!(now, size, "{at} kept something of {body}");
                refused += 1;
            } else {
                taken += 1;
            }
            size = now;
        }
    }
    // Both ways were walked.
    assert!(refused > 500 && taken > 50, "{refused} refused, {taken} taken");
    // What was taken can still be read.
    for route in ROUTES.iter().filter(|route| route.method == "GET" && matches!(route.access, Access::Staff(_))) {
        let path = around.path(route.path).replace("{position}", "0");
        let role = if route.path.contains("tables") { Role::DataSteward } else { Role::Administrator };
        let answer = house.get(role, &path).await;
        assert!(answer.status < 500, "GET {path}: {}", answer.text);
    }
}

on_both!(odd_bodies_never_break_anything);
