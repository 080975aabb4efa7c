//! Each read makes the same statements for ten rows as for two hundred: the store counts them.

use std::sync::Arc;

use tidegate::app::lists::{HistoryFilter, HistoryPage, VendorSort};
use tidegate::app::stops::{self, StopOf};
use tidegate::app::vendors::{self, VendorListFilter, VendorListQuery};
use tidegate::app::{App, dashboard, gates, history};
use tidegate::domain::person::{Actor, Role};

use super::Quiet;
use super::seed::{Size, id};
use crate::database::Database;
use crate::harness::beginning;

crate::on_both!(as_many_for_ten_rows_as_for_two_hundred, a_statement_is_counted);

async fn counted<T>(app: &Arc<App>, read: impl Future<Output = T>) -> u64 {
    let before = app.store.statements();
    read.await;
    app.store.statements() - before
}

fn by(role: Role) -> Actor {
    Actor::Person { id: id(1, 2).parse().unwrap(), role }
}

/// Each read by its name, and the statements it made.
async fn all(app: &Arc<App>) -> Vec<(String, u64)> {
    // Each connection of the pool opens itself first, which is not the read's doing.
    let mut found = Vec::new();
    for sort in [VendorSort::Name, VendorSort::Newest, VendorSort::Tier, VendorSort::Review] {
        let query = VendorListQuery { filter: VendorListFilter::default(), sort, after: None, limit: 500 };
        let read = async { assert!(!vendors::overview(app, query).await.unwrap().rows.is_empty()) };
        found.push((format!("vendors by {sort:?}"), counted(app, read).await));
    }
    let csv = vendors::overview_csv(app, VendorListFilter::default(), VendorSort::Name, None);
    found.push(("vendors as CSV".to_owned(), counted(app, async { drop(csv.await.unwrap()) }).await));
    for role in Role::ALL {
        let read = async { drop(dashboard::queue(app, &by(role)).await.unwrap()) };
        found.push((format!("queue of {role:?}"), counted(app, read).await));
    }
    found.push(("counts".to_owned(), counted(app, async { drop(dashboard::counts(app).await.unwrap()) }).await));
    found.push(("activity".to_owned(), counted(app, async { drop(dashboard::activity(app, 30).await.unwrap()) }).await));
    let page = HistoryPage { before: None, limit: 500 };
    let lines = async { assert!(!history::lines(app, HistoryFilter::default(), page).await.unwrap().is_empty()) };
    found.push(("history".to_owned(), counted(app, lines).await));
    found.push(("facets".to_owned(), counted(app, async { drop(history::facets(app, HistoryFilter::default()).await.unwrap()) }).await));
    let (vendor, agreement, permit) = (id(2, 4), id(6, 4), "permit-4");
    let stops = [
        StopOf::Vendor(vendor.parse().unwrap()),
        StopOf::Agreement(agreement.parse().unwrap()),
        StopOf::Permit(permit.parse().unwrap()),
        StopOf::Client(id(7, 4).parse().unwrap()),
    ];
    for of in stops {
        let name = format!("stop of {of:?}");
        found.push((name, counted(app, async { stops::preview(app, of).await.unwrap() }).await));
    }
    let read = async { drop(gates::of_vendor(app, vendor.parse().unwrap()).await.unwrap()) };
    found.push(("gates of a vendor".to_owned(), counted(app, read).await));
    let read = async { drop(gates::of_agreement(app, agreement.parse().unwrap()).await.unwrap()) };
    found.push(("gates of an agreement".to_owned(), counted(app, read).await));
    found
}

async fn as_many_for_ten_rows_as_for_two_hundred(database: Database) {
    let other = if database.is_postgres() { Database::postgres().unwrap() } else { Database::sqlite() };
    let few = Quiet::seeded(database, Size { vendors: 10, entries: 10 }, beginning()).await;
    let many = Quiet::seeded(other, Size { vendors: 200, entries: 200 }, beginning()).await;
    // Twice: the first round opens connections, and PostgreSQL prepares what it keeps.
    for app in [&few.app, &many.app] {
        all(app).await;
    }
    let (few, many) = (all(&few.app).await, all(&many.app).await);
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!("{name}: {few}");
        assert_eq!(few, many, "{name}: 10 rows took {few} statements, 200 rows {many}");
        assert!(*few > 0 && *few <= 25, "{name}: {few} statements");
    }
}

async fn a_statement_is_counted(database: Database) {
    let quiet = Quiet::open(database, beginning()).await;
    let store = &quiet.app.store;
    let head = |tx: &mut tidegate::store::Tx| tidegate::store::history::head(tx);
    store.read(head).await.unwrap();
    let before = store.statements();
    store.read(head).await.unwrap();
    let one = store.statements() - before;
    store.read(move |tx| (0..5).try_for_each(|_| head(tx).map(drop))).await.unwrap();
    assert_eq!(store.statements() - before, 2 * one + 4, "four statements more in one transaction");
    let before = store.statements();
    store.record(move |tx| head(tx)).await.unwrap();
    assert!(store.statements() > before, "the writer's statements count too");
}
