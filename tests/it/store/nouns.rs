//! Every noun comes back as it was kept; who saves what was changed meanwhile is told so.

use tidegate::domain::agreement::VersionStatus;
use tidegate::domain::assessment::AssessmentKind;
use tidegate::domain::dataset::LogicalType;
use tidegate::domain::id::{AgreementId, VendorId};
use tidegate::domain::permit::{Revision, RevisionStatus};
use tidegate::domain::person::Person;
use tidegate::domain::text::Slug;
use tidegate::domain::vendor::{Lifecycle, Tier, Vendor};
use tidegate::store::clients::Secrets;
use tidegate::store::sealed_keys::SealedKey;
use tidegate::store::streams::{OpenStream, Toll};
use tidegate::store::vendors::VendorFilter;
use tidegate::store::{
    Clock, Page, Store, StoreError, Tx, agreements, api_keys, assessments, clients, datasets, evidence, people, permits, quotas,
    sealed_keys, sources, streams, tokens, vendors,
};

use super::samples::{self, START, id, text};
use crate::database::Database;

crate::on_both!(
    staff,
    vendor,
    vendor_lists,
    assessment,
    evidence_pieces,
    agreement,
    permit,
    catalogue,
    client,
    issued_tokens,
    keys,
    quota,
    limits,
    stream,
    damaged
);

type Answer = Result<(), StoreError>;

/// One transaction that must succeed.
async fn write(store: &Store, f: impl FnOnce(&mut Tx) -> Answer + Send + 'static) {
    store.record(f).await.unwrap();
}

fn open(database: &Database) -> Store {
    database.open(Clock::manual(START))
}

fn base(tx: &mut Tx) -> Result<(Person, Vendor), StoreError> {
    let person = samples::person("owner@example.org");
    people::insert(tx, &person, "hash")?;
    let vendor = samples::vendor(&person.id, "Example GmbH");
    vendors::insert(tx, &vendor)?;
    Ok((person, vendor))
}

async fn staff(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let mut person = samples::person("zoe@example.org");
        people::insert(tx, &person, "first")?;
        assert_eq!(people::find(tx, &person.id)?, person);
        assert_eq!(people::find_by_email(tx, &person.email)?, Some((person.clone(), "first".into())));
        assert_eq!(people::find_by_email(tx, &text("other@example.org"))?, None);
        assert_eq!(people::find(tx, &id()), Err(StoreError::NotFound("person")));
        people::set_password(tx, &person.id, "second")?;
        person.disabled_at = Some(START);
        assert_eq!(people::save(tx, &person)?, 2);
        assert_eq!(people::save(tx, &person), Err(StoreError::Stale));
        person.version = 2;
        assert_eq!(people::find_by_email(tx, &person.email)?, Some((person.clone(), "second".into())));
        person.disabled_at = None;
        assert_eq!(people::save(tx, &person)?, 3);
        assert_eq!(people::list(tx)?.len(), 1);
        assert_eq!(people::find(tx, &person.id)?.disabled_at, None);

        let key = samples::api_key(&person.id);
        api_keys::insert(tx, &key, &samples::secret("key"))?;
        assert_eq!(api_keys::find(tx, &key.id)?, key);
        let (found, whose) = api_keys::find_by_digest(tx, &samples::secret("key"))?.unwrap();
        assert_eq!((&found, &whose.id), (&key, &person.id));
        assert_eq!(api_keys::find_by_digest(tx, &samples::secret("no"))?, None);
        api_keys::revoke(tx, &key.id, START)?;
        api_keys::revoke(tx, &key.id, START.plus_seconds(9))?;
        assert_eq!(api_keys::revoke(tx, &id(), START), Err(StoreError::NotFound("API key")));
        assert_eq!(api_keys::list_by_person(tx, &person.id)?[0].revoked_at, Some(START));
        Ok(())
    })
    .await;
    let twin = store.record(|tx| people::insert(tx, &samples::person("zoe@example.org"), "x")).await;
    assert_eq!(twin, Err(StoreError::Taken("email")));
}

async fn vendor(database: Database) {
    let store = open(&database);
    let kept = store.record(base).await.unwrap().1;
    let (name, owner) = ("EXAMPLE   gmbh", kept.profile.owner.clone());
    let twin = store.record(move |tx| vendors::insert(tx, &samples::vendor(&owner, name))).await;
    assert_eq!(twin, Err(StoreError::Taken("legal_name")));
    let orphan = store.record(|tx| vendors::insert(tx, &samples::vendor(&id(), "Orphan"))).await;
    assert_eq!(orphan, Err(StoreError::NotFound("referenced record")));
    write(&store, move |tx| {
        assert_eq!(vendors::find(tx, &kept.id)?, kept);
        let mut changed = kept.clone();
        changed.profile.trade_name = None;
        changed.profile.contacts.clear();
        changed.lifecycle = Lifecycle::Suspended;
        assert_eq!(vendors::save(tx, &changed)?, 2);
        assert_eq!(vendors::save(tx, &changed), Err(StoreError::Stale));
        changed.version = 2;
        assert_eq!(vendors::find(tx, &kept.id)?, changed);
        Ok(())
    })
    .await;
}

async fn vendor_lists(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let owner = samples::person("owner@example.org");
        people::insert(tx, &owner, "hash")?;
        let mut ids = Vec::new();
        for (name, tier) in [("Alpha 100%", Tier::Low), ("alpha 1000", Tier::Low), ("BÉTA_1", Tier::Critical), ("Beta 1", Tier::Low)] {
            let mut vendor = samples::vendor(&owner.id, name);
            vendor.profile.tier = tier;
            vendors::insert(tx, &vendor)?;
            ids.push(vendor.id);
        }
        let page = |after: Option<&VendorId>, limit| Page { after: after.map(ToString::to_string), limit };
        let mut listed = |filter: &VendorFilter, page: &Page| -> Result<Vec<VendorId>, StoreError> {
            let found: Vec<VendorId> = vendors::list(tx, filter, page)?.into_iter().map(|vendor| vendor.id).collect();
            if page.after.is_none() && page.limit > 4 {
                assert_eq!(vendors::count(tx, filter)?, found.len() as i64);
            }
            Ok(found)
        };
        let all = VendorFilter::default();
        let newest_first: Vec<VendorId> = ids.iter().rev().cloned().collect();
        assert_eq!(listed(&all, &page(None, 10))?, newest_first);
        assert_eq!(listed(&all, &page(None, 2))?, newest_first[..2]);
        assert_eq!(listed(&all, &page(Some(&newest_first[1]), 2))?, newest_first[2..]);
        let search = |part: &str| VendorFilter { search: Some(part.into()), ..VendorFilter::default() };
        let table: [(&str, &[usize]); 7] =
            [("ALPHA", &[1, 0]), ("100%", &[0]), ("béta", &[2]), ("_1", &[2]), ("a  1", &[3, 1, 0]), ("\\", &[]), ("\0", &[])];
        for (part, expected) in table {
            let expected: Vec<VendorId> = expected.iter().map(|at| ids[*at].clone()).collect();
            assert_eq!(listed(&search(part), &page(None, 10))?, expected, "search {part:?}");
        }
        let low = VendorFilter { tier: Some(Tier::Low), lifecycle: Some(Lifecycle::Active), owner: Some(owner.id.clone()), search: None };
        assert_eq!(listed(&low, &page(None, 10))?.len(), 3);
        let other = VendorFilter { owner: Some(id()), ..VendorFilter::default() };
        assert_eq!(listed(&other, &page(None, 10))?, []);
        Ok(())
    })
    .await;
}

async fn assessment(database: Database) {
    let store = open(&database);
    let (person, vendor) = store.record(base).await.unwrap();
    let first = samples::assessment(&vendor.id, &person.id);
    let (kept, second) = (first.clone(), samples::assessment(&vendor.id, &person.id));
    write(&store, move |tx| assessments::insert(tx, &kept)).await;
    let (twin, vendor) = (second.clone(), vendor.id);
    assert_eq!(store.record(move |tx| assessments::insert(tx, &twin)).await, Err(StoreError::Taken("assessment")));
    write(&store, move |tx| {
        let kind = AssessmentKind::Security;
        assert_eq!(assessments::find(tx, &first.id)?, first);
        assert_eq!(assessments::open_of_kind(tx, &vendor, kind)?, Some(first.clone()));
        assert_eq!(assessments::open_of_kind(tx, &vendor, AssessmentKind::Legal)?, None);
        assert_eq!(assessments::latest_decided(tx, &vendor, kind)?, None);
        let mut decided = samples::decided(first.clone(), START.plus_seconds(50));
        assert_eq!(assessments::save(tx, &decided)?, 2);
        assert_eq!(assessments::save(tx, &decided), Err(StoreError::Stale));
        decided.version = 2;
        assert_eq!(assessments::open_of_kind(tx, &vendor, kind)?, None);
        assert_eq!(assessments::latest_decided(tx, &vendor, kind)?, Some(decided.clone()));
        // A round that was opened later and decided earlier does not come first.
        assessments::insert(tx, &samples::decided(second.clone(), START))?;
        assert_eq!(assessments::latest_decided(tx, &vendor, kind)?, Some(decided.clone()));
        assert_eq!(assessments::list_by_vendor(tx, &vendor)?, [samples::decided(second, START), decided]);
        Ok(())
    })
    .await;
}

async fn evidence_pieces(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let (person, vendor) = base(tx)?;
        let mut first = samples::evidence(&vendor.id, &person.id);
        let mut second = samples::evidence(&vendor.id, &person.id);
        second.facts.mandatory = false;
        second.facts.expires = None;
        evidence::insert(tx, &first)?;
        evidence::insert(tx, &second)?;
        assert_eq!(evidence::find(tx, &first.id)?, first);
        assert_eq!(evidence::mandatory(tx, &vendor.id)?, vec![], "nothing rests on a paper that nobody accepted");
        evidence::accept(tx, &first.id, &person.id)?;
        first.accepted_by = Some(person.id.clone());
        assert_eq!(evidence::mandatory(tx, &vendor.id)?, vec![first.clone()]);
        assert_eq!(evidence::list_by_vendor(tx, &vendor.id)?, [second, first]);
        assert_eq!(evidence::find(tx, &id()), Err(StoreError::NotFound("piece of evidence")));
        Ok(())
    })
    .await;
}

async fn agreement(database: Database) {
    let store = open(&database);
    let (person, vendor) = store.record(base).await.unwrap();
    let kept = samples::agreement(&vendor.id, "dpa-1");
    let first = kept.clone();
    write(&store, move |tx| {
        agreements::insert(tx, &kept)?;
        assert_eq!(agreements::find(tx, &kept.id)?, kept);
        let mut ended = kept.clone();
        ended.ended_at = Some(START);
        assert_eq!(agreements::save(tx, &ended)?, 2);
        assert_eq!(agreements::save(tx, &ended), Err(StoreError::Stale));
        ended.version = 2;
        let other = samples::agreement(&vendor.id, "dpa-2");
        agreements::insert(tx, &other)?;
        assert_eq!(agreements::list_by_vendor(tx, &vendor.id)?, [other.clone(), ended.clone()]);
        assert_eq!(agreements::list(tx, &Page { after: Some(other.id.to_string()), limit: 9 })?, [ended]);
        versions(tx, &kept.id, &person)
    })
    .await;
    let again = store.record(move |tx| agreements::insert(tx, &samples::agreement(&first.vendor, "dpa-1"))).await;
    assert_eq!(again, Err(StoreError::Taken("reference")));
}

fn versions(tx: &mut Tx, agreement: &AgreementId, person: &Person) -> Answer {
    let signed = |from: i64, until: i64| VersionStatus::Signed { from: START.plus_seconds(from), until: Some(START.plus_seconds(until)) };
    let at = |seconds: i64| START.plus_seconds(seconds);
    let mut first = samples::agreement_version(agreement, 1, &person.id, VersionStatus::Draft);
    let second = samples::agreement_version(agreement, 2, &person.id, signed(100, 200));
    agreements::insert_version(tx, &first)?;
    agreements::insert_version(tx, &second)?;
    assert_eq!(agreements::find_version(tx, agreement, 1)?, first);
    assert_eq!(agreements::find_version(tx, agreement, 3), Err(StoreError::NotFound("agreement version")));
    assert_eq!(agreements::in_force(tx, agreement, at(99))?, None);
    first.status = signed(0, 1_000);
    assert_eq!(agreements::save_version(tx, &first)?, 2);
    assert_eq!(agreements::save_version(tx, &first), Err(StoreError::Stale));
    first.version = 2;
    assert_eq!(agreements::versions(tx, agreement)?, [first.clone(), second.clone()]);
    assert_eq!(agreements::in_force(tx, agreement, at(0))?, Some(first.clone()));
    assert_eq!(agreements::in_force(tx, agreement, at(99))?, Some(first));
    assert_eq!(agreements::in_force(tx, agreement, at(100))?, Some(second.clone()));
    assert_eq!(agreements::in_force(tx, agreement, at(500))?, Some(second), "an older version does not come back");
    assert_eq!(agreements::next_start(tx, agreement, at(0))?, Some(at(100)));
    assert_eq!(agreements::next_start(tx, agreement, at(100))?, None);
    Ok(())
}

async fn permit(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let (person, vendor) = base(tx)?;
        let agreement = samples::agreement(&vendor.id, "dpa-1");
        agreements::insert(tx, &agreement)?;
        let mut permit = samples::permit("mail", &agreement.id, &vendor.id);
        permits::insert(tx, &permit)?;
        assert_eq!(permits::find(tx, &permit.key)?, permit);
        permit.ended_at = None;
        permit.paused_at = Some(START);
        assert_eq!(permits::save(tx, &permit)?, 2);
        assert_eq!(permits::save(tx, &permit), Err(StoreError::Stale));
        permit.version = 2;
        assert_eq!(permits::list_by_vendor(tx, &vendor.id)?, [permit.clone()]);
        assert_eq!(permits::list_by_agreement(tx, &agreement.id)?, [permit.clone()]);

        let mut first = samples::revision(&permit.key, 1, &person.id, RevisionStatus::InForce);
        let mut second = samples::revision(&permit.key, 2, &person.id, RevisionStatus::Proposed);
        permits::insert_revision(tx, &first)?;
        permits::insert_revision(tx, &second)?;
        assert_eq!(permits::find_revision(tx, &permit.key, 1)?, first);
        assert_eq!(permits::in_force_revision(tx, &permit.key)?, Some(first.clone()));
        assert_eq!(permits::proposed(tx, &agreement.id, 1)?, [second.clone()]);
        assert_eq!(permits::proposed(tx, &agreement.id, 2)?, []);
        assert_eq!(permits::by_dataset(tx, &text("customers"))?, [permit.key.clone()]);
        let before = second.terms.clone();
        second.status = RevisionStatus::InForce;
        second.approver = Some(person.id.clone());
        second.in_force_at = Some(START);
        second.terms.daily_rows = 7;
        assert_eq!(permits::save_revision(tx, &second)?, 2);
        assert_eq!(permits::save_revision(tx, &second), Err(StoreError::Stale));
        second.terms = before;
        second.version = 2;
        first.status = RevisionStatus::Superseded;
        first.version = 2;
        assert_eq!(permits::in_force_revision(tx, &permit.key)?, Some(second.clone()));
        assert_eq!(permits::revisions(tx, &permit.key)?, [first, second]);
        let missing = samples::revision(&permit.key, 3, &person.id, RevisionStatus::Proposed);
        assert_eq!(permits::save_revision(tx, &missing), Err(StoreError::Stale));
        rewriting(tx, missing)
    })
    .await;
}

/// A proposed revision is rewritten by whoever read it as it stands; one that was decided no more.
fn rewriting(tx: &mut Tx, mut third: Revision) -> Answer {
    permits::insert_revision(tx, &third)?;
    third.terms.daily_rows = 7;
    assert_eq!(permits::rewrite_revision(tx, &third)?, 2);
    assert_eq!(permits::rewrite_revision(tx, &third), Err(StoreError::Stale));
    third.version = 2;
    assert_eq!(permits::find_revision(tx, &third.permit, 3)?, third);
    let permit = permits::find(tx, &third.permit)?;
    let every = permits::revisions(tx, &third.permit)?;
    assert_eq!((permits::revisions_by_agreement(tx, &permit.agreement)?, every.len()), (every, 3));
    third.status = RevisionStatus::Rejected;
    third.version = permits::save_revision(tx, &third)?;
    assert_eq!(permits::rewrite_revision(tx, &third), Err(StoreError::Stale));
    Ok(())
}

async fn catalogue(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let source = samples::source();
        sources::insert(tx, &source)?;
        assert_eq!(sources::find(tx, &source.id)?, source);
        assert_eq!(sources::list(tx)?, vec![source.clone()]);
        let mut dataset = samples::dataset(&source.id, "customers");
        datasets::insert(tx, &dataset)?;
        assert_eq!(datasets::find(tx, &dataset.id)?, dataset);
        assert_eq!(datasets::find_by_name(tx, &dataset.name)?, Some(dataset.clone()));
        assert_eq!(datasets::find_by_name(tx, &text("other"))?, None);
        dataset.fields.truncate(1);
        assert_eq!(datasets::save(tx, &dataset)?, 2);
        assert_eq!(datasets::save(tx, &dataset), Err(StoreError::Stale));
        dataset.version = 2;
        assert_eq!(datasets::list(tx)?, [dataset]);
        let domain: Slug = text("customer");
        datasets::ensure_subject_domain(tx, &domain, LogicalType::Text)?;
        datasets::ensure_subject_domain(tx, &domain, LogicalType::Text)?;
        let other = datasets::ensure_subject_domain(tx, &domain, LogicalType::Integer);
        assert_eq!(other, Err(StoreError::Taken("subject_domain_type")));
        Ok(())
    })
    .await;
    let again = store.record(|tx| {
        let source = sources::list(tx)?.remove(0);
        datasets::insert(tx, &samples::dataset(&source.id, "customers"))
    });
    assert_eq!(again.await, Err(StoreError::Taken("name")));
}

async fn client(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let vendor = base(tx)?.1;
        let mut client = samples::client(&vendor.id);
        clients::insert(tx, &client)?;
        assert_eq!(clients::find_with_secrets(tx, &client.id)?, Some((client.clone(), Secrets::default())));
        let secrets = |present: &str, old: Option<&str>| Secrets { present: Some(samples::secret(present)), old: old.map(samples::secret) };
        clients::set_secrets(tx, &client.id, &secrets("new", Some("old")))?;
        client.permits = None;
        client.revoked_at = Some(START);
        assert_eq!(clients::save(tx, &client)?, 2);
        assert_eq!(clients::save(tx, &client), Err(StoreError::Stale));
        client.version = 2;
        assert_eq!(clients::find_with_secrets(tx, &client.id)?, Some((client.clone(), secrets("new", Some("old")))));
        clients::set_secrets(tx, &client.id, &secrets("newer", None))?;
        assert_eq!(clients::find_with_secrets(tx, &client.id)?, Some((client.clone(), secrets("newer", None))));
        assert_eq!(clients::find_with_secrets(tx, &id())?, None);
        assert_eq!(clients::list_by_vendor(tx, &vendor.id)?, [client]);
        Ok(())
    })
    .await;
}

async fn issued_tokens(database: Database) {
    let clock = Clock::manual(START);
    let store = database.open(clock.clone());
    let client = store
        .record(|tx| {
            let client = samples::client(&base(tx)?.1.id);
            clients::insert(tx, &client)?;
            Ok::<_, StoreError>(client)
        })
        .await
        .unwrap();
    let issue = |minutes: i64| samples::token(&client.id, &client.vendor, START.plus_seconds(minutes * 60));
    let (short, mut long) = (issue(1), issue(10));
    let expected = long.clone();
    let all = Page { after: None, limit: 10 };
    let page = all.clone();
    write(&store, move |tx| {
        tokens::insert(tx, &short, None)?;
        tokens::insert(tx, &long, None)?;
        assert_eq!(tokens::find(tx, &short.id)?, Some(short.clone()));
        assert_eq!(tokens::find(tx, &id())?, None);
        assert_eq!(tokens::find_by_secret(tx, &samples::secret("t"))?, None);
        tokens::set_secret(tx, &short.id, &samples::secret("t"))?;
        assert_eq!(tokens::find_by_secret(tx, &samples::secret("t"))?, Some(short.clone()));
        assert_eq!(tokens::list_by_client(tx, &long.client, &page)?, [long.clone(), short]);
        let next = Page { after: Some(long.id.to_string()), limit: 1 };
        assert_eq!(tokens::list_by_client(tx, &long.client, &next)?.len(), 1);
        tokens::revoke(tx, &long.id, START)?;
        tokens::revoke(tx, &long.id, START.plus_seconds(9))?;
        assert_eq!(tokens::revoke(tx, &id(), START), Err(StoreError::NotFound("token")));
        long.revoked_at = Some(START);
        assert_eq!(tokens::find(tx, &long.id)?, Some(long));
        Ok(())
    })
    .await;
    clock.advance_seconds(60);
    write(&store, move |tx| {
        assert_eq!(tokens::list_by_client(tx, &client.id, &all)?.len(), 1, "the other one has expired");
        assert_eq!(tokens::delete_expired(tx, START.plus_seconds(60), 10)?, 0);
        assert_eq!(tokens::delete_expired(tx, START.plus_seconds(10_000), 1)?, 1, "as many as asked for");
        assert!(tokens::find(tx, &expected.id)?.is_some(), "the oldest first");
        Ok(())
    })
    .await;
}

async fn keys(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let key = |name: &str| SealedKey {
            name: name.into(),
            sealed: vec![0, 255, 7],
            public: Some("p".into()),
            created_at: START,
            retired_at: None,
        };
        for name in ["sign/2", "sign/1", "SIGN/3", "sign_4", "pseudonym/1"] {
            sealed_keys::insert(tx, &key(name))?;
        }
        assert_eq!(sealed_keys::find(tx, "sign/1")?, Some(key("sign/1")));
        assert_eq!(sealed_keys::list(tx, "sign/")?, [key("sign/1"), key("sign/2")]);
        assert_eq!(sealed_keys::list(tx, "sign_")?, [key("sign_4")]);
        sealed_keys::destroy(tx, "sign/1")?;
        assert_eq!(sealed_keys::find(tx, "sign/1")?, None);
        assert_eq!(sealed_keys::destroy(tx, "sign/1"), Err(StoreError::NotFound("key")));
        Ok(())
    })
    .await;
    let again = SealedKey { name: "sign/2".into(), sealed: vec![1], public: None, created_at: START, retired_at: None };
    assert_eq!(store.record(move |tx| sealed_keys::insert(tx, &again)).await, Err(StoreError::Taken("key_name")));
}

async fn quota(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let permit: Slug = text("mail");
        let (today, tomorrow) = (samples::day("2026-07-01"), samples::day("2026-07-02"));
        assert_eq!(quotas::used(tx, &permit, today)?, 0);
        assert_eq!(quotas::charge(tx, &permit, today, 5)?, 5);
        assert_eq!(quotas::charge(tx, &permit, today, 0)?, 5);
        assert_eq!(quotas::charge(tx, &permit, today, 7)?, 12);
        assert_eq!(quotas::used(tx, &permit, today)?, 12);
        assert_eq!(quotas::used(tx, &permit, tomorrow)?, 0);
        assert_eq!(quotas::used(tx, &text("post"), today)?, 0);
        assert_eq!(quotas::charge(tx, &permit, today, u64::MAX), Err(StoreError::Damaged("quota")));
        Ok(())
    })
    .await;
}

async fn limits(database: Database) {
    let store = open(&database);
    write(&store, |tx| {
        let (permit, other): (Slug, Slug) = (text("mail"), text("post"));
        let (today, tomorrow) = (samples::day("2026-07-01"), samples::day("2026-07-02"));
        quotas::charge(tx, &permit, today, 9)?;
        quotas::charge(tx, &other, today, 9)?;
        // Hashes have all their bits: the highest one too.
        let many = [0, 7, u64::MAX, u64::MAX / 2 + 1];
        assert_eq!(quotas::charge_subjects(tx, &permit, today, &many)?, 4);
        assert_eq!(quotas::charge_subjects(tx, &permit, today, &[7, 8, u64::MAX])?, 5, "each counts once");
        assert_eq!(quotas::charge_subjects(tx, &permit, today, &[])?, 5);
        assert_eq!(quotas::subjects_used(tx, &permit, today)?, 5);
        assert_eq!(quotas::known_subjects(tx, &permit, today, &[1, 7, u64::MAX])?, [7, u64::MAX].into());
        assert_eq!(quotas::charge_subjects(tx, &other, today, &[7])?, 1, "permits count apart");
        quotas::charge(tx, &permit, tomorrow, 1)?;
        assert_eq!(quotas::charge_subjects(tx, &permit, tomorrow, &[7])?, 1, "and so do days");
        assert!(quotas::known_subjects(tx, &permit, today, &many)?.is_empty(), "what earlier days held is let go");
        assert_eq!(quotas::subjects_used(tx, &permit, today)?, 5, "their number stays");
        assert_eq!(quotas::used(tx, &permit, today)?, 9);

        let now = samples::day("2026-07-01").start();
        assert_eq!(quotas::requests(tx, &permit, now)?, 0);
        assert_eq!((quotas::charge_request(tx, &permit, now)?, quotas::charge_request(tx, &permit, now.plus_seconds(59))?), (1, 2));
        assert_eq!(quotas::charge_request(tx, &other, now)?, 1);
        assert_eq!(quotas::charge_request(tx, &permit, now.plus_seconds(60))?, 1, "a new minute");
        assert_eq!(quotas::charge_request(tx, &permit, now)?, 2, "a clock that was set back opens nothing");
        assert_eq!(quotas::requests(tx, &permit, now.plus_seconds(60))?, 2);
        assert_eq!(quotas::requests(tx, &permit, now.plus_seconds(120))?, 0);
        Ok(())
    })
    .await;
}

async fn stream(database: Database) {
    let store = open(&database);
    let opened = |broker: &str| OpenStream {
        release: id(),
        broker: broker.into(),
        vendor: id(),
        client: id(),
        token: (broker == "one").then(id),
        permit: text("mail"),
        dataset: text("customers"),
        purpose: text("direct_marketing"),
        opened_at: START,
    };
    let (ours, theirs) = (opened("one"), opened("two"));
    let toll = |number: i64| Toll {
        release: ours.release.clone(),
        number,
        rows: 65_536,
        bytes: 5_000_000_000,
        segment: samples::digest("segment"),
        at: START,
    };
    let tolls = vec![toll(1), toll(2), toll(11)];
    let (late, expected) = (toll(12), vec![(ours.clone(), tolls.clone())]);
    let release = ours.release.clone();
    write(&store, move |tx| {
        streams::open(tx, &ours)?;
        streams::open(tx, &theirs)?;
        for toll in tolls.iter().rev() {
            streams::toll(tx, toll)?;
        }
        assert_eq!(streams::dangling(tx, "one")?, expected);
        assert_eq!(streams::dangling(tx, "three")?, []);
        streams::finish(tx, &release)?;
        assert_eq!(streams::finish(tx, &release), Err(StoreError::NotFound("stream")));
        assert_eq!(streams::dangling(tx, "one")?, []);
        assert_eq!(streams::dangling(tx, "two")?, [(theirs, vec![])]);
        Ok(())
    })
    .await;
    let after_the_end = store.record(move |tx| streams::toll(tx, &late)).await;
    assert_eq!(after_the_end, Err(StoreError::NotFound("referenced record")));
}

/// What somebody else wrote into the database is an error, not a panic.
async fn damaged(database: Database) {
    let store = open(&database);
    let vendor = store.record(base).await.unwrap().1.id;
    for (column, broken) in [("contacts", "[{"), ("tier", "grave"), ("country", "Germany"), ("contacts", "{\"a\":1}"), ("owner", "x")] {
        let (vendor, sql) = (vendor.clone(), format!("UPDATE vendors SET {column} = '{broken}'"));
        super::migrations::disturb(&database.url, &sql);
        let read = store.read(move |tx| vendors::find(tx, &vendor)).await;
        assert_eq!(read, Err(StoreError::Damaged("vendor")), "{column}");
    }
}
