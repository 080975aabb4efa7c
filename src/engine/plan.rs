//! A plan's [`Shape`] as a DataFusion plan, in the one order there is: scan, permit's condition, treatments, vendor's
//! filter, order, skip and limit, select. Above the treatments no raw column exists.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowFrame, WindowFrameBound, WindowFrameUnits, lit,
};
use datafusion::scalar::ScalarValue;

use super::source::Scan;
use super::treat::{Kernel, SubjectKey};
use super::udf::{Work, call, call_here, call_with_subject};
use super::{EngineError, Release, Secrets, compare, read};
use crate::domain::condition::{Comparison, Test};
use crate::domain::dataset::{Dataset, LogicalType};
use crate::domain::text::FieldName;
use crate::policy::release::{Column as Released, Shape};

/// The name of a row's subject hash within the plan. Field names hold no control characters, so these never meet one.
const SUBJECT: &str = "\u{1}subject";
const ROW: &str = "\u{1}row";

/// The plan, and what stands where in its rows.
pub(super) struct Compiled {
    pub(super) plan: LogicalPlan,
    pub(super) layout: Layout,
}

/// The columns of the plan's rows: first the released ones, then the subject's hash, then the flags.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Arrow types of the released columns, in the order of the answer.
    pub(super) released: Vec<DataType>,
    /// For each released column whether a flag says where the source had a value.
    pub(super) flagged: Vec<bool>,
}

/// Builds the plan over a scan.
pub(super) fn compile(release: &Release, scan: &Scan) -> Result<Compiled, EngineError> {
    let Release { shape: plan, secrets, window, admission } = release;
    let treated = plan.columns().iter().map(|column| treat(column, plan.dataset(), scan, secrets)).collect::<Result<Vec<_>, _>>()?;
    let subject_type = plan.dataset().subject_type().ok_or_else(gone)?;
    let subject = Work::Subject(Box::new(SubjectKey::new(&secrets.ledger, subject_type)));
    let key = raw(&plan.dataset().subject.field);

    let mut rows = LogicalPlanBuilder::scan("source", provider_as_source(scan.provider.clone()), None).map_err(EngineError::from)?;
    for part in plan.condition() {
        let tests = part.comparisons().iter().map(|comparison| holds(comparison, plan.dataset(), scan));
        rows = rows.filter(compare::any(tests.collect::<Result<_, _>>()?)?)?;
    }
    let subject = match admission {
        None => call(subject, key),
        Some(admission) => {
            // The hash that is asked about is the one that the ledger keeps: it is computed once.
            let kept = scan.provider.schema().fields().iter().map(|field| named(field.name())).collect::<Vec<_>>();
            rows = rows.project(kept.into_iter().chain([call_here(subject, key).alias(SUBJECT)]))?;
            rows = rows.filter(call_here(Work::Admit(Arc::clone(admission)), named(SUBJECT)))?;
            named(SUBJECT)
        }
    };
    if !plan.order().is_empty() {
        // Rows that compare equal keep the source's order, so that pages neither repeat nor lose one.
        let so_far = WindowFrame::new_bounds(
            WindowFrameUnits::Rows,
            WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
            WindowFrameBound::CurrentRow,
        );
        rows = rows.window([row_number().window_frame(so_far).build()?.alias(ROW)])?;
    }
    rows = rows.project(projection(plan, &treated, subject))?;
    for comparison in plan.filter() {
        let at = plan.columns().iter().position(|column| column.field.name == comparison.field).ok_or_else(gone)?;
        let held = &treated.get(at).ok_or_else(gone)?.held;
        rows = rows.filter(compare::matches(&named(&value_name(at)), held, &comparison.test)?)?;
    }
    if !plan.order().is_empty() {
        let keys = plan.order().iter().map(|key| named(&value_name(key.at)).sort(!key.descending, key.nulls_first));
        rows = rows.sort(keys.chain([named(ROW).sort(true, true)]))?;
    }
    if window.skip > 0 || window.limit.is_some() {
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        rows = rows.limit(count(window.skip), window.limit.map(count))?;
    }
    let (plan, layout) = select(rows, plan, &treated)?;
    Ok(Compiled { plan, layout })
}

/// Whether a comparison of the permit's condition holds for a raw row.
fn holds(comparison: &Comparison, dataset: &Dataset, scan: &Scan) -> Result<Expr, EngineError> {
    let logical = dataset.field(comparison.field.as_str()).ok_or_else(gone)?.logical;
    let held = scan.held(&comparison.field).ok_or_else(gone)?;
    let (column, held) = readable(raw(&comparison.field), held, logical)?;
    match comparison.test {
        // A value that can't be read is no NULL: a condition such as `objected_at is null` must not let it through.
        Test::Null => Ok(Expr::Not(Box::new(scan.present(&comparison.field)))),
        Test::NotNull | Test::Compare(..) | Test::AnyOf(_) => compare::matches(&column, &held, &comparison.test),
    }
}

/// A column of the permit, treated.
struct Treated {
    value: Expr,
    held: DataType,
    /// True where the source had a value; none for a constant, which always has one.
    present: Option<Expr>,
}

fn treat(column: &Released, dataset: &Dataset, scan: &Scan, secrets: &Secrets) -> Result<Treated, EngineError> {
    let held = scan.held(&column.field.name).ok_or_else(gone)?;
    let key = column.key.as_ref().and_then(|label| secrets.treatment.get(label));
    let subject_type = dataset.subject_type().ok_or_else(gone)?;
    let hierarchy = column.treatment.hierarchy().and_then(|(name, _)| secrets.hierarchies.get(&name));
    let kernel = Kernel::new(&column.treatment, column.field.logical, subject_type, key, hierarchy)?.ok_or_else(gone)?;
    if let Some(value) = kernel.constant() {
        return Ok(Treated { value: lit(value.clone()), held: value.data_type(), present: None });
    }
    let released = kernel.released_type(held)?;
    let source = raw(&column.field.name);
    let value = if kernel.passes(held) {
        source
    } else if kernel.needs_subject() {
        // The subject's column is in every scan, since the ledger counts by it, whether or not it is released.
        call_with_subject(Work::Treat(kernel), source, raw(&dataset.subject.field))
    } else {
        call(Work::Treat(kernel), source)
    };
    Ok(Treated { value, held: released, present: Some(scan.present(&column.field.name)) })
}

fn projection(plan: &Shape, treated: &[Treated], subject: Expr) -> Vec<Expr> {
    let wanted = |at: usize| {
        let filtered =
            plan.filter().iter().any(|comparison| plan.columns().get(at).is_some_and(|column| column.field.name == comparison.field));
        filtered || plan.selected().contains(&at) || plan.order().iter().any(|key| key.at == at)
    };
    let mut columns = vec![subject.alias(SUBJECT)];
    if !plan.order().is_empty() {
        columns.push(named(ROW));
    }
    for (at, column) in treated.iter().enumerate().filter(|(at, _)| wanted(*at)) {
        columns.push(column.value.clone().alias(value_name(at)));
        if let (true, Some(present)) = (plan.selected().contains(&at), &column.present) {
            columns.push(present.clone().alias(flag_name(at)));
        }
    }
    columns
}

fn select(rows: LogicalPlanBuilder, plan: &Shape, treated: &[Treated]) -> Result<(LogicalPlan, Layout), EngineError> {
    let selected = plan.selected();
    let flagged = |at: &usize| treated.get(*at).is_some_and(|column| column.present.is_some());
    let values = selected.iter().map(|at| named(&value_name(*at)));
    let flags = selected.iter().filter(|at| flagged(at)).map(|at| named(&flag_name(*at)));
    let answer = rows.project(values.chain([named(SUBJECT)]).chain(flags).collect::<Vec<_>>())?.build()?;
    let released = selected.iter().map(|at| treated.get(*at).map(|column| column.held.clone()).ok_or_else(gone));
    let layout = Layout { released: released.collect::<Result<_, _>>()?, flagged: selected.iter().map(flagged).collect() };
    Ok((answer, layout))
}

/// A raw column for comparing: as it is where the source holds it in its treated type, else read.
fn readable(column: Expr, held: &DataType, logical: LogicalType) -> Result<(Expr, DataType), EngineError> {
    let unsupported = EngineError::unsupported("the source does not hold this type in a form that can be compared");
    let treated = read::treated_type(held, logical).ok_or(unsupported)?;
    if &treated == held { Ok((column, treated)) } else { Ok((call(Work::Read(logical), column), treated)) }
}

/// A column by its exact name: nothing is folded to lower case or split at dots.
fn named(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn raw(field: &FieldName) -> Expr {
    named(field.as_str())
}

fn value_name(at: usize) -> String {
    format!("\u{1}value {at}")
}

fn flag_name(at: usize) -> String {
    format!("\u{1}present {at}")
}

fn gone() -> EngineError {
    EngineError::Drift("a column is gone".to_owned())
}
