//! Bars per day as numbers for SVG attributes: heights share one scale, and nothing needs script or inline style.

use super::parts::Day;
use super::words::{date, number};

/// The drawing's own units; the page scales it to its width.
pub const WIDTH: u32 = 720;
pub const HEIGHT: u32 = 180;
/// Room for the labels: left of the bars, and below them.
const LEFT: u32 = 44;
const BELOW: u32 = 22;
const ABOVE: u32 = 8;

/// One bar: what was refused stands on what was released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    pub x: u32,
    pub width: u32,
    pub released_y: u32,
    pub released_height: u32,
    pub refused_y: u32,
    pub refused_height: u32,
    pub title: String,
}

/// A line across, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    pub y: u32,
    pub label: String,
}

/// A day's name below its bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayLabel {
    pub x: u32,
    pub label: String,
}

/// A drawing of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    pub days: Vec<Day>,
    pub bars: Vec<Bar>,
    pub ticks: Vec<Tick>,
    pub labels: Vec<DayLabel>,
    /// The whole in a sentence.
    pub summary: String,
}

impl Chart {
    /// Draws the days, oldest first.
    pub fn of(days: Vec<Day>) -> Self {
        let top = scale(days.iter().map(|day| day.released.saturating_add(day.refused)).max().unwrap_or(0));
        let step = (WIDTH - LEFT) / u32::try_from(days.len()).unwrap_or(u32::MAX).max(1);
        let across = || (0_u32..).map(|at| LEFT + at * step);
        let bars = days.iter().zip(across()).map(|(day, x)| bar(day, x, step, top)).collect();
        let labels = days.iter().zip(across()).step_by(7).map(|(day, x)| DayLabel { x, label: short(day) }).collect();
        let ticks = [0, top / 2, top].map(|value| Tick { y: base() - height(value, top), label: number(value) }).to_vec();
        let sum = |of: fn(&Day) -> u64| number(days.iter().map(of).fold(0_u64, u64::saturating_add));
        let summary = format!("{} releases and {} refusals in {} days", sum(|day| day.released), sum(|day| day.refused), days.len());
        Self { bars, ticks, labels, summary, days }
    }
}

fn base() -> u32 {
    HEIGHT - BELOW
}

/// The height of a value: whole units of the drawing, and at least one for what is not nothing.
fn height(value: u64, top: u64) -> u32 {
    let room = u64::from(base() - ABOVE);
    let exact = u128::from(value) * u128::from(room) / u128::from(top.max(1));
    let whole = u32::try_from(exact).unwrap_or(base() - ABOVE);
    if value > 0 { whole.max(2) } else { 0 }
}

fn bar(day: &Day, x: u32, step: u32, top: u64) -> Bar {
    let (released_height, refused_height) = (height(day.released, top), height(day.refused, top));
    let released_y = base() - released_height;
    let title = format!("{}: {} released, {} refused", date(&day.date), number(day.released), number(day.refused));
    let gap = (step / 4).max(1);
    let refused_y = released_y.saturating_sub(refused_height);
    Bar { x, width: step.saturating_sub(gap).max(1), released_y, released_height, refused_y, refused_height, title }
}

/// The next even number of one leading digit at or above the value, so that the half is whole too.
fn scale(most: u64) -> u64 {
    let power = most.checked_ilog10().map_or(1, |digits| 10_u64.saturating_pow(digits));
    let leading = most.div_ceil(power).max(2);
    power.saturating_mul(leading.saturating_add(leading % 2))
}

/// Day and month: `1 Jul`.
fn short(day: &Day) -> String {
    let long = date(&day.date);
    let mut parts = long.split('\u{a0}');
    let (number, month) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{number}\u{a0}{}", month.chars().take(3).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Date;

    #[test]
    fn bars_stay_inside_and_what_is_not_nothing_is_seen() {
        let start = Date::from_ymd(2026, 6, 28).unwrap();
        let days: Vec<Day> = [(0, 0), (1, 0), (1_000_000, 3), (0, 1), (u64::MAX, u64::MAX)]
            .into_iter()
            .zip(0..)
            .map(|((released, refused), at)| Day { date: start.plus_days(at), released, refused })
            .collect();
        let chart = Chart::of(days);
        for bar in &chart.bars {
            assert!(bar.x >= LEFT && bar.x + bar.width <= WIDTH, "{bar:?}");
            assert!(bar.released_y + bar.released_height <= HEIGHT - BELOW, "{bar:?}");
        }
        let heights: Vec<_> = chart.bars.iter().map(|bar| (bar.released_height > 0, bar.refused_height > 0)).collect();
        assert_eq!(heights, [(false, false), (true, false), (true, true), (false, true), (true, true)]);
        assert_eq!(chart.labels.first().map(|label| label.label.as_str()), Some("28\u{a0}Jun"));
        assert_eq!(Chart::of(Vec::new()).bars, []);
    }

    #[test]
    fn the_scale_is_round_and_its_half_is_whole() {
        for (most, top) in [(0, 2), (1, 2), (2, 2), (3, 4), (10, 20), (21, 40), (80, 80), (99, 100), (150, 200)] {
            assert_eq!(scale(most), top, "{most}");
        }
    }
}
