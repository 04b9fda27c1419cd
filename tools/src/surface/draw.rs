//! The drawings: a panel for each of up to twelve expiries with quotes and smile, volatility by expiry, and the surface in
//! perspective. Each is drawn once, as SVG, and that is rendered as PNG, with the fonts of this host.

use super::{Board, FittedSlice};
use crate::error::Error;
use plotters::prelude::*;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, FaceInfo, Family, Query, Style, Weight};
use resvg::usvg::{Options, Tree};
use shrike_core::pricing::smile::{Smile, Svi};
use shrike_core::pricing::surface::Slice;
use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::sync::Arc;

type Drawn = Result<(), Box<dyn StdError>>;

/// A file's name, and what draws it as SVG.
type Drawing = (&'static str, fn(&Board, &mut String) -> Drawn);

const DRAWINGS: [Drawing; 3] = [("smiles", smiles), ("term", term), ("surface", surface)];

/// Draws all of them into a directory, as SVG and as PNG.
///
/// # Errors
/// When a file cannot be written; it is named.
pub fn all(board: &Board, out: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(out).map_err(|source| Error::File { file: out.to_owned(), source })?;
    let fonts = fonts();
    if fonts.is_empty() {
        eprintln!("shrike: no font on this host: the PNG files have no words; install one, such as fonts-dejavu-core");
    }
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    for (name, draw) in DRAWINGS {
        let other = |file: &Path, why: String| Error::File { file: file.to_owned(), source: io::Error::other(why) };
        let file = out.join(name).with_extension("svg");
        let mut svg = String::new();
        draw(board, &mut svg).map_err(|error| other(&file, error.to_string()))?;
        std::fs::write(&file, &svg).map_err(|source| Error::File { file: file.clone(), source })?;
        let file = out.join(name).with_extension("png");
        png(&svg, &options, &file).map_err(|error| other(&file, error.to_string()))?;
    }
    Ok(())
}

/// The fonts of this host. Where what is usually meant by sans-serif is not installed, the plainest face stands in.
fn fonts() -> Database {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    if fonts.query(&Query { families: &[Family::SansSerif], ..Query::default() }).is_none() {
        let plain = |face: &&FaceInfo| {
            let named = face.families.iter().any(|(name, _)| name.ends_with("Sans"));
            named && face.style == Style::Normal && face.weight == Weight::NORMAL && !face.monospaced
        };
        let face = fonts.faces().find(plain).or(fonts.faces().next());
        if let Some(name) = face.and_then(|face| face.families.first()).map(|(name, _)| name.clone()) {
            fonts.set_sans_serif_family(name);
        }
    }
    fonts
}

/// Renders an SVG at its own size into a file.
fn png(svg: &str, options: &Options<'_>, file: &Path) -> Drawn {
    rendered(svg, options)?.save_png(file)?;
    Ok(())
}

fn rendered(svg: &str, options: &Options<'_>) -> Result<Pixmap, Box<dyn StdError>> {
    let tree = Tree::from_str(svg, options)?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("a drawing without size")?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    Ok(pixels)
}

const PANELS: (usize, usize) = (3, 4);
const QUOTES: RGBColor = RGBColor(120, 120, 120);
const FIT: RGBColor = RGBColor(200, 40, 30);

/// Every expiry that has a smile, with it.
fn fitted(board: &Board) -> Vec<(&FittedSlice, Svi)> {
    let with_svi = board.slices.iter().filter_map(|slice| slice.svi.map(|svi| (slice, svi)));
    with_svi.map(|(slice, [a, b, rho, m, s])| (slice, Svi { a, b, rho, m, s })).collect()
}

/// At most `most` of them, evenly, the first and the last among them.
fn evenly<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let n = all.len();
    if n <= most {
        return all;
    }
    let mut next = 0;
    let mut kept = Vec::new();
    for (i, one) in all.into_iter().enumerate() {
        if i == next * (n - 1) / (most - 1) {
            kept.push(one);
            next += 1;
        }
    }
    kept
}

fn smiles(board: &Board, svg: &mut String) -> Drawn {
    let (rows, columns) = PANELS;
    let area = SVGBackend::with_string(svg, (1_600, 1_000)).into_drawing_area();
    area.fill(&WHITE)?;
    for (panel, (slice, svi)) in area.split_evenly((rows, columns)).iter().zip(evenly(fitted(board), rows * columns)) {
        let deviation = svi.total(0.0).sqrt();
        let quotes: Vec<_> = slice.quotes.iter().filter(|quote| quote.k.abs() <= 5.0 * deviation).collect();
        let band = quotes.iter().filter(|quote| quote.bid > 0.0 && quote.ask > 0.0);
        let edges = || quotes.iter().map(|quote| quote.k);
        let (from, until) = (edges().fold(-deviation, f64::min), edges().fold(deviation, f64::max));
        let line: Vec<_> = (0..=200)
            .map(|i| from + (until - from) * f64::from(i) / 200.0)
            .map(|k| (k, 100.0 * svi.vol(k, slice.years)))
            .collect();
        let top = line.iter().map(|&(_, vol)| vol).fold(0.0, f64::max) * 1.15;
        let low = line.iter().map(|&(_, vol)| vol).fold(f64::INFINITY, f64::min) * 0.85;
        let mut chart = ChartBuilder::on(panel)
            .caption(format!("{} {}", slice.root, slice.expiry), ("sans-serif", 16))
            .margin(6)
            .x_label_area_size(28)
            .y_label_area_size(36)
            .build_cartesian_2d(from..until, low..top)?;
        chart
            .configure_mesh()
            .x_labels(5)
            .y_labels(5)
            .x_desc("ln(K/F)")
            .y_desc("vol %")
            .light_line_style(WHITE)
            .draw()?;
        chart.draw_series(band.map(|quote| {
            let ends = [quote.bid, quote.ask].map(|vol| (quote.k, (100.0 * vol).clamp(low, top)));
            PathElement::new(ends.to_vec(), QUOTES.stroke_width(2))
        }))?;
        chart.draw_series(LineSeries::new(line, FIT.stroke_width(2)))?;
    }
    area.present()?;
    Ok(())
}

fn term(board: &Board, svg: &mut String) -> Drawn {
    let slices = board.surface.slices();
    let last = slices.last().map_or(1.0, |slice| slice.years.sqrt());
    // Volatility so many standard deviations from the money.
    let at = |deviations: f64| {
        let vol = move |slice: &Slice| slice.svi.vol(deviations * slice.svi.total(0.0).sqrt(), slice.years);
        slices.iter().map(move |slice| (slice.years.sqrt(), 100.0 * vol(slice))).collect::<Vec<_>>()
    };
    let lines = [("one deviation down", at(-1.0), BLUE), ("at the money", at(0.0), FIT), ("one up", at(1.0), QUOTES)];
    let vols = || lines.iter().flat_map(|(_, line, _)| line).map(|&(_, vol)| vol);
    let (low, top) = (vols().fold(f64::INFINITY, f64::min) * 0.9, vols().fold(0.0, f64::max) * 1.1);
    let area = SVGBackend::with_string(svg, (1_000, 600)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Volatility by expiry", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..last * 1.02, low..top)?;
    chart.configure_mesh().x_desc("square root of years").y_desc("vol %").light_line_style(WHITE).draw()?;
    for (name, line, color) in &lines {
        chart
            .draw_series(LineSeries::new(line.iter().copied(), color.stroke_width(2)).point_size(3))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(QUOTES).draw()?;
    area.present()?;
    Ok(())
}

fn surface(board: &Board, svg: &mut String) -> Drawn {
    let slices = board.surface.slices();
    let (Some(first), Some(last)) = (slices.first(), slices.last()) else { return Ok(()) };
    let (near, far) = (first.years.sqrt(), last.years.sqrt().max(first.years.sqrt() * 1.01));
    let steps = |from: f64, until: f64, n: i32| move |i: i32| from + (until - from) * f64::from(i) / f64::from(n);
    // Strikes in standard deviations, so that all expiries fill the picture.
    let vol = |x: f64, root: f64| {
        let years = root * root;
        let smile = board.surface.smile(years);
        smile.map_or(f64::NAN, |smile| 100.0 * smile.vol(x * smile.total(0.0).sqrt(), years))
    };
    let xs: Vec<f64> = (0..=48).map(steps(-3.0, 2.0, 48)).collect();
    let roots: Vec<f64> = (0..=36).map(steps(near, far, 36)).collect();
    let all = || xs.iter().flat_map(|&x| roots.iter().map(move |&root| (x, root))).map(|(x, root)| vol(x, root));
    let (low, top) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    let area = SVGBackend::with_string(svg, (1_000, 800)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Implied volatility", ("sans-serif", 20))
        .margin(20)
        .build_cartesian_3d(-3.0..2.0, low * 0.9..top * 1.05, near..far)?;
    chart.with_projection(|mut view| {
        view.yaw = 0.7;
        view.pitch = 0.35;
        view.scale = 0.8;
        view.into_matrix()
    });
    chart
        .configure_axes()
        .x_formatter(&|x| format!("{x:.0} sd"))
        .y_formatter(&|vol| format!("{vol:.0} %"))
        .z_formatter(&|root| format!("{:.2} y", root * root))
        .draw()?;
    let color = |vol: &f64| {
        let part = ((vol - low) / (top - low)).clamp(0.0, 1.0);
        HSLColor(0.66 * (1.0 - part), 0.7, 0.5).mix(0.85).filled()
    };
    chart.draw_series(SurfaceSeries::xoz(xs.iter().copied(), roots.iter().copied(), vol).style_func(&color))?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_with_the_fonts_of_the_host() {
        let options = Options { fontdb: Arc::new(fonts()), ..Options::default() };
        if options.fontdb.is_empty() {
            eprintln!("words in drawings skip: no font on this host");
            return;
        }
        let svg = |words| {
            format!(
                "<svg xmlns='http://www.w3.org/2000/svg' width='80' height='20'>\
                 <text x='2' y='15' font-family='sans-serif' font-size='14'>{words}</text></svg>"
            )
        };
        let drawn = |words| rendered(&svg(words), &options).unwrap().pixels().iter().filter(|p| p.alpha() > 0).count();
        assert!(drawn("vol %") > 30 && drawn("") == 0);
    }

    #[test]
    fn the_chosen_are_spread_over_all() {
        assert_eq!(evenly((0..49).collect(), 4), [0, 16, 32, 48]);
        assert_eq!(evenly(vec![1, 2], 4), [1, 2]);
    }
}
