//! Forms with a file: nothing of a file is read before its sender may send it, and never more than the house takes.

use std::future::Future;
use std::pin::Pin;

use actix_multipart::{Field, Multipart};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::{Error, FromRequest, HttpRequest};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use crate::app::AppError;
use crate::domain::Invalid;
use crate::http::guard::{Grant, app_of};
use crate::http::input::content_type;

use super::error::{WebError, Wire};
use super::form::{self, Typed};
use super::guard::{Visitor, admit, check_origin};
use super::once;
use super::words;

/// Says that an answer of no success shows the form again whole, so that a script that sent it shows that.
pub const AGAIN: HeaderName = HeaderName::from_static("x-form");
/// The most bytes of what is typed beside a file.
const MOST_TYPED: usize = 1024 * 1024;
/// What each part costs besides its name and value, so that many empty ones are too much as well.
const PART: usize = 64;
/// The most letters of a file's name that are kept.
const MOST_NAME: usize = 200;
/// How many times the limit is read and thrown away, so that a browser that sends too much gets to read the answer.
const PATIENCE: usize = 4;
/// The bytes that a file is passed on in.
const PIECE: usize = 64 * 1024;

/// A form with a file that a person sent, once. The field `csrf` stands before the file.
pub struct SentFile<P> {
    pub by: Visitor<P>,
    pub typed: Typed,
    pub file: Handed,
}

/// The file of a form.
#[derive(Debug, PartialEq, Eq)]
pub enum Handed {
    /// None was chosen.
    Nothing,
    /// It has more bytes than the house takes; none of them is kept.
    TooLarge {
        most: u64,
    },
    File(File),
}

/// A file as it was chosen.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// As it was called where it comes from, without folders.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Handed {
    /// The status of a page that shows the form again.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Nothing | Self::File(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// The file that a form must have; what is wrong with it is put beside the field.
    pub fn wanted(self, field: &str, errors: &mut Vec<Invalid>) -> Option<File> {
        let said = match self {
            Self::File(file) if !file.bytes.is_empty() => return Some(file),
            Self::File(_) => "must not be empty: choose the file itself, not a shortcut to it".to_owned(),
            Self::Nothing => "must be chosen".to_owned(),
            Self::TooLarge { most } => format!("must not be larger than {}: choose a smaller file, or split it", words::bytes(most)),
        };
        errors.push(Invalid::new(field, said));
        None
    }
}

impl File {
    /// The file piece by piece.
    pub fn pieces(self) -> impl Stream<Item = Result<Bytes, AppError>> + Unpin {
        let mut rest = Bytes::from(self.bytes);
        stream::iter(std::iter::from_fn(move || {
            let next = rest.split_to(rest.len().min(PIECE));
            (!next.is_empty()).then_some(Ok(next))
        }))
    }
}

impl<P: Grant> FromRequest for SentFile<P> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            check_origin(&request)?;
            match content_type(&request).as_str() {
                "multipart/form-data" => take(&request, payload).await,
                // What was typed comes back from a sign-in without its file, which the page then asks for.
                "application/x-www-form-urlencoded" => {
                    let typed = form::read(&request, payload).await?;
                    let (by, typed) = begin(&request, typed).await?;
                    Ok(Self { by, typed, file: Handed::Nothing })
                }
                _ => Err(WebError::wire(&request, None, Wire::MediaType).into()),
            }
        })
    }
}

/// Who may send the form, and has not sent it before.
async fn begin<P: Grant>(request: &HttpRequest, typed: Typed) -> Result<(Visitor<P>, Typed), Error> {
    let (by, typed) = admit(request, typed).await?;
    once::begin(request, typed.value(form::TOKEN)).await?;
    Ok((by, typed))
}

async fn take<P: Grant>(request: &HttpRequest, payload: Payload) -> Result<SentFile<P>, Error> {
    let most = app_of(request)?.settings.most_upload_bytes;
    let mut parts = Parts { request, multipart: Multipart::new(request.headers(), payload), room: MOST_TYPED };
    let mut typed = Typed::default();
    let chosen = parts.up_to_file(&mut typed).await?;
    let (by, mut typed) = match begin(request, typed).await {
        Ok(begun) => begun,
        Err(error) => {
            parts.leave(chosen, most).await;
            return Err(error);
        }
    };
    let mut file = Handed::Nothing;
    let mut next = chosen;
    while let Some(field) = next {
        let received = parts.receive(field, most).await?;
        match (&file, received) {
            (_, Handed::Nothing) => {}
            (Handed::Nothing, received) => file = received,
            (Handed::TooLarge { .. } | Handed::File(_), _) => return Err(parts.unreadable()),
        }
        next = parts.up_to_file(&mut typed).await?;
    }
    Ok(SentFile { by, typed, file })
}

/// The parts of a form as they come in.
struct Parts<'a> {
    request: &'a HttpRequest,
    multipart: Multipart,
    /// Bytes that may still be typed.
    room: usize,
}

impl Parts<'_> {
    fn unreadable(&self) -> Error {
        WebError::wire(self.request, None, Wire::Unreadable).into()
    }

    fn too_large(&self) -> Error {
        WebError::wire(self.request, None, Wire::TooLarge).into()
    }

    /// Reads what is typed, up to the next file.
    async fn up_to_file(&mut self, typed: &mut Typed) -> Result<Option<Field>, Error> {
        while let Some(field) = self.multipart.next().await {
            let mut field = field.map_err(|_| self.unreadable())?;
            if file_name(&field).is_some() {
                return Ok(Some(field));
            }
            let name = field.name().unwrap_or_default().to_owned();
            self.spend(name.len().saturating_add(PART))?;
            let value = field.bytes(self.room).await.map_err(|_| self.too_large())?.map_err(|_| self.unreadable())?;
            self.spend(value.len())?;
            let value = std::str::from_utf8(&value).map_err(|_| self.unreadable())?;
            *typed = std::mem::take(typed).with(&name, value);
        }
        Ok(None)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.room = self.room.checked_sub(bytes).ok_or_else(|| self.too_large())?;
        Ok(())
    }

    /// Reads a file, of which no more is held than the house takes.
    async fn receive(&self, mut field: Field, most: usize) -> Result<Handed, Error> {
        let name = file_name(&field).unwrap_or_default();
        let (mut bytes, mut count) = (Vec::new(), 0_usize);
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(|_| self.unreadable())?;
            count = count.saturating_add(chunk.len());
            if count <= most {
                bytes.extend_from_slice(&chunk);
            } else if count <= most.saturating_mul(PATIENCE) {
                bytes = Vec::new();
            } else {
                return Err(self.too_large());
            }
        }
        Ok(match (name.is_empty(), count) {
            (true, 0) => Handed::Nothing,
            (_, count) if count > most => Handed::TooLarge { most: u64::try_from(most).unwrap_or(u64::MAX) },
            _ => Handed::File(File { name, bytes }),
        })
    }

    /// Throws away what still comes, within bounds: a browser that is cut off while it sends shows no answer.
    async fn leave(&mut self, chosen: Option<Field>, most: usize) {
        let mut patience = most.saturating_mul(PATIENCE);
        let mut next = chosen;
        loop {
            while let Some(Ok(chunk)) = async { next.as_mut()?.next().await }.await {
                let Some(left) = patience.checked_sub(chunk.len()) else { return };
                patience = left;
            }
            // A part is let go before the next is asked for, and costs something even where it is empty.
            drop(next.take());
            let (Some(Ok(field)), Some(left)) = (self.multipart.next().await, patience.checked_sub(PART)) else { return };
            (next, patience) = (Some(field), left);
        }
    }
}

/// The name of a part's file, empty where none was chosen; none where the part is no file.
fn file_name(field: &Field) -> Option<String> {
    let sent = field.content_disposition()?.get_filename()?;
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    Some(last.chars().filter(|letter| !letter.is_control()).take(MOST_NAME).collect())
}
