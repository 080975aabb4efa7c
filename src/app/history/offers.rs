//! What the filters of the history offer to choose from: bounded, however many vendors there are; a name finds the rest.

use crate::domain::vocabulary::Vocabulary;
use crate::store::{names, vocabulary};

use super::super::{App, AppError};

/// Vendors whose names are suggested while one is typed; any other is found by its name all the same.
const MOST_VENDORS: i64 = 200;
/// People and datasets that are listed.
const MOST_LISTED: i64 = 500;

/// A vendor that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// None was asked for.
    Any,
    Found {
        id: String,
        name: String,
    },
    /// Nobody bears that name or id.
    Nobody,
}

/// What there is to choose from: pairs of id and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    pub vendors: Vec<(String, String)>,
    pub people: Vec<(String, String)>,
    pub datasets: Vec<String>,
    pub vocabulary: Vocabulary,
    pub sought: Sought,
}

/// What there is to choose from, and the vendor that was asked for by its id or its legal name, case and spaces aside.
pub async fn offers(app: &App, vendor: &str) -> Result<Offers, AppError> {
    let key = vendor.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    app.store
        .read(move |tx| {
            let sought = match key.as_str() {
                "" => Sought::Any,
                key => names::vendor_called(tx, key)?.map_or(Sought::Nobody, |(id, name)| Sought::Found { id, name }),
            };
            Ok(Offers {
                vendors: names::first_vendors(tx, MOST_VENDORS)?,
                people: names::first_people(tx, MOST_LISTED)?,
                datasets: names::first_datasets(tx, MOST_LISTED)?.into_iter().map(|(_, name)| name).collect(),
                vocabulary: vocabulary::load(tx)?,
                sought,
            })
        })
        .await
}
