//! Cataloguing a table in three steps: where it lies, which table, and what its fields are. Each step stands in the
//! address, so that it can be gone back to.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::catalogue::{self, Cataloguing, FoundFiles, SourceLine};
use crate::app::{App, AppError, vocabulary};
use crate::domain::Invalid;
use crate::domain::dataset::{DiscoveredTable, Source, SourceLocation};
use crate::domain::id::SourceId;
use crate::domain::text::{FieldName, Line, Name, Slug};
use crate::http::api::Tidegate;
use crate::http::guard::ManageCatalogue;
use crate::policy::Denied;

use super::super::answer::render;
use super::super::error::Wire;
use super::super::fields::{self, FieldRow};
use super::super::form::Typed;
use super::super::guard::{Saved, Sent, Visitor, wanted};
use super::super::lead::{see_other, see_other_saying};
use super::super::page::{Frame, Section};
use super::super::parts::{Choice, Crumb, Progress, Step};
use super::super::upload::SentFile;
use super::super::words;
use super::{Answer, asked, crumb, next_part};

type By = Visitor<ManageCatalogue>;

/// What the fields of the first step are called.
pub const LABELS: &[(&str, &str)] =
    &[("name", "Name of the source"), ("file", "File"), ("kind", "Kind"), ("delimiter", "Separator"), ("path", "File")];

/// Sources on a page.
const ROWS: usize = 25;

#[derive(Template)]
#[template(path = "datasets/new.html")]
struct SourcesPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    steps: Vec<Step>,
    rows: Vec<SourceLine>,
    next: String,
}

#[derive(Template)]
#[template(path = "datasets/upload.html")]
struct UploadPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    steps: Vec<Step>,
    typed: Typed,
    kinds: Vec<Choice>,
    delimiters: Vec<Choice>,
    most: String,
}

#[derive(Template)]
#[template(path = "datasets/file.html")]
struct FilePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    steps: Vec<Step>,
    typed: Typed,
    found: FoundFiles,
    files: Vec<Choice>,
    delimiters: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "datasets/table.html")]
struct TablePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    steps: Vec<Step>,
    source: Source,
    tables: Vec<(DiscoveredTable, String)>,
}

#[derive(Template)]
#[template(path = "datasets/fields.html")]
struct FieldsPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    steps: Vec<Step>,
    form: FieldsForm,
    source: Source,
    table: String,
    typed: Typed,
}

/// What the form of fields needs, here and where a dataset is edited.
pub(super) struct FieldsForm {
    pub rows: Vec<FieldRow>,
    pub classes: Vec<Choice>,
    pub categories: Vec<Choice>,
    pub keys: Vec<Choice>,
    pub domains: Vec<Choice>,
    labels: Vec<(String, String)>,
    /// Where the class of all open rows is set.
    pub fill: String,
}

impl FieldsForm {
    pub(super) async fn new(app: &App, rows: Vec<FieldRow>, fill: String) -> Result<Self, AppError> {
        let domain = |(name, logical): (Slug, crate::domain::dataset::LogicalType)| {
            Choice::new(name.as_str(), format!("{name} (keys are of type {})", crate::policy::words::logical(logical)))
        };
        let domains = catalogue::subject_domains(app).await?.into_iter().map(domain).collect();
        let categories = fields::categories(&rows, &vocabulary::load(app).await?);
        let (keys, labels) = (fields::keys(&rows), fields::labels(&rows));
        Ok(Self { rows, classes: fields::classes(), categories, keys, domains, labels, fill })
    }

    /// Whether some field waits for a steward to confirm what is suggested.
    pub(super) fn has_open(&self) -> bool {
        self.rows.iter().any(FieldRow::is_open)
    }

    /// Names and labels, for the summary of what is wrong.
    pub(super) fn labels(&self) -> Vec<(&str, &str)> {
        self.labels.iter().map(|(name, label)| (name.as_str(), label.as_str())).collect()
    }
}

impl UploadPage {
    fn taken(&self) -> String {
        format!("CSV with a header line, Parquet, NDJSON or SQLite, at most {}.", self.most)
    }
}

/// The steps, of which the one at a place is under way.
pub(super) fn steps(at: usize) -> Vec<Step> {
    let step = |(place, label): (usize, &str)| Step {
        label: label.to_owned(),
        progress: match place.cmp(&at) {
            std::cmp::Ordering::Less => Progress::Done,
            std::cmp::Ordering::Equal => Progress::Current,
            std::cmp::Ordering::Greater => Progress::Later,
        },
        href: if place < at && place == 0 { "/datasets/new".to_owned() } else { String::new() },
    };
    ["Where the rows lie", "Which table", "What its fields are"].into_iter().enumerate().map(step).collect()
}

pub(super) fn up() -> Vec<Crumb> {
    vec![crumb(), Crumb { href: "/datasets/new".to_owned(), label: "Add a dataset".to_owned() }]
}

pub(super) fn delimiters() -> Vec<Choice> {
    vec![Choice::new("semicolon", "Semicolon"), Choice::new("tab", "Tab"), Choice::new("bar", "Vertical bar")]
}

/// The separator that was chosen; a comma where none was.
pub(super) fn delimiter(typed: &Typed) -> Option<char> {
    match typed.value("delimiter") {
        "semicolon" => Some(';'),
        "tab" => Some('\t'),
        "bar" => Some('|'),
        _ => None,
    }
}

/// The first step: a source that is there already, or the way to a new one.
pub async fn sources(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let asked = asked(&request);
    let after = asked.value("after").parse::<SourceId>().ok();
    let (rows, next) = by.want(&request, catalogue::source_page(&app, after, ROWS).await)?;
    let next = next_part("/datasets/new", &asked, &[], next.map(|id| id.to_string()));
    let frame = by.frame(&request, "Add a dataset", Section::Datasets);
    Ok(render(&request, StatusCode::OK, &SourcesPage { frame, crumbs: vec![crumb()], steps: steps(0), rows, next }))
}

/// The form that takes a file.
pub async fn upload(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    Ok(upload_page(&request, &app, &by, StatusCode::OK, Typed::default()))
}

fn upload_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> HttpResponse {
    let kinds = vec![
        Choice::new("csv", "CSV"),
        Choice::new("parquet", "Parquet"),
        Choice::new("sqlite", "SQLite"),
        Choice::new("ndjson", "NDJSON"),
    ];
    let frame = by.frame(request, "Upload a file", Section::Datasets);
    let most = words::bytes(u64::try_from(app.settings.most_upload_bytes).unwrap_or(u64::MAX));
    render(request, status, &UploadPage { frame, crumbs: up(), steps: steps(0), typed, kinds, delimiters: delimiters(), most })
}

/// Takes a file as a source; nothing of a wrong one stays.
pub async fn take_upload(request: HttpRequest, app: Tidegate, sent: SentFile<ManageCatalogue>) -> Answer {
    let SentFile { by, typed, file } = sent;
    let mut errors = Vec::new();
    let status = file.status();
    let file = file.wanted("file", &mut errors);
    let called = file.as_ref().map(|file| file.name.clone()).unwrap_or_default();
    let name = match typed.value("name") {
        "" if file.is_none() => None,
        "" => called.chars().take(120).collect::<String>().parse::<Name>().ok().or_else(|| wanted(&typed, "name", &mut errors)),
        _ => wanted::<Name>(&typed, "name", &mut errors),
    };
    let kind = kind_of(&typed, &called)
        .map_err(|error| {
            if file.is_some() {
                errors.push(error)
            }
        })
        .ok();
    let (Some(file), Some(name), Some(kind)) = (file, name, kind) else {
        return Ok(upload_page(&request, &app, &by, status, typed.refused(errors)));
    };
    let kind = match catalogue::file_kind(kind, delimiter(&typed)) {
        Ok(kind) => kind,
        Err(error) => return Ok(upload_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error]))),
    };
    match catalogue::upload_source(&app, &by.actor(), name, kind, file.pieces()).await {
        Ok(source) => Ok(see_other(format!("/datasets/new/table?source={}", source.id))),
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let field = if LABELS.iter().any(|(name, _)| *name == error.field) { error.field } else { "file".to_owned() };
            let typed = typed.refused([Invalid::new(field, error.reason)]);
            Ok(upload_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed))
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

/// What kind a file is: as its ending says, which must be what was chosen where something was.
fn kind_of(typed: &Typed, called: &str) -> Result<&'static str, Invalid> {
    let chosen = ["csv", "parquet", "sqlite", "ndjson"].into_iter().find(|kind| *kind == typed.value("kind"));
    match (catalogue::kind_of_ending(called), chosen) {
        (Some(ending), Some(kind)) if ending != kind => Err(Invalid::new("kind", "must be what the ending of the file's name says")),
        (Some(ending @ ("csv" | "parquet" | "sqlite" | "ndjson")), _) => Ok(ending),
        (Some(_), _) => Err(Invalid::new("file", "must be a CSV, Parquet, NDJSON or SQLite file: export it as one of these")),
        (None, Some(kind)) => Ok(kind),
        (None, None) => Err(Invalid::new("kind", "must be chosen: the file's name does not tell it")),
    }
}

/// The files below the source folders.
pub async fn file(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    file_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

async fn file_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let found = by.want(request, catalogue::found_files(app).await)?;
    let choice =
        |file: &catalogue::FoundFile| Choice::new(&file.path, &file.path).hinted(format!("{}, {}", file.kind, words::bytes(file.bytes)));
    let files = found.files.iter().map(choice).collect();
    let frame = by.frame(request, "Take a file from a source folder", Section::Datasets);
    let page = FilePage { frame, crumbs: up(), steps: steps(0), typed, found, files, delimiters: delimiters() };
    Ok(render(request, status, &page))
}

/// Registers a file below a source folder.
pub async fn take_file(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    let Sent { by, typed } = sent;
    let mut errors = Vec::new();
    let path = wanted::<Line>(&typed, "path", &mut errors);
    let last = typed.value("path").rsplit('/').next().unwrap_or_default().to_owned();
    let name = match typed.value("name") {
        "" => last.chars().take(120).collect::<String>().parse::<Name>().ok(),
        _ => wanted::<Name>(&typed, "name", &mut errors),
    };
    let location = path.and_then(|path| location(path, &last, &typed).map_err(|error| errors.push(error)).ok());
    let (Some(name), Some(location), true) = (name, location, errors.is_empty()) else {
        return file_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    match catalogue::add_source(&app, &by.actor(), name, location, None).await {
        Ok(source) => Ok(see_other(format!("/datasets/new/table?source={}", source.id))),
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let field = if error.field == "delimiter" { "delimiter" } else { "path" };
            let typed = typed.refused([Invalid::new(field, error.reason)]);
            file_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

fn location(path: Line, last: &str, typed: &Typed) -> Result<SourceLocation, Invalid> {
    match (catalogue::kind_of_ending(last), delimiter(typed)) {
        (Some("csv"), delimiter) => Ok(SourceLocation::Csv { path, delimiter: delimiter.unwrap_or(','), store: None }),
        (Some("parquet" | "sqlite" | "ndjson"), Some(_)) => {
            Err(Invalid::new("delimiter", "must be left as it is: only CSV files have one"))
        }
        (Some("parquet"), None) => Ok(SourceLocation::Parquet { path, store: None }),
        (Some("ndjson"), None) => Ok(SourceLocation::Ndjson { path, store: None }),
        (Some("sqlite"), None) => Ok(SourceLocation::Sqlite { path }),
        _ => Err(Invalid::new("path", "must be a CSV, Parquet, NDJSON or SQLite file of the list")),
    }
}

async fn source_of(request: &HttpRequest, app: &App, by: &By, typed: &Typed) -> Result<Source, actix_web::Error> {
    let id = typed.value("source").parse::<SourceId>().map_err(|_| by.wire(request, Wire::NotFound))?;
    by.want(request, catalogue::find_source(app, id).await)
}

/// The second step: which table of a source; passed over where there is one.
pub async fn table(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let source = source_of(&request, &app, &by, &asked(&request)).await?;
    let tables = by.want(&request, catalogue::discover(&app, source.id.clone()).await)?;
    if let [only] = tables.as_slice() {
        return Ok(see_other(fields_address(&source, &only.name)));
    }
    let tables = tables.into_iter().map(|table| (fields_address(&source, &table.name), table)).map(|(address, table)| (table, address));
    let frame = by.frame(&request, "Which table?", Section::Datasets);
    let page = TablePage { frame, crumbs: up(), steps: steps(1), tables: tables.collect(), source };
    Ok(render(&request, StatusCode::OK, &page))
}

fn fields_address(source: &Source, table: &str) -> String {
    let query = serde_urlencoded::to_string([("source", source.id.as_str()), ("table", table)]).unwrap_or_default();
    format!("/datasets/new/fields?{query}")
}

/// The third step: each field classed, and the subject mapped. Samples are seen, so that is kept in the history.
pub async fn fields(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let asked = asked(&request);
    let source = source_of(&request, &app, &by, &asked).await?;
    let table = asked.value("table").parse::<FieldName>().map_err(|_| by.wire(&request, Wire::NotFound))?;
    let seen = by.want(&request, catalogue::suggestions(&app, &by.actor(), source.id.clone(), table).await)?;
    let rows: Vec<FieldRow> = seen.columns.iter().map(FieldRow::suggested).collect();
    let table = seen.table.to_string();
    let typed = Typed::default().with("name", suggested_name(&source, &table));
    fields_page(&request, &app, &by, (StatusCode::OK, typed, rows), source, table).await
}

/// The form again, with what was seen of each column: read anew, since no value goes through the form.
async fn fields_again(
    request: &HttpRequest,
    app: &App,
    by: &By,
    shown: (StatusCode, Typed, Vec<FieldRow>),
    source: Source,
    table: String,
) -> Answer {
    let (status, typed, mut rows) = shown;
    if let Ok(name) = table.parse::<FieldName>()
        && let Ok(seen) = catalogue::suggestions(app, &by.actor(), source.id.clone(), name).await
    {
        fields::show_again(&mut rows, &seen.columns);
    }
    fields_page(request, app, by, (status, typed, rows), source, table).await
}

/// A table's name as a dataset's, or the source's where the table's was made up for an uploaded file.
fn suggested_name(source: &Source, table: &str) -> String {
    let from = if table == "rows" { source.name.as_str().rsplit_once('.').map_or(source.name.as_str(), |(stem, _)| stem) } else { table };
    let slug: String = from.to_lowercase().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let slug: String = slug.trim_start_matches(|first: char| !first.is_ascii_lowercase()).trim_end_matches('-').chars().take(63).collect();
    if slug.parse::<Slug>().is_ok() { slug } else { String::new() }
}

async fn fields_page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    shown: (StatusCode, Typed, Vec<FieldRow>),
    source: Source,
    table: String,
) -> Answer {
    let (status, typed, rows) = shown;
    let form = by.want(request, FieldsForm::new(app, rows, "/datasets/new/fields".to_owned()).await)?;
    let frame = by.frame(request, "What are its fields?", Section::Datasets);
    Ok(render(request, status, &FieldsPage { frame, crumbs: up(), steps: steps(2), form, source, table, typed }))
}

/// Sets class and category of all rows that have none yet, or takes all suggestions that were shown, and shows the form
/// again; nothing is kept.
pub async fn fill(request: HttpRequest, app: Tidegate, sent: Saved<ManageCatalogue>) -> Answer {
    let Saved { by, typed } = sent;
    let source = source_of(&request, &app, &by, &typed).await?;
    let mut rows = fields::typed_rows(&typed);
    if typed.has("do", "take-all") {
        fields::confirm_all(&mut rows);
    } else {
        fields::fill_open(&mut rows, typed.value("open_class"), typed.value("open_category"));
    }
    let table = typed.value("table").to_owned();
    fields_again(&request, &app, &by, (StatusCode::OK, typed, rows), source, table).await
}

/// Catalogues the table.
pub async fn catalogue(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    let Sent { by, typed } = sent;
    let source = source_of(&request, &app, &by, &typed).await?;
    let rows = fields::typed_rows(&typed);
    let mut errors = Vec::new();
    let name = wanted::<Slug>(&typed, "name", &mut errors);
    let vocabulary = by.want(&request, vocabulary::load(&app).await)?;
    let read = fields::read(&rows, &typed, &vocabulary, &mut errors);
    let table = typed.value("table").to_owned();
    let (Some(name), Some((fields, subject)), Ok(named)) = (name, read, table.parse::<FieldName>()) else {
        let shown = (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors), rows);
        return fields_again(&request, &app, &by, shown, source, table).await;
    };
    let new = Cataloguing { name, source: source.id.clone(), table: named, fields, subject };
    match catalogue::catalogue(&app, &by.actor(), new).await {
        Ok(dataset) => {
            let said = format!("{} is catalogued. Nothing of it leaves until a permit says so.", dataset.name);
            Ok(see_other_saying(&request, format!("/datasets/{}", dataset.name), &said))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let error = fields::placed(error, &rows);
            fields_again(&request, &app, &by, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error]), rows), source, table).await
        }
        Err(AppError::Taken(_)) => {
            let error = Invalid::new("name", "is taken by another dataset: choose another one");
            fields_again(&request, &app, &by, (StatusCode::CONFLICT, typed.refused([error]), rows), source, table).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}
