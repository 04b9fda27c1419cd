//! The rows' distributions as one page: a curve each, latency over the share of samples that take longer, both axes
//! logarithmic, so that the tail that matters has half of the picture. SVG within HTML; no script, no network.

use crate::run::Run;
use crate::{Figures, Outcome};
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 540.0;
const LEFT: f64 = 80.0;
const BOTTOM: f64 = 500.0;
const TOP: f64 = 20.0;
/// Powers of ten on the axes: one in 1 to one in a million, 1 ns to 1 s.
const ONE_IN: u32 = 6;
const NS: u32 = 9;
const COLOURS: [&str; 10] =
    ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"];

/// The page.
pub fn page(run: &Run) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, run);
    page
}

fn write(page: &mut String, run: &Run) -> std::fmt::Result {
    let curves: Vec<(&str, &Figures)> =
        run.rows.iter().filter_map(|row| Some((row.row.name, figures(&row.outcome)?))).collect();
    writeln!(page, "<!doctype html><meta charset=\"utf-8\"><title>shrike bench</title>")?;
    writeln!(
        page,
        "<style>body{{font:14px sans-serif;max-width:{WIDTH}px;margin:2em auto}}td,th{{padding:2px 8px;text-align:right}}td:first-child{{text-align:left}}</style>"
    )?;
    writeln!(page, "<h1>shrike bench</h1><p>{}</p>", escaped(&run.host))?;
    writeln!(page, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"latency by percentile\">")?;
    for power in 0..=ONE_IN {
        let (x, name) =
            (x(10_f64.powf(f64::from(power))), ["0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "max"]);
        let name = name.get(power as usize).copied().unwrap_or_default();
        writeln!(
            page,
            "<path d=\"M{x:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            BOTTOM + 20.0
        )?;
    }
    for power in 0..=NS {
        let (y, name) = (
            y(10_f64.powf(f64::from(power))),
            ["1 ns", "10 ns", "100 ns", "1 us", "10 us", "100 us", "1 ms", "10 ms", "100 ms", "1 s"],
        );
        let name = name.get(power as usize).copied().unwrap_or_default();
        writeln!(
            page,
            "<path d=\"M{LEFT} {y:.1}H{WIDTH}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            LEFT - 6.0,
            y + 4.0
        )?;
    }
    for ((_, figures), colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<String> =
            figures.curve.iter().map(|(one_in, ns)| format!("{:.1},{:.1}", x(*one_in), y(*ns))).collect();
        writeln!(
            page,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        )?;
    }
    writeln!(page, "</svg><table><tr><th>nanoseconds<th>p50<th>p90<th>p99<th>p99.9<th>p99.99<th>max<th>samples")?;
    for ((name, of), colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        write!(page, "<tr><td><b style=\"color:{colour}\">&#9632;</b> {}", escaped(name))?;
        for ns in [of.p50, of.p90, of.p99, of.p999, of.p9999, of.max] {
            write!(page, "<td>{ns:.1}")?;
        }
        writeln!(page, "<td>{}", of.samples)?;
    }
    writeln!(page, "</table>")
}

fn figures(outcome: &Outcome) -> Option<&Figures> {
    match outcome {
        Outcome::Measured(figures) | Outcome::Unjudged(figures, _) => Some(figures),
        Outcome::Rate(..) | Outcome::Absent(_) => None,
    }
}

fn x(one_in: f64) -> f64 {
    LEFT + (WIDTH - LEFT) * one_in.max(1.0).log10().min(f64::from(ONE_IN)) / f64::from(ONE_IN)
}

fn y(ns: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * ns.max(1.0).log10().min(f64::from(NS)) / f64::from(NS)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_grow_right_and_up_and_hold_everything() {
        assert!(x(1.0) == LEFT && x(1e6) == WIDTH && x(1e9) == WIDTH && x(10.0) < x(100.0));
        assert!(y(0.1) == BOTTOM && y(1e9) == TOP && y(1e12) == TOP && y(10.0) > y(100.0), "up is less in SVG");
        assert_eq!(escaped("a < b & c"), "a &lt; b &amp; c");
    }
}
