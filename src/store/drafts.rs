//! Draft versions with all that tells whether they lack something, in a fixed number of statements.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::agreement::{Agreement, AgreementVersion};
use crate::domain::evidence::Evidence;
use crate::domain::vendor::Vendor;

use super::error::StoreError;
use super::raw::Raw;
use super::{Tx, agreements, evidence, vendors};

/// A draft and what its rules look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub agreement: Agreement,
    pub version: AgreementVersion,
    pub vendor: Vendor,
    pub papers: Vec<Evidence>,
    /// Permits that are not ended, with a revision that is in force or proposed.
    pub permits: usize,
}

/// The oldest drafts of agreements that have not ended.
pub fn oldest(tx: &mut Tx, limit: i64) -> Result<Vec<Draft>, StoreError> {
    let versions = agreements::drafts(tx, limit)?;
    let ids: Vec<String> = versions.iter().map(|(agreement, _)| agreement.vendor.to_string()).collect();
    let vendors: BTreeMap<_, _> = vendors::list_by_ids(tx, &ids)?.into_iter().map(|vendor| (vendor.id.clone(), vendor)).collect();
    let mut papers: BTreeMap<_, Vec<Evidence>> = BTreeMap::new();
    for paper in evidence::list_by_vendors(tx, &ids)? {
        papers.entry(paper.vendor.clone()).or_default().push(paper);
    }
    let permits = living(tx, versions.iter().map(|(agreement, _)| agreement.id.to_string()))?;
    let draft = |(agreement, version): (Agreement, AgreementVersion)| {
        let vendor = vendors.get(&agreement.vendor)?.clone();
        let papers = papers.get(&agreement.vendor).cloned().unwrap_or_default();
        let permits = permits.get(agreement.id.as_str()).copied().unwrap_or(0);
        Some(Draft { agreement, version, vendor, papers, permits })
    };
    Ok(versions.into_iter().filter_map(draft).collect())
}

fn living(tx: &mut Tx, agreements: impl Iterator<Item = String>) -> Result<BTreeMap<String, usize>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        agreement: String,
        #[diesel(sql_type = BigInt)]
        permits: i64,
    }
    let rows: Vec<Row> = Raw::new("SELECT p.agreement AS agreement, count(DISTINCT p.key) AS permits")
        .sql("FROM permits p JOIN permit_revisions r ON r.permit = p.key")
        .sql("WHERE p.ended_at IS NULL AND r.status IN ('proposed', 'in_force') AND p.agreement")
        .among(agreements)
        .sql("GROUP BY p.agreement")
        .load(tx)?;
    Ok(rows.into_iter().map(|row| (row.agreement, usize::try_from(row.permits).unwrap_or(0))).collect())
}
