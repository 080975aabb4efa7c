//! Places told coarsely; a place that can't be read, or is too small to tell, becomes NULL.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use geohash::Coord;
use h3o::{LatLng, Resolution};
use unicode_segmentation::UnicodeSegmentation;

use super::super::read::read_number;
use crate::domain::treatment::GeoForm;

/// How places are told.
pub(super) enum Place {
    Postal { length: usize, small: BTreeSet<String> },
    Geohash(usize),
    H3(Resolution),
}

impl Place {
    pub(super) fn new(form: &GeoForm) -> Option<Self> {
        Some(match form {
            GeoForm::PostalPrefix { length, small } => Self::Postal { length: usize::from(*length), small: small.clone() },
            GeoForm::Geohash { length } => Self::Geohash(usize::from(*length)),
            GeoForm::H3 { resolution } => Self::H3(Resolution::try_from(*resolution).ok()?),
        })
    }

    pub(super) fn apply(&self, column: &ArrayRef) -> Option<ArrayRef> {
        let cells = column.as_string_opt::<i32>()?;
        let mut out = StringBuilder::with_capacity(cells.len(), cells.len() * 8);
        for cell in cells {
            out.append_option(cell.and_then(|text| self.told(text)));
        }
        Some(Arc::new(out.finish()))
    }

    fn told(&self, text: &str) -> Option<String> {
        match self {
            Self::Postal { length, small } => {
                let code = GeoForm::postal(text);
                // A code that is no longer than its prefix would go out whole.
                let (end, _) = code.grapheme_indices(true).nth(*length)?;
                let prefix = code.get(..end)?;
                (!small.contains(prefix)).then(|| prefix.to_owned())
            }
            Self::Geohash(length) => {
                let (latitude, longitude) = point(text)?;
                geohash::encode(Coord { x: longitude, y: latitude }, *length).ok()
            }
            Self::H3(resolution) => {
                let (latitude, longitude) = point(text)?;
                LatLng::new(latitude, longitude).ok().map(|point| point.to_cell(*resolution).to_string())
            }
        }
    }
}

/// A point written `52.52,13.405`: latitude and longitude in degrees.
fn point(text: &str) -> Option<(f64, f64)> {
    let (latitude, longitude) = text.split_once(',')?;
    let (latitude, longitude) = (read_number(latitude)?, read_number(longitude)?);
    (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some((latitude, longitude))
}
