//! JSON over HTTP from a real server: pages by link, address and cursor, patience, and what is not followed.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{add, house, moved, pulled};
use crate::browse::Browser;
use crate::database::{Database, run};
use crate::harness::{House, usual};

pub const SECRET: &str = "s3cret-of-the-crm";

/// What a server does.
#[derive(Clone)]
pub enum Paged {
    /// `{"data": {"items": […]}}`, the next page in a `Link` header.
    ByLink { rows: Vec<Value>, size: usize },
    /// `{"items": […], "next": "/…"}`.
    ByAddress { rows: Vec<Value>, size: usize },
    /// `{"items": […], "cursor": 7}`.
    ByCursor { rows: Vec<Value>, size: usize },
    /// Whatever stands there just now.
    Held(Arc<Mutex<String>>),
    /// The same answer to everything.
    Always { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// That many failures with that status before each page of what is within.
    Failing { status: u16, times: usize, within: Box<Paged> },
}

/// A server of this process.
pub struct Server {
    port: u16,
    handle: ServerHandle,
    /// How often it was asked, and the headers that carried the secret.
    pub asked: Arc<AtomicUsize>,
    pub seen: Arc<Mutex<Vec<String>>>,
}

struct State {
    paged: Paged,
    asked: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    port: u16,
}

impl Server {
    pub fn start(paged: Paged) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let state = web::Data::new(State { paged, asked: Arc::clone(&asked), seen: Arc::clone(&seen), port });
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(state.clone()).default_service(web::to(answer));
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
                send.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { port, handle: receive.recv().unwrap(), asked, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The thread ends by itself once its server does.
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let count = state.asked.fetch_add(1, Ordering::SeqCst);
    for name in ["authorization", "x-api-key"] {
        if let Some(value) = request.headers().get(name) {
            state.seen.lock().unwrap().push(format!("{name}: {}", value.to_str().unwrap()));
        }
    }
    say(&state.paged, &request, count, state.port)
}

fn say(paged: &Paged, request: &HttpRequest, count: usize, port: u16) -> HttpResponse {
    let from = |name: &str| {
        let query = web::Query::<std::collections::BTreeMap<String, String>>::from_query(request.query_string()).unwrap();
        query.get(name).map_or(0, |value| value.parse::<usize>().unwrap())
    };
    let part = |rows: &[Value], at: usize, size: usize| rows[at.min(rows.len())..(at + size).min(rows.len())].to_vec();
    let path = request.path();
    match paged {
        Paged::ByLink { rows, size } => {
            let (at, mut response) = (from("from"), HttpResponse::Ok());
            if at + size < rows.len() {
                let next = format!("<http://127.0.0.1:{port}{path}?from={}>; rel=\"next\", <{path}>; rel=\"first\"", at + size);
                response.insert_header(("link", next));
            }
            response.json(json!({"data": {"items": part(rows, at, *size)}}))
        }
        Paged::ByAddress { rows, size } => {
            let at = from("from");
            let next = if at + size < rows.len() { json!(format!("{path}?from={}", at + size)) } else { Value::Null };
            HttpResponse::Ok().json(json!({"items": part(rows, at, *size), "next": next}))
        }
        Paged::ByCursor { rows, size } => {
            let at = from("after");
            let next = if at + size < rows.len() { json!(at + size) } else { json!("") };
            HttpResponse::Ok().json(json!({"items": part(rows, at, *size), "cursor": next}))
        }
        // A number is a status without a body.
        Paged::Held(body) => {
            let body = body.lock().unwrap().clone();
            match body.parse::<u16>() {
                Ok(status) => HttpResponse::build(status.try_into().unwrap()).finish(),
                Err(_) => HttpResponse::Ok().body(body),
            }
        }
        Paged::Always { status, headers, body } => {
            let mut response = HttpResponse::build((*status).try_into().unwrap());
            for (name, value) in headers {
                response.insert_header((*name, value.as_str()));
            }
            response.body(body.clone())
        }
        Paged::Failing { status, times, within } => {
            if count % (times + 1) < *times {
                return HttpResponse::build((*status).try_into().unwrap()).insert_header(("retry-after", "0")).finish();
            }
            say(within, request, count, port)
        }
    }
}

fn rows(count: usize) -> Vec<Value> {
    super::objects(&crate::harness::people_columns(count))
}

fn at(url: String, paging: Value) -> Value {
    json!({"kind": "http_json", "url": url, "rows": "/items", "paging": paging})
}

#[test]
fn pages_are_followed_in_each_way_and_the_secret_goes_where_it_should() {
    run(async {
        let house = house().await;
        house.catalogue_people(250).await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let expected = pulled(&house, &vendor, "people").await;

        let server = Server::start(Paged::ByAddress { rows: rows(250), size: 100 });
        let mut location = at(server.url("/crm/people"), json!({"by": "next_url", "at": "/next"}));
        location["sends"] = json!({"as": "header", "name": "X-Api-Key"});
        moved(&house, "people", "people", &location, Some(SECRET)).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected);
        let seen = server.seen.lock().unwrap().clone();
        assert!(seen.len() >= 6 && seen.iter().all(|header| *header == format!("x-api-key: {SECRET}")), "{seen:?}");

        let server = Server::start(Paged::ByCursor { rows: rows(250), size: 60 });
        let location = at(server.url("/crm/people"), json!({"by": "cursor", "at": "/cursor", "parameter": "after"}));
        moved(&house, "people", "people", &location, None).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected);

        // Each page fails twice before it comes.
        let within = Box::new(Paged::ByAddress { rows: rows(250), size: 125 });
        let server = Server::start(Paged::Failing { status: 503, times: 2, within });
        let location = at(server.url("/crm/people"), json!({"by": "next_url", "at": "/next"}));
        moved(&house, "people", "people", &location, None).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected);

        // What the source says of itself is told to the staff without its secret.
        let sources = house.get(Role::DataSteward, "/api/v1/sources").await;
        assert!(!sources.text.contains(SECRET));
    });
}

#[test]
fn what_does_not_answer_with_rows_is_said_so() {
    run(async {
        let house = house().await;
        let always = |status: u16, body: &str| Paged::Always { status, headers: Vec::new(), body: body.to_owned() };
        let deep = format!("{{\"items\":[{{\"a\":{}1{}}}]}}", "[".repeat(200_000), "]".repeat(200_000));
        for (paged, expected) in [
            (always(401, ""), "refuses the secret"),
            (always(404, ""), "nothing at this address"),
            (always(200, "<html>"), "no JSON document"),
            (always(200, r#"{"data":[]}"#), "no array of rows"),
            (always(200, r#"{"items":{"a":1}}"#), "no array of rows"),
            (always(200, r#"{"items":[]}"#), "no rows to tell fields from"),
            (
                Paged::Always { status: 302, headers: vec![("location", "http://127.0.0.1:1/".to_owned())], body: String::new() },
                "not followed",
            ),
        ] {
            let server = Server::start(paged);
            let refused = add(&house, &at(server.url("/x"), json!({"by": "none"})), None).await;
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert!(refused.text.contains(expected), "{expected}: {}", refused.text);
            assert_eq!(server.asked.load(Ordering::SeqCst), 1, "{expected}: a refusal is not asked for again");
        }
        let server = Server::start(always(200, &deep));
        let id = add(&house, &at(server.url("/deep"), json!({"by": "none"})), None).await.good()["id"].as_str().unwrap().to_owned();
        let tables = house.get(Role::DataSteward, &format!("/api/v1/sources/{id}/tables")).await.good();
        assert_eq!(tables["items"][0]["columns"], json!([{"name": "a", "type": "other"}]));
    });
}

#[test]
fn a_page_of_another_server_is_not_followed() {
    run(async {
        let house = house().await;
        house.catalogue_people(10).await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let thief = Server::start(Paged::ByAddress { rows: rows(10), size: 10 });
        let body = json!({"items": rows(10), "next": thief.url("/steal")}).to_string();
        let server = Server::start(Paged::Always { status: 200, headers: Vec::new(), body });
        let mut location = at(server.url("/people"), json!({"by": "next_url", "at": "/next"}));
        location["sends"] = json!({"as": "bearer"});
        let refused = add(&house, &location, Some(SECRET)).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("another server"), "{}", refused.text);
        assert_eq!(thief.asked.load(Ordering::SeqCst), 0);
        drop(vendor);
    });
}

#[test]
fn this_machine_is_out_of_reach_unless_the_operator_allows_it() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let server = Server::start(Paged::ByAddress { rows: rows(10), size: 10 });
        let port = server.port;
        for host in [
            format!("http://127.0.0.1:{port}"),
            format!("https://127.0.0.1:{port}"),
            format!("https://2130706433:{port}"),
            format!("https://0x7f000001:{port}"),
            format!("https://0177.0.0.1:{port}"),
            format!("https://[::ffff:127.0.0.1]:{port}"),
            format!("https://localhost:{port}"),
            "https://169.254.169.254".to_owned(),
        ] {
            let refused = add(&house, &at(format!("{host}/people"), json!({"by": "none"})), None).await;
            assert_eq!(refused.status, 422, "{host}: {}", refused.text);
            assert!(refused.text.contains("outbound_hosts"), "{host}: {}", refused.text);
            let store = json!({"kind": "csv", "path": "s3://exports/x/", "store": {"endpoint": host}});
            assert_eq!(add(&house, &store, None).await.status, 422, "{host}");
        }
        assert_eq!(server.asked.load(Ordering::SeqCst), 0, "it was asked");
    });
}

async fn filled(browser: &Browser<'_>, page: &str, fields: &[(&str, String)]) -> crate::harness::Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.fill(page, page, &fields).await
}

/// The steward's way in the browser: a form for each kind, what is wrong said beside its field, and no secret on any page.
#[test]
fn the_forms_take_what_lies_elsewhere() {
    run(async {
        let house = crate::pages::lived_in::LivedIn::fetching().await;
        let browser = house.browser(Role::DataSteward).await;
        let server = Server::start(Paged::ByAddress { rows: rows(250), size: 100 });
        let form = |url: &str, header: &str| {
            vec![
                ("name", "The CRM".to_owned()),
                ("url", url.to_owned()),
                ("rows", "/items".to_owned()),
                ("paging", "next_url".to_owned()),
                ("at", "/next".to_owned()),
                ("sends", "header".to_owned()),
                ("header", header.to_owned()),
                ("secret", SECRET.to_owned()),
            ]
        };
        for (url, header, expected) in [
            (server.url("/people"), "Host", "must be the name of a header"),
            ("https://10.0.0.1/people".to_owned(), "X-Api-Key", "outbound_hosts"),
            ("people".to_owned(), "X-Api-Key", "must begin with https://"),
        ] {
            let answer = filled(&browser, "/datasets/new/web", &form(&url, header)).await;
            assert_eq!(answer.status, 422, "{}", answer.text);
            assert!(answer.text.contains(expected), "{expected}: {}", answer.text);
            assert!(!answer.text.contains(SECRET), "the page shows the secret");
        }
        let taken = filled(&browser, "/datasets/new/web", &form(&server.url("/people"), "X-Api-Key")).await;
        assert_eq!(taken.status, 303, "{}", taken.text);
        let next = taken.header("location").to_owned();
        assert!(next.starts_with("/datasets/new/table?source="), "{next}");
        let id = next.rsplit('=').next().unwrap();
        let list = browser.get("/datasets/new").await;
        assert!(list.text.contains(&format!("/sources/{id}/secret")) && !list.text.contains(SECRET), "{}", list.text);
        // Another secret, and one that the server refuses.
        let path = format!("/sources/{id}/secret");
        let set = filled(&browser, &path, &[("secret", "an0ther-secret".to_owned())]).await;
        assert_eq!(set.status, 303, "{}", set.text);
        assert!(server.seen.lock().unwrap().iter().any(|header| header.ends_with("an0ther-secret")));
        // The dataset's rows come from there from now on.
        let to = |source: &str, table: &str| vec![("version", "1".to_owned()), ("source", source.to_owned()), ("table", table.to_owned())];
        let moved = filled(&browser, "/datasets/people/move", &to(id, "people")).await;
        assert_eq!(moved.status, 303, "{}", moved.text);
        let wrong = filled(&browser, "/datasets/people-sql/move", &to(id, "persons")).await;
        assert!(wrong.status == 422 && wrong.text.contains("is not a table of this source"), "{} {}", wrong.status, wrong.text);
        let refused = filled(&browser, "/datasets/people-sql/move", &to("", "x")).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("must be chosen"), "{}", refused.text);
    });
}
