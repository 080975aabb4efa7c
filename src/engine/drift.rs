//! How a dataset's columns stand in its source now: by the same look that closes a release over a changed source.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use super::source::Table;
use super::{Access, Engine, EngineError};
use crate::domain::dataset::{ColumnNow, ColumnState, Field, LogicalType};
use crate::domain::text::FieldName;

impl Engine {
    /// The fields in their order, then the columns that only the source has. It reads no rows but those that tell the types
    /// of a source without declared ones. With them comes a digest, the same as long as all of this is the same: rows may
    /// come and go meanwhile, since they are no difference that anybody confirms.
    pub async fn columns_now(
        &self,
        access: &Access,
        table: FieldName,
        fields: Vec<Field>,
    ) -> Result<(Vec<ColumnNow>, String), EngineError> {
        let access = access.clone();
        self.running(async move |shared| {
            let (reached, version) = shared.reach(&access, Some(&table)).await?;
            let table = shared.table(&reached, &version, &access.location, &table).await?;
            let columns = compared(&table, &fields);
            let seen = seen(&columns);
            Ok((columns, seen))
        })
        .await
    }
}

fn seen(columns: &[ColumnNow]) -> String {
    let mut whole = Vec::new();
    for column in columns {
        // No name holds a control character, so none can pass for another column.
        let [catalogued, now] = [column.catalogued, column.now].map(|logical| logical.map_or("", LogicalType::key));
        whole.extend_from_slice(format!("{}\u{1}{}\u{1}{}\u{1}{:?}\n", column.name, catalogued, now, column.state).as_bytes());
    }
    HEXLOWER.encode(digest(&SHA256, &whole).as_ref())
}

fn compared(table: &Table, fields: &[Field]) -> Vec<ColumnNow> {
    let catalogued = fields.iter().map(|field| {
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
    let known = |name: &str| fields.iter().any(|field| field.name.as_str() == name);
    let new = table.named().filter(|(name, _)| !known(name)).map(|(name, logical)| ColumnNow {
        name: name.to_owned(),
        catalogued: None,
        now: Some(logical),
        state: ColumnState::New,
    });
    catalogued.chain(new).collect()
}
