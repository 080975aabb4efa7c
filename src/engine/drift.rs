//! How a dataset's columns stand in its source now: by the same look that closes a release over a changed source.

use super::source::Table;
use super::{Engine, EngineError, Shared};
use crate::domain::dataset::{ColumnNow, ColumnState, Dataset, Source};

impl Engine {
    /// The catalogued columns in the dataset's order, then those that only the source has. It reads no rows but those
    /// that tell the types of a CSV file.
    pub async fn columns_now(&self, dataset: Dataset, source: Source) -> Result<Vec<ColumnNow>, EngineError> {
        self.blocking(move |shared| shared.columns_now(&dataset, &source)).await
    }
}

impl Shared {
    fn columns_now(&self, dataset: &Dataset, source: &Source) -> Result<Vec<ColumnNow>, EngineError> {
        let (path, version) = self.locate(&source.location)?;
        let table = self.table(&path, version, &source.location, &dataset.table)?;
        Ok(compared(&table, dataset))
    }
}

fn compared(table: &Table, dataset: &Dataset) -> Vec<ColumnNow> {
    let catalogued = dataset.fields.iter().map(|field| {
        let now = table.logical(field.name.as_str());
        let state = match now {
            None => ColumnState::Gone,
            Some(_) if table.check_field(field).is_ok() => ColumnState::AsCatalogued,
            Some(_) => ColumnState::OtherType,
        };
        // A CSV file's type is a guess from its cells: while the catalogued one still fits, it stands.
        let now = if state == ColumnState::AsCatalogued { Some(field.logical) } else { now };
        ColumnNow { name: field.name.to_string(), catalogued: Some(field.logical), now, state }
    });
    let known = |name: &str| dataset.field(name).is_some();
    let new = table.named().filter(|(name, _)| !known(name)).map(|(name, logical)| ColumnNow {
        name: name.to_owned(),
        catalogued: None,
        now: Some(logical),
        state: ColumnState::New,
    });
    catalogued.chain(new).collect()
}
