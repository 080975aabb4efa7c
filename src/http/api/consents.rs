//! Consent, objection, restriction, opt-out: taken from a consent platform, one by one or by the file.

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppError;
use crate::app::consents::{self, Imported, LineFormat, Report, Taken};
use crate::domain::consent::Signal;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::http::error::Problem;
use crate::http::guard::{Allowed, ManageConsent, Read};
use crate::http::input::{Json, Query, Streamed, content_type};

use super::{Answer, List, Tidegate, invalid, shown};

/// One record, and the subject domain that the person's key belongs to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordConsent {
    #[schema(value_type = String)]
    domain: Slug,
    #[serde(rename = "event")]
    report: Report,
}

/// What became of a record.
#[derive(Serialize, ToSchema)]
pub struct RecordedConsent {
    outcome: Taken,
    /// The number of the last record that is kept: a release whose watermark is not lower has seen this one.
    watermark: i64,
}

/// Record what a person said. Sent again it is kept once.
#[utoipa::path(post, path = "/api/v1/consents", tag = "consent", security(("staff" = [])), request_body = RecordConsent, responses((status = 200, body = RecordedConsent), (status = "4XX", body = Problem)))]
pub async fn record(request: HttpRequest, app: Tidegate, by: Allowed<ManageConsent>, body: Json<RecordConsent>) -> Answer {
    let RecordConsent { domain, report } = body.0;
    let recorded = consents::record(&app, by.actor(), domain, vec![report]).await.and_then(|recorded| {
        let watermark = recorded.watermark;
        let taken = recorded.taken.into_iter().next().ok_or_else(|| AppError::Internal("a record was lost".to_owned()))?;
        Ok(RecordedConsent { outcome: taken.map_err(|error| error.within("event"))?, watermark })
    });
    shown(&request, recorded)
}

/// Which domain the keys of a file belong to.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    domain: String,
}

/// Record a file: one JSON object a line (application/x-ndjson) or text/csv with a header. Lines that can't be taken are
/// told, the others are kept; a file that broke off is sent again whole.
#[utoipa::path(post, path = "/api/v1/consents/import", tag = "consent", security(("staff" = [])), params(ImportQuery), request_body(content = String, content_type = "application/x-ndjson"), responses((status = 200, body = Imported), (status = "4XX", body = Problem)))]
pub async fn import(request: HttpRequest, app: Tidegate, by: Allowed<ManageConsent>, query: Query<ImportQuery>, file: Streamed) -> Answer {
    let domain = query.0.domain.parse::<Slug>().map_err(|error| invalid(&request, error.within("domain")))?;
    let format = match content_type(&request).as_str() {
        "application/x-ndjson" | "application/jsonl" => LineFormat::Ndjson,
        "text/csv" => LineFormat::Csv,
        _ => {
            let reason = "must be application/x-ndjson or text/csv";
            return Err(invalid(&request, crate::domain::Invalid::new("content-type", reason)));
        }
    };
    shown(&request, consents::import(&app, by.actor(), domain, format, file.pieces()).await)
}

/// Whom to look up: in the body, since addresses are kept in logs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUp {
    #[schema(value_type = String)]
    domain: Slug,
    /// The key of the person, as the sources of the domain write it.
    subject: String,
}

/// What is known of one person.
#[derive(Serialize, ToSchema)]
pub struct KnownSubject {
    standing: Vec<StandingSignal>,
    records: Vec<KeptRecord>,
}

/// What counts on one matter.
#[derive(Serialize, ToSchema)]
pub struct StandingSignal {
    signal: Signal,
    #[schema(value_type = Option<String>)]
    purpose: Option<Slug>,
    stands: bool,
    #[schema(value_type = String)]
    event_time: Instant,
    #[schema(value_type = Option<String>)]
    ends_at: Option<Instant>,
}

/// A record as it is kept.
#[derive(Serialize, ToSchema)]
pub struct KeptRecord {
    record: String,
    signal: Signal,
    #[schema(value_type = Option<String>)]
    purpose: Option<Slug>,
    stands: bool,
    #[schema(value_type = String)]
    event_time: Instant,
    #[schema(value_type = Option<String>)]
    ends_at: Option<Instant>,
    #[schema(value_type = String)]
    recorded_at: Instant,
    notice: Option<String>,
    channel: Option<String>,
    jurisdiction: Option<String>,
    watermark: i64,
}

impl From<consents::Known> for KnownSubject {
    fn from(known: consents::Known) -> Self {
        let standing = known.standing.into_iter().map(|(signal, purpose, standing)| StandingSignal {
            signal,
            purpose,
            stands: standing.stands,
            event_time: standing.event_at,
            ends_at: standing.ends_at,
        });
        let records = known.records.into_iter().map(|kept| KeptRecord {
            record: kept.record.record.to_string(),
            signal: kept.record.matter.signal,
            purpose: kept.record.matter.purpose,
            stands: kept.record.stands,
            event_time: kept.record.event_at,
            ends_at: kept.record.ends_at,
            recorded_at: kept.recorded_at,
            notice: kept.record.notice.map(String::from),
            channel: kept.record.channel.map(String::from),
            jurisdiction: kept.record.jurisdiction.map(String::from),
            watermark: kept.watermark,
        });
        Self { standing: standing.collect(), records: records.collect() }
    }
}

/// Look one person up by their key.
#[utoipa::path(post, path = "/api/v1/consents/look-up", tag = "consent", security(("staff" = [])), request_body = LookUp, responses((status = 200, body = KnownSubject), (status = "4XX", body = Problem)))]
pub async fn look_up(request: HttpRequest, app: Tidegate, by: Allowed<ManageConsent>, body: Json<LookUp>) -> Answer {
    shown(&request, consents::look_up(&app, by.actor(), body.0.domain, body.0.subject).await.map(KnownSubject::from))
}

/// How many persons there are on one matter.
#[derive(Serialize, ToSchema)]
pub struct ConsentCount {
    #[schema(value_type = String)]
    domain: Slug,
    signal: Signal,
    #[schema(value_type = Option<String>)]
    purpose: Option<Slug>,
    /// Persons of whom anything is known.
    subjects: i64,
    /// Persons for whom it stands.
    standing: i64,
}

/// The counts per domain, purpose and signal.
#[utoipa::path(get, path = "/api/v1/consents/counts", tag = "consent", security(("staff" = [])), responses((status = 200, body = List<ConsentCount>), (status = "4XX", body = Problem)))]
pub async fn counts(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let count = |counted: consents::Counted| ConsentCount {
        domain: counted.domain,
        signal: counted.signal,
        purpose: counted.purpose,
        subjects: counted.subjects,
        standing: counted.standing,
    };
    shown(&request, consents::counts(&app).await.map(|counts| List::whole(counts.into_iter().map(count).collect())))
}
