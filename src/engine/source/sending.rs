//! Sources that are read by blocking: each scan has a thread of its own, and sends its batches through a bounded channel.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use tokio::sync::mpsc;

/// Where a thread sends its batches; sending fails once the release was dropped.
pub(super) type Batches = mpsc::Sender<Result<RecordBatch>>;

/// The batches that `read` sends. An error that it ends with is sent like a batch, so that it comes after the batches
/// before it; nobody may wait for it any more.
pub(super) fn stream(schema: SchemaRef, read: impl FnOnce(&Batches) -> Result<()> + Send + 'static) -> SendableRecordBatchStream {
    let mut stream = RecordBatchReceiverStreamBuilder::new(schema, 2);
    let sender = stream.tx();
    stream.spawn_blocking(move || {
        if let Err(error) = read(&sender) {
            drop(sender.blocking_send(Err(error)));
        }
        Ok(())
    });
    stream.build()
}
