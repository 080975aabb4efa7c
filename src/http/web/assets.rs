//! The front-end files inside the binary: each under a URL that bears its hash, so a browser may keep it for ever.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, VARY};
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::answer::takes_gzip;
use crate::http::error::HttpError;

/// Our own files: `app.css`, `app.js`, `theme.js`, `mark.svg`.
#[derive(rust_embed::Embed)]
#[folder = "static/own/"]
struct Own;

/// Files of others, pinned by `static/vendor.sh`, with their licences.
#[derive(rust_embed::Embed)]
#[folder = "static/vendor/"]
#[prefix = "vendor/"]
struct Vendored;

/// One file, as it is served.
struct Asset {
    bytes: Cow<'static, [u8]>,
    hash: String,
    url: String,
    kind: &'static str,
    /// Compressed when first asked for; none where that saves nothing.
    gzip: OnceLock<Option<Vec<u8>>>,
}

/// Every file, by its path below `static/own` or, with `vendor/` before it, below `static/vendor`.
static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let own = Own::iter().filter_map(|path| Own::get(&path).map(|file| (path, file)));
    let vendored = Vendored::iter().filter_map(|path| Vendored::get(&path).map(|file| (path, file)));
    own.chain(vendored).map(|(path, file)| (path.to_string(), asset(&path, file))).collect()
});

fn asset(path: &str, file: rust_embed::EmbeddedFile) -> Asset {
    let hash: String = file.metadata.sha256_hash().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Asset { url: format!("/static/{hash}/{path}"), hash, kind: kind(path), bytes: file.data, gzip: OnceLock::new() }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

impl Asset {
    fn compressed(&self) -> Option<&[u8]> {
        self.gzip.get_or_init(|| gzip(&self.bytes, Compression::best()).filter(|small| small.len() < self.bytes.len())).as_deref()
    }
}

/// The bytes as gzip; `None` where they can't be compressed.
pub(super) fn gzip(bytes: &[u8], level: Compression) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), level);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// The URL of a file, such as `/static/0123456789ab/app.css` for `app.css`. A file that is not there has a URL that
/// answers 404; a test looks for such names in the templates.
pub fn url(path: &str) -> &'static str {
    ASSETS.get(path).map_or("/static/missing", |asset| asset.url.as_str())
}

/// Every file's path and URL.
pub fn list() -> impl Iterator<Item = (&'static str, &'static str)> {
    ASSETS.iter().map(|(path, asset)| (path.as_str(), asset.url.as_str()))
}

/// A file under its hash; any other hash is answered 404, so nothing stale or guessed is ever cached.
pub async fn serve(request: HttpRequest, path: web::Path<(String, String)>) -> Result<HttpResponse, HttpError> {
    let (hash, path) = path.into_inner();
    let Some(asset) = ASSETS.get(&path).filter(|asset| asset.hash == hash) else {
        let detail = "There is no such file; read the page again to get the current ones.";
        return Err(HttpError::wire(&request, StatusCode::NOT_FOUND, "not-found", detail));
    };
    let mut response = HttpResponse::Ok();
    response
        .content_type(asset.kind)
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"));
    Ok(match asset.compressed().filter(|_| takes_gzip(request.headers())) {
        Some(small) => response.insert_header((CONTENT_ENCODING, "gzip")).body(small),
        None => response.body(asset.bytes.clone()),
    })
}
