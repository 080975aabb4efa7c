//! Treats batches in parallel while the scan reads on, and hands them out in the order they came.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};
use futures::StreamExt;

use super::udf;

/// Lets every projection that treats run up to `threads` batches at once.
pub(super) fn run_ahead(plan: Arc<dyn ExecutionPlan>, threads: usize) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        let ahead = node.downcast_ref::<ProjectionExec>().filter(|projection| treats(projection)).map(|projection| AheadExec {
            input: Arc::clone(projection.input()),
            columns: projection.expr().into(),
            properties: Arc::clone(projection.properties()),
            threads,
        });
        Ok(match ahead {
            Some(ahead) => Transformed::yes(Arc::new(ahead) as Arc<dyn ExecutionPlan>),
            None => Transformed::no(node),
        })
    })
    .data()
}

fn treats(projection: &ProjectionExec) -> bool {
    projection.expr().iter().any(|column| {
        let treats = |expression: &Arc<dyn PhysicalExpr>| {
            Ok(expression.downcast_ref::<ScalarFunctionExpr>().is_some_and(|function| udf::is_ours(function.fun())))
        };
        column.expr.exists(treats).unwrap_or(false)
    })
}

/// A projection whose batches are computed side by side.
#[derive(Debug, Clone)]
struct AheadExec {
    input: Arc<dyn ExecutionPlan>,
    columns: Arc<[ProjectionExpr]>,
    properties: Arc<PlanProperties>,
    threads: usize,
}

impl DisplayAs for AheadExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AheadExec: threads={}", self.threads)
    }
}

impl ExecutionPlan for AheadExec {
    fn name(&self) -> &'static str {
        "AheadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(&self, visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        for column in self.columns.iter() {
            if visit(&column.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self { input, ..Self::clone(&self) })),
            Err(_) => Err(DataFusionError::Internal("a projection has one input".to_owned())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (columns, schema) = (Arc::clone(&self.columns), self.schema());
        let treated = input
            .map(move |batch| {
                let (columns, schema) = (Arc::clone(&columns), Arc::clone(&schema));
                SpawnedTask::spawn(async move { project(&batch?, &columns, schema) })
            })
            .buffered(self.threads.saturating_add(1))
            .map(|treated| treated.unwrap_or_else(|_| Err(DataFusionError::Internal("a treatment died".to_owned()))));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), treated)))
    }
}

fn project(batch: &RecordBatch, columns: &[ProjectionExpr], schema: SchemaRef) -> Result<RecordBatch> {
    let arrays = columns.iter().map(|column| column.expr.evaluate(batch)?.into_array(batch.num_rows())).collect::<Result<_>>()?;
    Ok(RecordBatch::try_new(schema, arrays)?)
}
