//! The first page: each kind of work with its total, for whom it is, what stops with a stop, and which gates are open.

use serde_json::json;
use tidegate::app::dashboard::{self, ItemNoun, Queue, WaitingFor};
use tidegate::app::gates::{self, GateState};
use tidegate::app::stops::{self, StopOf, StopPreview};
use tidegate::domain::gate::Gate;
use tidegate::domain::person::{Actor, Role};
use tidegate::policy::release::detail;
use tidegate::policy::work::{WorkKind, WorkState};

use super::Quiet;
use super::seed::{Size, id};
use crate::database::Database;
use crate::harness::{House, beginning, usual};

crate::on_both!(
    totals_are_those_of_the_seed,
    who_wrote_it_does_not_find_it,
    a_day_counts_what_left,
    a_stop_says_what_it_stops,
    gates_say_what_a_release_would_hear
);

fn actor(role: Role, person: &str) -> Actor {
    Actor::Person { id: person.parse().unwrap(), role }
}

fn total(queue: &Queue, kind: WorkKind) -> i64 {
    queue.totals.iter().find(|known| known.kind == kind).unwrap_or_else(|| panic!("{kind:?} is not in the queue")).total
}

async fn totals_are_those_of_the_seed(database: Database) {
    type Fits = fn(i64) -> bool;
    let quiet = Quiet::seeded(database, Size { vendors: 400, entries: 0 }, beginning()).await;
    let queue = dashboard::queue(&quiet.app, &actor(Role::ComplianceReviewer, &id(1, 2))).await.unwrap();
    let many = |fits: Fits| i64::try_from((1..=400).filter(|at| fits(*at)).count()).unwrap();
    let table: [(WorkKind, Fits); 13] = [
        (WorkKind::AssessmentSubmitted, |at| at % 5 == 0),
        (WorkKind::AssessmentInReview, |_| false),
        (WorkKind::AssessmentUnanswered, |_| false),
        (WorkKind::VendorInIntake, |at| at % 20 == 0),
        (WorkKind::VendorInTriage, |at| at % 20 == 1),
        (WorkKind::VendorApproved, |at| at % 20 == 2),
        // Due between 50 days ago and in 30 days.
        (WorkKind::ReviewDue, |at| at % 20 >= 4 && at % 800 - 50 <= 30),
        // In ten days, or mandatory and over for ten; of those who may still get data.
        (WorkKind::EvidenceEnding, |at| (at % 3 == 0 || (at % 3 == 1 && at % 6 < 3)) && ![0, 1, 3].contains(&(at % 20))),
        (WorkKind::AgreementComplete, |_| false),
        (WorkKind::AgreementInReview, |at| at % 10 == 1),
        (WorkKind::AgreementUnsigned, |at| at % 10 == 2),
        (WorkKind::AgreementEnding, |at| at % 10 == 3),
        (WorkKind::PermitPaused, |at| at % 50 == 4),
    ];
    for (kind, fits) in table {
        assert_eq!(total(&queue, kind), many(fits), "{kind:?}");
    }
    assert_eq!(total(&queue, WorkKind::RevisionProposed), many(|at| at % 40 == 5));
    assert_eq!(queue.items.len(), 100);
    let dues: Vec<_> = queue.items.iter().map(|item| item.due.map_or(i64::MAX, |due| due.micros())).collect();
    assert!(dues.is_sorted(), "what falls due first comes first");
    assert_eq!(queue.items[0].state, WorkState::Overdue);

    let counts = dashboard::counts(&quiet.app).await.unwrap();
    let of = |name: &str| counts.vendors.iter().find(|known| known.lifecycle.key() == name).unwrap().vendors;
    assert_eq!((counts.vendors.len(), of("intake"), of("active"), of("rejected")), (10, 20, 320, 0));
    assert_eq!(counts.agreements_in_force, many(|at| at % 10 >= 3));
    assert_eq!(counts.permits_in_force, many(|at| at % 10 >= 3 && at % 50 != 4 && at % 40 != 5));
}

async fn who_wrote_it_does_not_find_it(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.register("Acme").await;
    let paper = house.assess(&vendor).await;
    house.act(&vendor, "activate").await;
    // A privacy officer may draft, and then finds it in nobody's queue but the other's.
    let agreement = house.draft(&vendor, "Acme", &paper, &[("acme-people", usual("people"))]).await;
    let manager = actor(Role::VendorManager, house.person_id(Role::VendorManager));
    let drafts = dashboard::queue(&house.app, &manager).await.unwrap();
    let complete = drafts.items.iter().find(|item| item.kind == WorkKind::AgreementComplete).expect("the draft lacks nothing");
    assert_eq!(
        (complete.title.as_str(), complete.waiting_for, complete.next_act),
        ("Version 1 of dpa-acme", WaitingFor::Me, "Submit for approval")
    );
    let base = format!("/api/v1/agreements/{agreement}/versions/1");
    let read = house.get(Role::PrivacyOfficer, &format!("/api/v1/agreements/{agreement}")).await.good()["versions"][0].clone();
    let terms = json!({"version": read["version"], "terms": read["terms"]});
    house.put(Role::PrivacyOfficer, &format!("{base}/terms"), terms).await.good();
    house.post(Role::VendorManager, &format!("{base}/submit"), json!({})).await.good();
    let author = actor(Role::PrivacyOfficer, house.person_id(Role::PrivacyOfficer));
    let other = actor(Role::PrivacyOfficer, &house.person(Role::PrivacyOfficer, "third_officer").await.0);
    let (wrote, did_not) = (dashboard::queue(&house.app, &author).await.unwrap(), dashboard::queue(&house.app, &other).await.unwrap());
    assert_eq!(total(&wrote, WorkKind::AgreementInReview), 0);
    assert_eq!(total(&did_not, WorkKind::AgreementInReview), 1);
    let item = &did_not.items[0];
    assert_eq!(item.noun, ItemNoun::Agreement { id: agreement.parse().unwrap(), version: 1 });
    assert_eq!((item.waiting_for, item.state), (WaitingFor::Role(Role::PrivacyOfficer), WorkState::Waiting));
    assert!(did_not.totals.iter().all(|known| known.kind.role() == Role::PrivacyOfficer), "{:?}", did_not.totals);
    // Nobody decides a round of a vendor that is theirs.
    let body = json!({"kind": "privacy", "template": "security"});
    let round = house.post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/assessments"), body).await.good();
    let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
    for act in ["send", "submit"] {
        house.post(Role::VendorManager, &format!("{path}/{act}"), json!({})).await.good();
    }
    assert_eq!(total(&dashboard::queue(&house.app, &other).await.unwrap(), WorkKind::AssessmentSubmitted), 1);
    let opener = actor(Role::PrivacyOfficer, house.person_id(Role::VendorManager));
    assert_eq!(total(&dashboard::queue(&house.app, &opener).await.unwrap(), WorkKind::AssessmentSubmitted), 0);
    house.post(Role::PrivacyOfficer, &format!("{path}/review"), json!({})).await.good();
    let mine = dashboard::queue(&house.app, &author).await.unwrap();
    let begun = mine.items.iter().find(|item| item.kind == WorkKind::AssessmentInReview).unwrap();
    assert_eq!((begun.waiting_for, begun.next_act), (WaitingFor::Me, "Decide"));
}

async fn a_day_counts_what_left(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    const RECORDS: &str = "/data/v1/datasets/people/records";
    for days in [0, 2] {
        house.at(beginning().plus_days(days)).await;
        let token = house.token(&vendor).await;
        for _ in 0..3 {
            house.pull(&token, RECORDS, "application/json").await.good();
        }
        house.pull(&token, RECORDS, "text/csv").await;
        house.act(&vendor.id, "suspend").await;
        house.pull(&token, RECORDS, "application/json").await;
        house.act(&vendor.id, "reinstate").await;
    }
    house.settle().await;
    let days = dashboard::activity(&house.app, 30).await.unwrap();
    assert_eq!(days.len(), 30);
    let said: Vec<_> = days.iter().filter(|day| day.releases + day.refusals > 0).map(|day| (day.day, day.releases, day.refusals)).collect();
    let day = |days: i64| beginning().plus_days(days).date();
    assert_eq!(said, [(day(0), 4, 1), (day(2), 4, 1)]);
    assert_eq!(days.last().unwrap().day, day(2));
    let counts = dashboard::counts(&house.app).await.unwrap();
    assert_eq!((counts.releases, counts.refusals), (4, 1));
    assert_eq!(counts.since, beginning().plus_days(1));
}

async fn a_stop_says_what_it_stops(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-more", usual("people-sql"))]).await;
    let other = house.vendor("Other", &[("other-people", usual("people"))]).await;
    house.token(&other).await;
    let path = format!("/api/v1/vendors/{}/clients", vendor.id);
    let limited =
        house.post(Role::VendorManager, &path, json!({"name": "one", "permits": ["acme-more"], "hand_over": "answer"})).await.good();
    let limited_id = limited["client_id"].as_str().unwrap().to_owned();
    let narrow = crate::harness::Vendor {
        client_id: limited_id.clone(),
        client_secret: limited["client_secret"].as_str().unwrap().to_owned(),
        ..vendor.clone()
    };
    let token = house.token(&vendor).await;
    house.token(&vendor).await;
    house.token(&narrow).await;
    house.pull(&token, "/data/v1/datasets/people/records", "application/json").await.good();
    house.settle().await;
    let preview = async |of: StopOf| stops::preview(&house.app, of).await.unwrap();
    let expect = |clients, tokens, permits, pulled: bool| StopPreview {
        clients,
        tokens,
        permits,
        running_streams: 0,
        last_pull: pulled.then(beginning),
    };
    assert_eq!(preview(StopOf::Vendor(vendor.id.parse().unwrap())).await, expect(2, 3, 2, true));
    assert_eq!(preview(StopOf::Agreement(vendor.agreement.parse().unwrap())).await, expect(2, 3, 2, true));
    assert_eq!(preview(StopOf::Permit("acme-people".parse().unwrap())).await, expect(1, 2, 1, true));
    assert_eq!(preview(StopOf::Permit("acme-more".parse().unwrap())).await, expect(2, 3, 1, false));
    assert_eq!(preview(StopOf::Client(vendor.client_id.parse().unwrap())).await, expect(1, 2, 2, true));
    assert_eq!(preview(StopOf::Client(limited_id.parse().unwrap())).await, expect(1, 1, 1, false));
    house.post(Role::VendorManager, &format!("/api/v1/clients/{limited_id}/revoke"), json!({"reason": "for the test"})).await.good();
    assert_eq!(preview(StopOf::Vendor(vendor.id.parse().unwrap())).await, expect(1, 2, 2, true));
}

async fn gates_say_what_a_release_would_hear(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    const RECORDS: &str = "/data/v1/datasets/people/records";
    let of_permit = async || gates::of_permit(&house.app, "acme-people".parse().unwrap()).await.unwrap();
    let closed = |gates: &[GateState]| gates.iter().filter(|state| !state.open).map(|state| state.gate).collect::<Vec<_>>();
    house.pull(&token, RECORDS, "application/json").await.good();
    let open = of_permit().await;
    let names: Vec<Gate> = open.iter().map(|state| state.gate).collect();
    let every = [Gate::Vendor, Gate::DueDiligence, Gate::Agreement, Gate::Permit, Gate::Consent, Gate::DatasetDrift, Gate::Quota];
    assert_eq!(names, every);
    assert_eq!(closed(&open), []);
    let quota = open.last().unwrap();
    assert_eq!((quota.rows_left, quota.until), (Some(999_980), Some(beginning().date().end())));
    assert_eq!(open[1].until, Some(beginning().plus_days(180)), "the approval ends before the paper");

    let because = json!({"reason": "for the test"});
    house.post(Role::VendorManager, "/api/v1/permits/acme-people/pause", because.clone()).await.good();
    let paused = of_permit().await;
    assert_eq!(closed(&paused), [Gate::Permit]);
    let refused = house.pull(&token, RECORDS, "application/json").await;
    assert_eq!(refused.json()["detail"], detail(Gate::Permit), "{}", refused.text);
    assert_eq!(paused[3].detail, detail(Gate::Permit));
    assert!(paused[3].reopens.contains("privacy officer"));
    house.post(Role::PrivacyOfficer, "/api/v1/permits/acme-people/resume", because.clone()).await.good();

    house.act(&vendor.id, "suspend").await;
    assert_eq!(closed(&of_permit().await), [Gate::Vendor]);
    house.act(&vendor.id, "reinstate").await;
    house.post(Role::VendorManager, &format!("/api/v1/agreements/{}/end", vendor.agreement), because).await.good();
    assert!(closed(&of_permit().await).contains(&Gate::Agreement));
    let agreement = gates::of_agreement(&house.app, vendor.agreement.parse().unwrap()).await.unwrap();
    assert_eq!(closed(&agreement), [Gate::Agreement]);
    let whole = gates::of_vendor(&house.app, vendor.id.parse().unwrap()).await.unwrap();
    assert_eq!(closed(&whole), [Gate::Agreement]);
}
