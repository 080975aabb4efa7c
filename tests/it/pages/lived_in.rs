//! A house that has been lived in: vendors in different stages, and how each page is reached in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegate::app::people::{self, AddPerson};
use tidegate::domain::dataset::Source;
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::secret::PlainSecret;
use tidegate::http::routes::{Access, ROUTES, Route};
use tidegate::policy::access::Permission;
use tidegate::store::Clock;

use crate::browse::Browser;
use crate::database::Database;
use crate::harness::{House, beginning, usual};

pub const PASSWORD: &str = "correct horse battery";

/// What stands in a path's places: by the part before the place and the place itself.
type Places = BTreeMap<(&'static str, &'static str), String>;

/// A house with a vendor that went the whole way and one that is on its way.
pub struct LivedIn {
    pub house: House,
    /// One filling of places for each vendor.
    fillings: [Places; 2],
}

impl LivedIn {
    pub async fn new(database: Database) -> Self {
        Self::of(House::start(database).await).await
    }

    /// The same, in a house that may fetch from this machine.
    pub async fn fetching() -> Self {
        let settings = [("TIDEGATE_OUTBOUND_HOSTS", "127.0.0.1")];
        Self::of(House::start_with(Database::sqlite(), Clock::manual(beginning()), &settings).await).await
    }

    async fn of(house: House) -> Self {
        house.catalogue_people(20).await;
        for role in Role::ALL {
            let new = AddPerson {
                email: email(role).parse().unwrap(),
                name: format!("The {}", role.key()).parse().unwrap(),
                role,
                password: PlainSecret::new(PASSWORD),
            };
            let person = people::add(&house.app, &Actor::Operator, new).await.unwrap();
            people::issue_key(&house.app, &Actor::Operator, person.id, "nightly".parse().unwrap(), None).await.unwrap();
        }
        let said = json!({"record": "1", "subject": "P0000019", "signal": "objection", "purpose": "email-marketing", "stands": true, "event_time": "2026-06-01T08:00:00Z"});
        house.post(Role::PrivacyOfficer, "/api/v1/consents", json!({"domain": "person", "event": said})).await.good();
        let purpose = json!({"key": "our-raffle", "title": "Our raffle", "direct_marketing": true, "sale": false});
        house.post(Role::PrivacyOfficer, "/api/v1/vocabulary/purposes", purpose).await.good();
        let category = json!({"key": "our-badges", "title": "Badges", "special": false});
        house.post(Role::PrivacyOfficer, "/api/v1/vocabulary/categories", category).await.good();
        house.upload(Role::DataSteward, "POST", "/api/v1/hierarchies?name=towns", b"Ulm;South;*\nKiel;North;*\n").await.good();
        drifted(&house).await;
        elsewhere(&house).await;
        let whole = whole_way(&house).await;
        let begun = on_its_way(&house).await;
        house.settle().await;
        Self { house, fillings: [whole, begun] }
    }

    /// A browser in which a person of that role has signed in.
    pub async fn browser(&self, role: Role) -> Browser<'_> {
        Browser::signed_in(&self.house, &email(role), PASSWORD).await
    }

    /// The addresses that a path stands for here, one for each vendor, each once.
    pub fn addresses(&self, path: &str) -> Vec<String> {
        let mut found: Vec<String> = self.fillings.iter().map(|places| filled(path, places)).collect();
        found.dedup();
        found
    }
}

pub fn email(role: Role) -> String {
    format!("page-{}@example.org", role.key())
}

fn filled(path: &str, places: &Places) -> String {
    let mut before = "";
    let mut parts = Vec::new();
    for part in path.split('/') {
        let place = part.starts_with('{');
        let value = places.iter().find(|((noun, name), _)| *noun == before && *name == part).map(|(_, value)| value.as_str());
        parts.push(match (place, value) {
            (false, _) => part,
            (true, Some(value)) => value,
            (true, None) => panic!("{path}: say in lived_in.rs what {part} after {before} stands for"),
        });
        before = if place { before } else { part };
    }
    parts.join("/")
}

fn places(house: &House, kid: &str, own: &[(&'static str, &'static str, &str)]) -> Places {
    let nobody = "0190a0b0-0000-7000-8000-000000000000";
    let shared = [
        ("people", "{id}", house.person_id(Role::DataSteward)),
        ("sessions", "{id}", nobody),
        ("keys", "{id}", nobody),
        ("sources", "{id}", ELSEWHERE),
        ("purposes", "{key}", "our-raffle"),
        ("categories", "{key}", "our-badges"),
        ("tables", "{table}", "people"),
        ("history", "{position}", "7"),
        ("versions", "{number}", "1"),
        ("revisions", "{number}", "1"),
        ("matrix", "{dataset}", "people"),
        ("signing-keys", "{kid}", kid),
        ("hierarchies", "{name}", "towns"),
        ("hierarchies", "{version}", "1"),
    ];
    shared.iter().chain(own).map(|(noun, place, value)| ((*noun, *place), (*value).to_owned())).collect()
}

/// A source with a secret, at a server that nobody asks in these tests.
const ELSEWHERE: &str = "0190a0b0-0000-7000-8000-0000000000e1";

async fn elsewhere(house: &House) {
    let location = json!({"kind": "http_json", "url": "https://crm.example.org/v1/customers", "sends": {"as": "bearer"}});
    let location = serde_json::from_value(location).unwrap();
    let keep = move |tx: &mut tidegate::store::Tx| {
        let name = "Customers of the CRM".parse().unwrap();
        let source = Source { id: ELSEWHERE.parse().unwrap(), name, location, created_at: tx.now(), version: 1 };
        tidegate::store::sources::insert(tx, &source)
    };
    house.app.store.record(keep).await.unwrap();
}

/// A dataset whose source has lost a column, has another one of another type, and a new one.
async fn drifted(house: &House) {
    let file = house.sources().join("visits.csv");
    std::fs::write(&file, "id,day,seconds\nP0000001,2026-05-01,12\nP0000002,2026-05-02,40\n").unwrap();
    let steward = Role::DataSteward;
    let location = json!({"kind": "csv", "path": "visits.csv"});
    let source = house.post(steward, "/api/v1/sources", json!({"name": "visits.csv", "location": location})).await.good();
    let field = |name: &str, logical: &str, class: &str| json!({"name": name, "type": logical, "class": class, "category": "behavioural"});
    let fields = json!([field("id", "text", "direct_identifier"), field("day", "date", "plain"), field("seconds", "integer", "plain")]);
    let body = json!({
        "name": "visits", "source": source["id"], "table": "visits", "fields": fields, "subject": {"field": "id", "domain": "person"}
    });
    house.post(steward, "/api/v1/datasets", body).await.good();
    std::fs::write(&file, "id,seconds,mail\nP0000001,long,ada@mail.example\nP0000002,short,bo@mail.example\n").unwrap();
}

/// The usual permit, of rows that are chosen by a condition.
pub fn of_some() -> Value {
    let clause = |field: &str, op: &str, value: &str| json!({"field": field, "op": op, "values": [value]});
    let mut terms = usual("people");
    terms["condition"] = json!({"all": [
        clause("city", "neq", "Atlantis"), {"any": [clause("score", "gte", "0"), clause("score", "is", "null"), clause("city", "eq", "Ulm")]}
    ]});
    terms
}

/// Registered, assessed, agreed, active; it pulled a page and a stream, and was refused.
async fn whole_way(house: &House) -> Places {
    let vendor = house.vendor("Acme", &[("acme-people", of_some()), ("acme-sql", usual("people-sql"))]).await;
    let token = house.token(&vendor).await;
    house.pull(&token, "/data/v1/datasets/people/records?city=eq.Ulm", "application/json").await.good();
    house.pull(&token, "/data/v1/datasets/people/records", "text/csv").await;
    house.post(Role::VendorManager, "/api/v1/permits/acme-sql/pause", json!({"reason": "for the test"})).await.good();
    house.pull(&token, "/data/v1/datasets/people-sql/records", "application/json").await;
    let first = async |path: String| first_id(house, &path).await;
    let token = first(format!("/api/v1/clients/{}/tokens", vendor.client_id)).await;
    let round = first(format!("/api/v1/vendors/{}/assessments", vendor.id)).await;
    let paper = first(format!("/api/v1/vendors/{}/evidence", vendor.id)).await;
    let kid = signing_key(house).await;
    places(
        house,
        &kid,
        &[
            ("vendors", "{id}", &vendor.id),
            ("agreements", "{id}", &vendor.agreement),
            ("clients", "{id}", &vendor.client_id),
            ("tokens", "{id}", &token),
            ("assessments", "{id}", &round),
            ("evidence", "{id}", &paper),
            ("permits", "{key}", "acme-people"),
            ("datasets", "{name}", "people"),
        ],
    )
}

/// Registered, its answers handed in; an agreement with a permit is drafted, and it has a client that never asked.
async fn on_its_way(house: &House) -> Places {
    let vendor = house.register("Beta").await;
    let manager = Role::VendorManager;
    let today = house.clock.now().date();
    let query = format!("name=Report&type=soc2&issued={}&mandatory=false", today.plus_days(-5));
    let paper = house.upload(manager, "POST", &format!("/api/v1/vendors/{vendor}/evidence?{query}"), b"%PDF-1.4 made up").await.good();
    let paper = paper["id"].as_str().unwrap().to_owned();
    let body = json!({"kind": "security", "template": "security"});
    let round = house.post(manager, &format!("/api/v1/vendors/{vendor}/assessments"), body).await.good();
    let round = round["id"].as_str().unwrap().to_owned();
    for act in ["send", "submit"] {
        house.post(manager, &format!("/api/v1/assessments/{round}/{act}"), json!({})).await.good();
    }
    let agreement = house.draft(&vendor, "Beta", &paper, &[("beta-people", usual("people"))]).await;
    let client = house.post(manager, &format!("/api/v1/vendors/{vendor}/clients"), json!({"name": "idle"})).await.good();
    let kid = signing_key(house).await;
    places(
        house,
        &kid,
        &[
            ("vendors", "{id}", &vendor),
            ("agreements", "{id}", &agreement),
            ("clients", "{id}", client["client_id"].as_str().unwrap()),
            ("tokens", "{id}", "0190a0b0-0000-7000-8000-000000000001"),
            ("assessments", "{id}", &round),
            ("evidence", "{id}", &paper),
            ("permits", "{key}", "beta-people"),
            ("datasets", "{name}", "people-sql"),
        ],
    )
}

/// The key that signs.
async fn signing_key(house: &House) -> String {
    let keys = house.get(Role::DataSteward, "/api/v1/signing-keys").await.good();
    keys["items"][0]["kid"].as_str().unwrap().to_owned()
}

async fn first_id(house: &House, path: &str) -> String {
    let list = house.get(Role::VendorManager, path).await.good();
    let items = list["items"].as_array().or(list.as_array()).unwrap_or_else(|| panic!("{path}: {list}"));
    items[0]["id"].as_str().unwrap_or_else(|| panic!("{path}: {list}")).to_owned()
}

/// The pages of the staff, with what each needs.
pub fn pages(method: &'static str) -> impl Iterator<Item = (&'static Route, Permission)> {
    ROUTES.iter().filter(move |route| route.method == method).filter_map(|route| match route.access {
        Access::Page(permission) => Some((route, permission)),
        Access::Public | Access::Staff(_) | Access::Client | Access::Vendor | Access::Asset | Access::Open => None,
    })
}

/// The page that an address leads to, among those of a method: a part that is spelled out goes before a place.
pub fn page_at(method: &'static str, address: &str) -> Option<(&'static Route, Permission)> {
    let path = address.split(['?', '#']).next().unwrap();
    let fits = |route: &Route| {
        let (pattern, parts): (Vec<&str>, Vec<&str>) = (route.path.split('/').collect(), path.split('/').collect());
        let same = |(want, got): (&&str, &&str)| want == got || (want.starts_with('{') && !got.is_empty());
        pattern.len() == parts.len() && pattern.iter().zip(&parts).all(same)
    };
    pages(method).filter(|(route, _)| fits(route)).min_by_key(|(route, _)| route.path.matches('{').count())
}
