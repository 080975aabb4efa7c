//! An installation in process: a database of the test's own, the real server on a free port, people of each role.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate::app::App;
use tidegate::app::lists::OUTCOMES;
use tidegate::app::people::{self, AddPerson};
use tidegate::boot;
use tidegate::config::{Config, DatabaseUrl, Overrides};
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::{Date, Instant};
use tidegate::engine::sample::{SampleColumn, SampleTable, SampleValues, write_parquet, write_sqlite};
use tidegate::store::{self, Clock};

use crate::database::Database;

/// A running installation.
pub struct House {
    pub url: String,
    pub app: Arc<App>,
    pub clock: Clock,
    pub config: Config,
    bound: SocketAddr,
    pub http: reqwest::Client,
    /// Follows no redirect: a test looks at each answer.
    pub pages: reqwest::Client,
    keys: BTreeMap<Role, String>,
    /// A second privacy officer, for what needs two.
    pub other_officer: String,
    people: BTreeMap<Role, String>,
    database: Database,
    directory: Arc<TempDir>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The JSON body of an answer that must have succeeded.
    pub fn good(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn gate(&self) -> String {
        self.json()["gate"].as_str().unwrap_or("").to_owned()
    }
}

/// The day on which a test's manual clock begins.
pub fn beginning() -> Instant {
    Date::from_ymd(2026, 7, 1).unwrap().start().plus_seconds(9 * 3600)
}

impl House {
    /// Starts one on a clock that stands still until it is moved.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, Clock::manual(beginning()), &[]).await
    }

    /// Starts one with further settings, as environment variables.
    pub async fn start_with(database: Database, clock: Clock, settings: &[(&str, &str)]) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let mut house = Self::serve(database, clock, directory, settings).await;
        house.staff().await;
        house
    }

    /// Starts one in which nobody is yet.
    pub async fn start_empty(database: Database) -> Self {
        Self::serve(database, Clock::manual(beginning()), Arc::new(tempfile::tempdir().unwrap()), &[]).await
    }

    async fn serve(database: Database, clock: Clock, directory: Arc<TempDir>, settings: &[(&str, &str)]) -> Self {
        let overrides =
            Overrides { data_dir: Some(directory.path().to_owned()), listen: Some("127.0.0.1:0".to_owned()), ..Overrides::default() };
        let environment = settings.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let mut config = Config::load(overrides, environment.collect::<Vec<_>>().into_iter()).unwrap();
        config.workers = 2;
        config.database_url = match &database.url {
            store::DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(path.clone()),
            store::DatabaseUrl::Postgres(url) => DatabaseUrl::Postgres(url.clone()),
        };
        let (ready, started) = tokio::sync::oneshot::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (settings, serving) = (config.clone(), clock.clone());
        let thread = std::thread::spawn(move || {
            boot::block_on(async move {
                let listener = boot::listen(&settings).unwrap();
                let bound: SocketAddr = listener.local_addr().unwrap();
                let app = boot::open(&settings, settings.public_url(bound), serving).await.unwrap();
                ready.send((Arc::clone(&app), bound)).map_err(drop).unwrap();
                boot::run(app, listener, &settings, async { drop(stopped.await) }).await.unwrap();
            });
        });
        let (app, bound) = started.await.unwrap();
        let url = app.settings.public_url.clone();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let pages = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (keys, people) = (BTreeMap::new(), BTreeMap::new());
        Self {
            url,
            app,
            clock,
            config,
            bound,
            http,
            pages,
            keys,
            other_officer: String::new(),
            people,
            database,
            directory,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    async fn staff(&mut self) {
        for role in Role::ALL {
            let (id, key) = self.person(role, role.key()).await;
            self.keys.insert(role, key);
            self.people.insert(role, id);
        }
        self.other_officer = self.person(Role::PrivacyOfficer, "other_officer").await.1;
    }

    /// Moves the clock. Every entry has its position before: one that waited would seem to have waited all that time.
    pub async fn at(&self, instant: Instant) {
        self.settle().await;
        self.clock.set(instant);
    }

    /// Adds a person; answers id and API key.
    pub async fn person(&self, role: Role, name: &str) -> (String, String) {
        let new = AddPerson {
            email: format!("{name}@example.org").parse().unwrap(),
            name: name.parse().unwrap(),
            role,
            password: people::generated_password(),
        };
        let person = people::add(&self.app, &Actor::Operator, new).await.unwrap();
        let (_, key) = people::issue_key(&self.app, &Actor::Operator, person.id.clone(), "test".parse().unwrap(), None).await.unwrap();
        (person.id.to_string(), key.reveal().to_owned())
    }

    pub fn key(&self, role: Role) -> &str {
        &self.keys[&role]
    }

    pub fn person_id(&self, role: Role) -> &str {
        &self.people[&role]
    }

    /// Where sources lie.
    pub fn sources(&self) -> std::path::PathBuf {
        self.config.source_roots[0].clone()
    }

    /// Address and port that the server listens on, whatever its public URL.
    pub fn bound(&self) -> String {
        self.bound.to_string()
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Sends a request with an API key or access token.
    pub async fn send(&self, method: &str, path: &str, bearer: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(bearer);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, role: Role, path: &str) -> Answer {
        self.send("GET", path, self.key(role), None).await
    }

    pub async fn post(&self, role: Role, path: &str, body: Value) -> Answer {
        self.send("POST", path, self.key(role), Some(&body)).await
    }

    pub async fn put(&self, role: Role, path: &str, body: Value) -> Answer {
        self.send("PUT", path, self.key(role), Some(&body)).await
    }

    /// Sends raw bytes, such as a file.
    pub async fn upload(&self, role: Role, method: &str, path: &str, bytes: &[u8]) -> Answer {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(self.key(role));
        Answer::of(request.body(bytes.to_vec()).send().await.unwrap()).await
    }

    /// A pull with a token and an `Accept` header.
    pub async fn pull(&self, token: &str, path: &str, accept: &str) -> Answer {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(token).header("accept", accept);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Asks for a token; the answer as it came.
    pub async fn ask_token(&self, vendor: &Vendor, scope: Option<&str>) -> Answer {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(scope.map(|scope| ("scope", scope)));
        let body = serde_urlencoded::to_string(&form).unwrap();
        let request = self
            .http
            .post(format!("{}/oauth/token", self.url))
            .basic_auth(&vendor.client_id, Some(&vendor.client_secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// An access token for all permits of the vendor.
    pub async fn token(&self, vendor: &Vendor) -> String {
        self.ask_token(vendor, None).await.good()["access_token"].as_str().unwrap().to_owned()
    }

    /// Waits until every entry has its position. One round of the sequencer is not enough: where a timer's round is
    /// under way, it does nothing.
    pub async fn settle(&self) {
        for _ in 0..2_000 {
            self.app.store.sequence().await.unwrap();
            if self.app.store.read(store::history::oldest_pending).await.unwrap().is_none() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("entries of the history stay without a position");
    }

    /// The whole history, oldest first, as a reviewer reads it.
    pub async fn history(&self, filter: &str) -> Vec<Value> {
        self.settle().await;
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(Role::ComplianceReviewer, &format!("/api/v1/history?limit=500&{filter}{cursor}")).await.good();
            entries.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        entries.reverse();
        // Whatever an entry says, the history can be asked for it.
        let acts = entries.iter().filter_map(|entry| entry["leaf"]["act"].as_str());
        let unknown: Vec<&str> = acts.filter(|act| !OUTCOMES.contains(act)).collect();
        assert!(unknown.is_empty(), "not in history::words::OUTCOMES: {unknown:?}");
        entries
    }

    /// Writes `people.parquet` (and `shop.db` with the table `people`) with that many made-up rows and catalogues them
    /// as the datasets `people` (Parquet) and `people-sql` (SQLite): `id` text, `email`, `name`, `born` date, `city`,
    /// `score` integer, `spent` number, `secret` text.
    pub async fn catalogue_people(&self, rows: usize) {
        let columns = people_columns(rows);
        write_parquet(&self.sources().join("people.parquet"), &columns).unwrap();
        write_sqlite(&self.sources().join("shop.db"), &[SampleTable { name: "people", columns }]).unwrap();
        self.catalogue("people", json!({"kind": "parquet", "path": "people.parquet"})).await;
        self.catalogue("people-sql", json!({"kind": "sqlite", "path": "shop.db"})).await;
    }

    async fn catalogue(&self, dataset: &str, location: Value) {
        let source = self.post(Role::DataSteward, "/api/v1/sources", json!({"name": dataset, "location": location})).await.good();
        let body = json!({
            "name": dataset, "source": source["id"], "table": "people", "fields": people_fields(),
            "subject": {"field": "id", "domain": "person"}
        });
        self.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
    }

    /// A vendor that went the whole way over HTTP: registered, assessed, approved, agreed, signed, active, with a client.
    pub async fn vendor(&self, name: &str, permits: &[(&str, Value)]) -> Vendor {
        let vendor = self.register(name).await;
        let paper = self.assess(&vendor).await;
        self.act(&vendor, "activate").await;
        let agreement = self.agree(&vendor, name, &paper, permits).await;
        let client = self
            .post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/clients"), json!({"name": "machine", "hand_over": "answer"}))
            .await
            .good();
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        Vendor { id: vendor, agreement, client_id: text("client_id"), client_secret: text("client_secret") }
    }

    pub async fn register(&self, name: &str) -> String {
        let body = json!({
            "legal_name": name, "country": "DE", "role": "processor", "tier": "critical",
            "owner": self.person_id(Role::VendorManager),
            "contacts": [{"name": "Kim", "email": "kim@example.org", "about": "privacy"}]
        });
        let vendor = self.post(Role::VendorManager, "/api/v1/vendors", body).await.good()["id"].as_str().unwrap().to_owned();
        self.act(&vendor, "triage").await;
        self.act(&vendor, "begin-due-diligence").await;
        vendor
    }

    /// Moves a vendor along its lifecycle.
    pub async fn act(&self, vendor: &str, act: &str) -> Value {
        self.post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/{act}"), json!({"reason": "for the test"})).await.good()
    }

    /// One whole round of due diligence that ends in approval; answers the id of the evidence.
    pub async fn assess(&self, vendor: &str) -> String {
        let today = self.clock.now().date();
        let query =
            format!("name=Certificate&type=iso27001&issued={}&expires={}&mandatory=true", today.plus_days(-10), today.plus_days(600));
        let paper = self
            .upload(Role::VendorManager, "POST", &format!("/api/v1/vendors/{vendor}/evidence?{query}"), b"%PDF-1.4 made up")
            .await
            .good();
        let body = json!({"kind": "security", "template": "security"});
        let round = self.post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/assessments"), body).await.good();
        let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
        self.post(Role::VendorManager, &format!("{path}/send"), json!({})).await.good();
        self.post(Role::VendorManager, &format!("{path}/submit"), json!({})).await.good();
        self.post(Role::PrivacyOfficer, &format!("{path}/review"), json!({})).await.good();
        let decision = json!({"verdict": "approved", "rationale": "Good enough for a test."});
        self.post(Role::PrivacyOfficer, &format!("{path}/decide"), decision).await.good();
        paper["id"].as_str().unwrap().to_owned()
    }

    /// A signed processor agreement with permits; answers its id.
    pub async fn agree(&self, vendor: &str, name: &str, paper: &str, permits: &[(&str, Value)]) -> String {
        let id = self.draft(vendor, name, paper, permits).await;
        let base = format!("/api/v1/agreements/{id}/versions/1");
        self.post(Role::VendorManager, &format!("{base}/submit"), json!({})).await.good();
        let approved = self.approve(&id, 1, self.key(Role::PrivacyOfficer), json!(["email", "name"])).await.good();
        self.sign(&id, 1, approved["versions"][0]["document"].as_str().unwrap()).await;
        id
    }

    /// Both parties' signatures.
    pub async fn sign(&self, agreement: &str, number: usize, document: &str) {
        for party in ["house", "vendor"] {
            self.sign_for(agreement, number, party, document).await.good();
        }
    }

    /// The counter of an agreement's version: what a change of it is based on.
    pub async fn counter(&self, agreement: &str, number: usize) -> Value {
        let view = self.get(Role::VendorManager, &format!("/api/v1/agreements/{agreement}")).await.good();
        view["versions"][number - 1]["version"].clone()
    }

    /// The counter of a permit's revision.
    pub async fn revision_counter(&self, permit: &str, number: usize) -> Value {
        let view = self.get(Role::VendorManager, &format!("/api/v1/permits/{permit}")).await.good();
        view["revisions"][number - 1]["version"].clone()
    }

    /// Attaches a document to a version as it stands.
    pub async fn attach(&self, agreement: &str, number: usize, bytes: &[u8]) -> Answer {
        let path = format!("/api/v1/agreements/{agreement}/versions/{number}/document?version={}", self.counter(agreement, number).await);
        self.upload(Role::VendorManager, "PUT", &path, bytes).await
    }

    /// An officer's approval of a version as it stands; `ticks` are the identifiers that may go out in clear.
    pub async fn approve(&self, agreement: &str, number: usize, officer: &str, ticks: Value) -> Answer {
        let body = json!({"version": self.counter(agreement, number).await, "confirm_clear": ticks});
        self.send("POST", &format!("/api/v1/agreements/{agreement}/versions/{number}/approve"), officer, Some(&body)).await
    }

    /// One party's signature on a version as it stands.
    pub async fn sign_for(&self, agreement: &str, number: usize, party: &str, document: &str) -> Answer {
        let body = json!({"version": self.counter(agreement, number).await, "party": party, "name": "Kim Roe", "document": document});
        self.post(Role::VendorManager, &format!("/api/v1/agreements/{agreement}/versions/{number}/sign"), body).await
    }

    /// Revises a permit on top of its newest revision.
    pub async fn revise(&self, permit: &str, bearer: &str, terms: &Value) -> Answer {
        let view = self.get(Role::VendorManager, &format!("/api/v1/permits/{permit}")).await.good();
        let newest = view["revisions"].as_array().unwrap().len();
        let body = json!({"based_on": newest, "terms": terms, "reason": "for the test"});
        self.send("POST", &format!("/api/v1/permits/{permit}/revisions"), bearer, Some(&body)).await
    }

    /// An officer's approval of a permit's revision as it stands.
    pub async fn approve_revision(&self, permit: &str, number: usize, officer: &str, ticks: Value) -> Answer {
        let body = json!({"version": self.revision_counter(permit, number).await, "confirm_clear": ticks});
        self.send("POST", &format!("/api/v1/permits/{permit}/revisions/{number}/approve"), officer, Some(&body)).await
    }

    /// A drafted agreement with document and permits; answers its id.
    pub async fn draft(&self, vendor: &str, name: &str, paper: &str, permits: &[(&str, Value)]) -> String {
        let reference = format!("dpa-{}", name.to_lowercase().replace(' ', "-"));
        let body = json!({"reference": reference, "kind": "processor", "terms": processor_terms(&self.clock, paper)});
        let agreement = self.post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/agreements"), body).await.good();
        let id = agreement["id"].as_str().unwrap().to_owned();
        self.attach(&id, 1, b"the contract").await.good();
        for (key, terms) in permits {
            let body = json!({"key": key, "terms": terms});
            self.post(Role::VendorManager, &format!("/api/v1/agreements/{id}/permits"), body).await.good();
        }
        id
    }

    /// Stops the server as a signal would, and waits for it.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        let thread = self.thread.take();
        tokio::task::spawn_blocking(move || thread.map(std::thread::JoinHandle::join)).await.unwrap();
    }

    /// Another server on the same data, as after a restart.
    pub async fn restart(mut self) -> Self {
        self.stop().await;
        let (database, clock, directory) = (self.database.clone(), self.clock.clone(), Arc::clone(&self.directory));
        let (keys, people, other) = (self.keys.clone(), self.people.clone(), self.other_officer.clone());
        drop(self);
        let mut house = Self::serve(database, clock, directory, &[]).await;
        (house.keys, house.people, house.other_officer) = (keys, people, other);
        house
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

/// A vendor with access.
#[derive(Debug, Clone)]
pub struct Vendor {
    pub id: String,
    pub agreement: String,
    pub client_id: String,
    pub client_secret: String,
}

/// A permit over `people` with these treatments; 1,000,000 rows a day.
pub fn permit(dataset: &str, fields: Value) -> Value {
    json!({
        "dataset": dataset, "purpose": "service-usage-analytics", "legal_basis": "contract",
        "instruction": "Count.", "fields": fields, "daily_rows": 1_000_000
    })
}

/// A usual permit: a pseudonym, a clear city, a year of birth, a rounded sum; e-mail, name and secret withheld.
pub fn usual(dataset: &str) -> Value {
    permit(
        dataset,
        json!({
            "id": {"kind": "pseudonym", "format": "base32"},
            "city": {"kind": "clear"},
            "born": {"kind": "generalise_date", "unit": "year"},
            "score": {"kind": "clear"},
            "spent": {"kind": "round", "step": 10.0}
        }),
    )
}

/// Terms of a processor agreement that lack nothing.
pub fn processor_terms(clock: &Clock, paper: &str) -> Value {
    let today = clock.now().date().to_string();
    json!({
        "subject_matter": "Testing", "nature": "Counting", "purposes": ["service-usage-analytics", "email-marketing"],
        "data_categories": ["technical", "contact", "identifying", "demographic", "location", "account", "financial"],
        "subject_categories": ["Customers"], "starts_on": today, "instructions": ["Count."],
        "confidentiality_attested_on": today, "security_evidence": [paper],
        "sub_processors": {"authorisation": "forbidden"}, "assistance": {"days": 5, "channel": "e-mail"},
        "breach_notice": {"hours": 24, "contact": "breach@example.org"},
        "at_the_end": {"way": "delete", "deadline_days": 30}, "audit": {"every_months": 12}, "retention_days": 100
    })
}

/// The fields of the made-up people as they are catalogued.
pub fn people_fields() -> Value {
    json!([
        {"name": "id", "type": "text", "class": "direct_identifier", "category": "technical"},
        {"name": "email", "type": "text", "class": "direct_identifier", "category": "contact"},
        {"name": "name", "type": "text", "class": "direct_identifier", "category": "identifying"},
        {"name": "born", "type": "date", "class": "quasi_identifier", "category": "demographic"},
        {"name": "city", "type": "text", "class": "quasi_identifier", "category": "location"},
        {"name": "score", "type": "integer", "class": "plain", "category": "account"},
        {"name": "spent", "type": "number", "class": "sensitive", "category": "financial"},
        {"name": "secret", "type": "text", "class": "sensitive", "category": "communication"}
    ])
}

/// Made-up people: row `n` is `P000n`, e-mail `person-n@mail.example`, born day `n` after 1960, secret `hidden-n`.
pub fn people_columns(rows: usize) -> Vec<SampleColumn> {
    let text = |of: fn(usize) -> String| SampleValues::Text((0..rows).map(|row| Some(of(row))).collect());
    let towns = ["Ulm", "Bern", "Graz", "Lyon"];
    vec![
        SampleColumn { name: "id", values: text(|row| format!("P{row:07}")) },
        SampleColumn { name: "email", values: text(|row| format!("person-{row}@mail.example")) },
        SampleColumn { name: "name", values: text(|row| format!("Person Number{row}")) },
        SampleColumn {
            name: "born",
            values: SampleValues::Date(
                (0..rows).map(|row| Date::from_days_since_epoch(-3653 + i32::try_from(row % 15_000).unwrap())).collect(),
            ),
        },
        SampleColumn { name: "city", values: SampleValues::Text((0..rows).map(|row| Some(towns[row % 4].to_owned())).collect()) },
        SampleColumn { name: "score", values: SampleValues::Integer((0..rows).map(|row| i64::try_from(row).ok()).collect()) },
        SampleColumn { name: "spent", values: SampleValues::Number((0..rows).map(|row| Some(row as f64 * 1.25)).collect()) },
        SampleColumn { name: "secret", values: text(|row| format!("hidden-{row}")) },
    ]
}
