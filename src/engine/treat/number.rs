//! Fixed grids, rounding and bounds. Edges come from the permit alone, never from the data.
//!
//! Widths are written in decimal, so a grid of 0.1 has the edges 0.1, 0.2, 0.3 as decimals read, not the sums of
//! binary fractions: edge `n` is the binary64 number nearest to `origin + n × width` in exact decimal arithmetic.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, StringArray, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};

use super::super::canonical::{self, Zeros};
use crate::domain::treatment::{CodeForm, GridForm};

/// 2^53: up to here every whole number is exact in binary64.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    /// The shortest decimal that reads as this number; `None` when it is too long to reckon with.
    fn of(number: f64) -> Option<Self> {
        let text = format!("{number}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let scale = u32::try_from(fraction.len()).ok()?;
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        (scale <= 15 && mantissa.unsigned_abs() <= 1 << 53).then_some(Self { mantissa, scale })
    }

    /// The mantissa at a finer scale.
    fn at(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    fn to_f64(self) -> f64 {
        // Both are exact below 2^53 and 10^22, so that the quotient is the nearest binary64 number.
        self.mantissa as f64 / 10_f64.powi(i32::try_from(self.scale).unwrap_or(i32::MAX))
    }
}

/// `origin + n × width`.
pub(super) struct Grid {
    origin: f64,
    width: f64,
    exact: Option<ExactGrid>,
}

#[derive(Debug, Clone, Copy)]
struct ExactGrid {
    origin: i128,
    width: i128,
    scale: u32,
}

impl Grid {
    pub(super) fn new(width: f64, origin: f64) -> Self {
        let exact = || {
            let (origin, width) = (Decimal::of(origin)?, Decimal::of(width)?);
            let scale = origin.scale.max(width.scale);
            Some(ExactGrid { origin: origin.at(scale)?, width: width.at(scale)?, scale })
        };
        Self { origin, width, exact: exact() }
    }

    /// Whether every edge is a whole number.
    pub(super) fn is_whole(&self) -> bool {
        self.whole().is_some()
    }

    fn whole(&self) -> Option<ExactGrid> {
        self.exact.filter(|grid| grid.scale == 0)
    }

    pub(super) fn apply(&self, column: &ArrayRef, form: GridForm) -> Option<ArrayRef> {
        match (column.data_type(), self.whole()) {
            (DataType::Int64, Some(grid)) => {
                let cells = column.as_primitive::<Int64Type>();
                let lower = |cell: i64| grid.lower(cell.into());
                Some(match form {
                    GridForm::Lower => Arc::new(cells.unary_opt::<_, Int64Type>(|cell| i64::try_from(lower(cell)).ok())),
                    GridForm::Range => ranges(cells.iter().map(|cell| cell.map(lower).map(|low| (low, low + grid.width)))),
                })
            }
            (DataType::Int64, None) => {
                // Beyond 2^53 the nearest binary64 number may lie in another cell than the integer.
                let cells = column.as_primitive::<Int64Type>();
                let exact = |cell: i64| (cell.unsigned_abs() <= 1 << 53).then_some(cell as f64);
                Some(self.cells(cells.iter().map(|cell| self.locate(exact(cell?)?)), form))
            }
            (DataType::Float64, _) => {
                let cells = column.as_primitive::<Float64Type>();
                Some(self.cells(cells.iter().map(|cell| self.locate(cell?)), form))
            }
            (DataType::Decimal128(..), _) => {
                let cells = column.as_primitive::<Decimal128Type>();
                let scale = u32::try_from(cells.scale());
                Some(self.cells(cells.iter().map(|cell| self.locate_decimal(cell?, scale.ok())), form))
            }
            _ => None,
        }
    }

    fn cells(&self, indexes: impl Iterator<Item = Option<i64>>, form: GridForm) -> ArrayRef {
        match form {
            GridForm::Lower => Arc::new(indexes.map(|at| Some(self.edge(at?))).collect::<Float64Array>()),
            GridForm::Range => ranges(indexes.map(|at| at.map(|at| (self.edge(at), self.edge(at + 1))))),
        }
    }

    fn edge(&self, at: i64) -> f64 {
        let edge = match self.exact {
            Some(grid) => Decimal { mantissa: grid.origin + i128::from(at) * grid.width, scale: grid.scale }.to_f64(),
            None => self.origin + at as f64 * self.width,
        };
        // Adding zero turns negative zero into zero.
        edge + 0.0
    }

    /// The cell that holds a number; `None` when there is none in reach.
    fn locate(&self, number: f64) -> Option<i64> {
        let guess = ((number - self.origin) / self.width).floor();
        // NaN fails every comparison.
        if guess.is_nan() || guess.abs() >= EXACT {
            return None;
        }
        // The quotient is rounded, so that the guess may be one cell off.
        let guess = guess as i64;
        [guess, guess - 1, guess + 1].into_iter().find(|at| self.edge(*at) <= number && number < self.edge(*at + 1))
    }

    fn locate_decimal(&self, unscaled: i128, scale: Option<u32>) -> Option<i64> {
        let exactly = || {
            let (grid, scale) = (self.exact?, scale?);
            let common = scale.max(grid.scale);
            let origin = Decimal { mantissa: grid.origin, scale: grid.scale }.at(common)?;
            let width = Decimal { mantissa: grid.width, scale: grid.scale }.at(common)?;
            let number = Decimal { mantissa: unscaled, scale }.at(common)?;
            i64::try_from(number.checked_sub(origin)?.checked_div_euclid(width)?).ok()
        };
        match exactly() {
            Some(at) if (at as f64).abs() < EXACT => Some(at),
            Some(_) => None,
            None => self.locate(Decimal { mantissa: unscaled, scale: scale? }.to_f64()),
        }
    }
}

impl ExactGrid {
    /// The lower edge of the cell that holds a whole number, on a whole grid.
    fn lower(self, number: i128) -> i128 {
        self.origin + (number - self.origin).div_euclid(self.width) * self.width
    }
}

fn ranges<Edge: std::fmt::Display>(edges: impl Iterator<Item = Option<(Edge, Edge)>>) -> ArrayRef {
    let mut out = StringBuilder::new();
    for edge in edges {
        match edge.map(|(low, high)| write!(out, "[{low},{high})")) {
            Some(Ok(())) => out.append_value(""),
            Some(Err(_)) | None => out.append_null(),
        }
    }
    Arc::new(out.finish())
}

/// To the nearest multiple of a step, half to even.
pub(super) struct Rounding {
    grid: Grid,
}

impl Rounding {
    pub(super) fn new(step: f64) -> Self {
        Self { grid: Grid::new(step, 0.0) }
    }

    pub(super) fn apply(&self, column: &ArrayRef) -> Option<ArrayRef> {
        Some(match column.data_type() {
            DataType::Int64 => {
                let step = self.grid.whole()?.width;
                let round = |cell: i64| i64::try_from(half_even(cell.into(), step)? * step).ok();
                Arc::new(column.as_primitive::<Int64Type>().unary_opt::<_, Int64Type>(round))
            }
            DataType::Float64 => {
                let round = |cell: f64| self.nearest(cell);
                Arc::new(column.as_primitive::<Float64Type>().unary_opt::<_, Float64Type>(round))
            }
            DataType::Decimal128(..) => {
                let cells = column.as_primitive::<Decimal128Type>();
                let scale = u32::try_from(cells.scale()).ok();
                let round = |cell: i128| self.nearest_decimal(cell, scale);
                Arc::new(cells.unary_opt::<_, Float64Type>(round))
            }
            _ => return None,
        })
    }

    /// `None` where the steps are finer than the number's last digit.
    pub(super) fn nearest(&self, number: f64) -> Option<f64> {
        let at = (number / self.grid.width).round_ties_even();
        (at.abs() < EXACT).then(|| self.grid.edge(at as i64))
    }

    fn nearest_decimal(&self, unscaled: i128, scale: Option<u32>) -> Option<f64> {
        let exactly = || {
            let (grid, scale) = (self.grid.exact?, scale?);
            let common = scale.max(grid.scale);
            let width = Decimal { mantissa: grid.width, scale: grid.scale }.at(common)?;
            let at = half_even(Decimal { mantissa: unscaled, scale }.at(common)?, width)?;
            i64::try_from(at).ok()
        };
        match exactly() {
            Some(at) if (at as f64).abs() < EXACT => Some(self.grid.edge(at)),
            Some(_) => None,
            None => self.nearest(Decimal { mantissa: unscaled, scale: scale? }.to_f64()),
        }
    }
}

/// How many steps lie nearest to a number; a tie goes to the even count.
fn half_even(number: i128, step: i128) -> Option<i128> {
    let (below, rest) = (number.checked_div_euclid(step)?, number.checked_rem_euclid(step)?);
    let up = match rest.checked_mul(2)?.cmp(&step) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => below % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    Some(below + i128::from(up))
}

/// Values at or beyond a bound become the bound.
pub(super) struct Code {
    bottom: Option<f64>,
    top: Option<f64>,
}

/// Where a value lies.
enum Place<Number> {
    Bottom,
    Within(Number),
    Top,
}

impl Code {
    pub(super) fn new(bottom: Option<f64>, top: Option<f64>) -> Self {
        Self { bottom, top }
    }

    pub(super) fn apply(&self, column: &ArrayRef, form: CodeForm) -> Option<ArrayRef> {
        Some(match (column.data_type(), form) {
            (DataType::Int64, CodeForm::Bound) => {
                let cells = column.as_primitive::<Int64Type>();
                let (bottom, top) = (self.bottom.map_or(i64::MIN, |bound| bound as i64), self.top.map_or(i64::MAX, |bound| bound as i64));
                Arc::new(cells.unary::<_, Int64Type>(|cell| cell.clamp(bottom, top)))
            }
            (DataType::Float64, CodeForm::Bound) => {
                Arc::new(column.as_primitive::<Float64Type>().unary_opt::<_, Float64Type>(|cell| self.bound(cell)))
            }
            (DataType::Decimal128(..), CodeForm::Bound) => {
                let cells = column.as_primitive::<Decimal128Type>();
                Arc::new(cells.unary_opt::<_, Float64Type>(|cell| self.bound(decimal_to_f64(cells, cell)?)))
            }
            (_, CodeForm::Label) => Arc::new(self.labels(column)?),
            _ => return None,
        })
    }

    fn bound(&self, number: f64) -> Option<f64> {
        match self.place(number)? {
            Place::Bottom => self.bottom,
            Place::Within(number) => Some(number),
            Place::Top => self.top,
        }
    }

    /// `None` for NaN and for an infinity that no bound holds.
    fn place(&self, number: f64) -> Option<Place<f64>> {
        if number.is_nan() {
            return None;
        }
        if self.bottom.is_some_and(|bound| number <= bound) {
            return Some(Place::Bottom);
        }
        if self.top.is_some_and(|bound| number >= bound) {
            return Some(Place::Top);
        }
        number.is_finite().then_some(Place::Within(number))
    }

    fn labels(&self, column: &ArrayRef) -> Option<StringArray> {
        let cells = canonical::Canonical::of(column)?;
        let number = |row: usize| match column.data_type() {
            // Bounds of whole numbers are whole and within 2^53, so that rounding never crosses one.
            DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(row) as f64),
            DataType::Float64 => Some(column.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(..) => {
                let cells = column.as_primitive::<Decimal128Type>();
                decimal_to_f64(cells, cells.value(row))
            }
            _ => None,
        };
        let mut out = StringBuilder::with_capacity(column.len(), column.len() * 4);
        let mut text = Vec::new();
        for row in 0..column.len() {
            text.clear();
            let place = if column.is_null(row) { None } else { number(row).and_then(|number| self.place(number)) };
            let written = match place {
                None => false,
                Some(Place::Within(_)) => cells.write(row, &mut text),
                Some(Place::Bottom) => label(&mut text, self.bottom, b'-'),
                Some(Place::Top) => label(&mut text, self.top, b'+'),
            };
            out.append_option(if written { std::str::from_utf8(&text).ok() } else { None });
        }
        Some(out.finish())
    }
}

fn label(to: &mut Vec<u8>, bound: Option<f64>, sign: u8) -> bool {
    let written = bound.is_some_and(|bound| canonical::push_number(to, bound));
    to.push(sign);
    written
}

/// The nearest binary64 number, by way of the decimal's text: correct at any precision.
pub(super) fn decimal_to_f64(cells: &Decimal128Array, unscaled: i128) -> Option<f64> {
    let mut text = Vec::new();
    canonical::push_decimal(&mut text, unscaled, cells.scale(), Zeros::Kept);
    std::str::from_utf8(&text).ok()?.parse().ok()
}
