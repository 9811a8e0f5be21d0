//! [`Chart`]: lines or layers over years, as SVG. Integers only, so that the same run draws the same bytes.

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// In proportion, layers on top of each other.
    Layers,
    /// In proportion, a line each.
    Lines,
    /// By logarithm, a line each.
    Logarithm,
}

/// A named row of values, one for each month from 0 on, in whole SAHARA.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<u64>,
}

/// A picture.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What the height is.
    pub(super) unit: String,
    pub(super) scale: Scale,
    pub(super) series: Vec<Series>,
}

const WIDTH: u64 = 760;
const HEIGHT: u64 = 360;
const LEFT: u64 = 64;
const RIGHT: u64 = 640;
const TOP: u64 = 56;
const BOTTOM: u64 = 320;
/// Middle tones, to be told apart on white and on black, and by people who see red and green alike.
const COLOURS: [&str; 6] = ["#4e86c6", "#d98a2b", "#3fa08f", "#b36ba8", "#8a8f3c", "#c8655b"];
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#6b7280}.t{font-weight:600;font-size:14px}.g{stroke:#8b95a1;stroke-opacity:.25}.l{fill:none;stroke-width:2;stroke-linejoin:round}@media(prefers-color-scheme:dark){text{fill:#a3acb8}}";

/// Tenths of a pixel, as SVG writes them.
fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

/// The logarithm to base 2 in 1024ths, rounded down; 0 for 0.
pub(super) fn logarithm(value: u64) -> u64 {
    let Some(whole) = value.checked_ilog2() else { return 0 };
    // The mantissa in [1, 2) with 62 bits behind the point; each squaring yields a bit.
    let mut mantissa = (u128::from(value) << (62 - whole.min(62))) >> whole.saturating_sub(62);
    let mut bits = u64::from(whole);
    for _ in 0..10 {
        mantissa = (mantissa * mantissa) >> 62;
        bits *= 2;
        if mantissa >= 1 << 63 {
            mantissa >>= 1;
            bits += 1;
        }
    }
    bits
}

/// `1.5 M`, `20 k`, `3 B`; rounded down to a tenth.
pub(super) fn short(value: u64) -> String {
    let units = [(1_000_000_000, " B"), (1_000_000, " M"), (1_000, " k")];
    let found = units.into_iter().find(|(unit, _)| value >= *unit);
    let Some((unit, name)) = found else { return value.to_string() };
    match value / (unit / 10) % 10 {
        0 => format!("{}{name}", value / unit),
        tenth => format!("{}.{tenth}{name}", value / unit),
    }
}

/// Where a chart's values stand.
struct Frame {
    scale: Scale,
    /// Of the values, or of their logarithms.
    low: u64,
    high: u64,
    months: u64,
}

impl Frame {
    fn of(chart: &Chart) -> Self {
        let all = chart.series.iter().flat_map(|series| &series.values).copied();
        let largest = match chart.scale {
            Scale::Layers => {
                let sums = (0..chart.months()).map(|month| {
                    chart.series.iter().filter_map(|series| series.values.get(month)).sum::<u64>()
                });
                sums.max().unwrap_or_default()
            }
            Scale::Lines | Scale::Logarithm => all.clone().max().unwrap_or_default(),
        };
        let months = u64::try_from(chart.months().saturating_sub(1)).unwrap_or(1).max(1);
        if chart.scale == Scale::Logarithm {
            let least = all.filter(|value| *value > 0).min().unwrap_or(1);
            let low = logarithm(10_u64.pow(least.checked_ilog10().unwrap_or_default()));
            let high = 10_u64.checked_pow(largest.checked_ilog10().unwrap_or_default() + 1);
            return Self {
                scale: chart.scale,
                low,
                high: logarithm(high.unwrap_or(u64::MAX)),
                months,
            };
        }
        Self { scale: chart.scale, low: 0, high: largest.max(1), months }
    }

    /// Tenths of a pixel from the top.
    fn y(&self, value: u64) -> u64 {
        let shown = if self.scale == Scale::Logarithm { logarithm(value) } else { value };
        let above = u128::from(shown.clamp(self.low, self.high) - self.low);
        let span = u128::from((self.high - self.low).max(1));
        let height = above * u128::from((BOTTOM - TOP) * 10) / span;
        BOTTOM * 10 - u64::try_from(height).unwrap_or_default()
    }

    /// Tenths of a pixel from the left.
    const fn x(&self, month: u64) -> u64 {
        LEFT * 10 + month * (RIGHT - LEFT) * 10 / self.months
    }

    /// Values at which lines are drawn.
    fn marks(&self) -> Vec<u64> {
        if self.scale == Scale::Logarithm {
            let tens = (0..19).map(|power| 10_u64.pow(power));
            return tens.filter(|ten| (self.low..=self.high).contains(&logarithm(*ten))).collect();
        }
        let ten = 10_u64.pow(self.high.checked_ilog10().unwrap_or_default());
        let step = [ten / 5, ten / 2, ten, ten * 2];
        let step = step.into_iter().find(|step| *step > 0 && self.high / step <= 6).unwrap_or(1);
        (0..=self.high / step).map(|number| number * step).collect()
    }
}

impl Chart {
    fn months(&self) -> usize {
        self.series.iter().map(|series| series.values.len()).max().unwrap_or_default()
    }

    /// The picture.
    pub(super) fn svg(&self) -> String {
        let frame = Frame::of(self);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n<text class=\"t\" x=\"{LEFT}\" y=\"22\">{}</text>\n<text x=\"{LEFT}\" y=\"41\">{}</text>\n",
            self.title, self.title, self.unit
        );
        for mark in frame.marks() {
            let y = tenths(frame.y(mark));
            text.push_str(&format!(
                "<path class=\"g\" d=\"M{LEFT} {y}H{RIGHT}\"/><text x=\"{}\" y=\"{y}\" dy=\"4\" text-anchor=\"end\">{}</text>\n",
                LEFT - 8,
                short(mark)
            ));
        }
        for year in 0..=frame.months / 12 {
            let x = tenths(frame.x(year * 12));
            text.push_str(&format!(
                "<path class=\"g\" d=\"M{x} {BOTTOM}v5\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{year}</text>\n",
                BOTTOM + 20
            ));
        }
        text.push_str(&format!(
            "<text x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\">years after genesis</text>\n",
            HEIGHT - 4
        ));
        match self.scale {
            Scale::Layers => self.layers(&frame, &mut text),
            Scale::Lines | Scale::Logarithm => self.lines(&frame, &mut text),
        }
        text.push_str("</svg>\n");
        text
    }

    fn lines(&self, frame: &Frame, text: &mut String) {
        let mut labels = Vec::new();
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let points = points(frame, &series.values);
            text.push_str(&format!("<path class=\"l\" stroke=\"{colour}\" d=\"M{points}\"/>\n"));
            let last = series.values.last().copied().unwrap_or_default();
            let name = format!("{} {}", series.name, short(last));
            labels.push((frame.y(last), name, *colour));
        }
        write_labels(labels, text);
    }

    fn layers(&self, frame: &Frame, text: &mut String) {
        let mut below = vec![0_u64; self.months()];
        let mut labels = Vec::new();
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let above: Vec<u64> = below.iter().zip(&series.values).map(|(a, b)| a + b).collect();
            let mut back: Vec<String> =
                (0..).zip(&below).map(|(month, value)| point(frame, month, *value)).collect();
            back.reverse();
            text.push_str(&format!(
                "<path fill=\"{colour}\" fill-opacity=\".8\" d=\"M{}L{}Z\"/>\n",
                points(frame, &above),
                back.join(" ")
            ));
            let (low, high) = (below.last().copied(), above.last().copied());
            let (low, high) = (low.unwrap_or_default(), high.unwrap_or_default());
            let name = format!("{} {}", series.name, short(high - low));
            labels.push((frame.y(low + (high - low) / 2), name, *colour));
            below = above;
        }
        write_labels(labels, text);
    }
}

fn point(frame: &Frame, month: u64, value: u64) -> String {
    format!("{},{}", tenths(frame.x(month)), tenths(frame.y(value)))
}

fn points(frame: &Frame, values: &[u64]) -> String {
    let all = (0..).zip(values).map(|(month, value)| point(frame, month, *value));
    all.collect::<Vec<_>>().join(" ")
}

/// Beside the ends of their lines, moved apart so that each can be read.
fn write_labels(mut labels: Vec<(u64, String, &str)>, text: &mut String) {
    labels.sort();
    let mut least = 0;
    for (y, name, colour) in labels {
        let y = y.max(least);
        least = y + 150;
        let x = RIGHT + 10;
        text.push_str(&format!(
            "<path stroke=\"{colour}\" stroke-width=\"3\" d=\"M{x} {0}h10\"/><text x=\"{1}\" y=\"{0}\" dy=\"4\">{name}</text>\n",
            tenths(y),
            x + 15
        ));
    }
}
