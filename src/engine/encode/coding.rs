//! Content codings: what is pushed comes out whole, so that a chunk that has paid its toll really leaves.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::engine::EngineError;

/// How a body is coded on the wire (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878, with a window that RFC 9659 allows.
    Zstd,
}

/// The level of gzip: half the time of the usual one, for little more bytes.
const GZIP_LEVEL: u32 = 4;
/// The level of Zstandard: its own default.
const ZSTD_LEVEL: i32 = 3;

/// Codes a body chunk by chunk.
pub struct Coder {
    form: Form,
}

enum Form {
    Identity,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Coder {
    /// A coder for one body.
    pub fn new(coding: Coding) -> Result<Self, EngineError> {
        let form = match coding {
            Coding::Identity => Form::Identity,
            // Neither time nor name nor system stands in the header.
            Coding::Gzip => Form::Gzip(GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL))),
            Coding::Zstd => Form::Zstd(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).map_err(uncoded)?),
        };
        Ok(Self { form })
    }

    /// A chunk, coded and flushed.
    pub fn push(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, EngineError> {
        match &mut self.form {
            Form::Identity => Ok(bytes),
            Form::Gzip(coder) => {
                coder.write_all(&bytes).and_then(|()| coder.flush()).map_err(uncoded)?;
                Ok(std::mem::take(coder.get_mut()))
            }
            Form::Zstd(coder) => {
                coder.write_all(&bytes).and_then(|()| coder.flush()).map_err(uncoded)?;
                Ok(std::mem::take(coder.get_mut()))
            }
        }
    }

    /// Whether something stands after the last chunk.
    pub const fn has_end(&self) -> bool {
        match &self.form {
            Form::Identity => false,
            Form::Gzip(_) | Form::Zstd(_) => true,
        }
    }

    /// What stands after the last chunk. Without it a reader knows that the body is not whole.
    pub fn finish(self) -> Result<Vec<u8>, EngineError> {
        match self.form {
            Form::Identity => Ok(Vec::new()),
            Form::Gzip(coder) => coder.finish().map_err(uncoded),
            Form::Zstd(coder) => coder.finish().map_err(uncoded),
        }
    }

    /// A body that is there whole.
    pub fn whole(coding: Coding, body: Vec<u8>) -> Result<Vec<u8>, EngineError> {
        let mut coder = Self::new(coding)?;
        let mut coded = coder.push(body)?;
        coded.extend_from_slice(&coder.finish()?);
        Ok(coded)
    }
}

fn uncoded(_: std::io::Error) -> EngineError {
    EngineError::internal("the body can't be coded")
}
