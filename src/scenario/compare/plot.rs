//! A comparison as a picture: latency against requests, in SVG.
//!
//! For each strategy its p99 is a dot with its name, and its p50 a ring below it; a line joins the dots on the front. The
//! vertical axis is logarithmic, since strategies differ by factors there. Colours follow the reader's scheme, light or
//! dark. Coordinates have one decimal, and logarithms are `libm`'s: the same figures give the same bytes on any machine.

use core::fmt::Write as _;

use super::labels::{Area, place};
use super::pool::{Comparison, Row};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// Around what is plotted: left, right, above, below.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 20.0;
const ABOVE: f64 = 44.0;
const BELOW: f64 = 52.0;
/// Of a label: its height, and the width of a letter at most.
const LINE: f64 = 15.0;
const LETTER: f64 = 7.4;
/// Half of the side of what a dot takes.
const DOT: f64 = 5.0;

const STYLE: &str = "\
text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1f2328}\
.title{font-size:14px;font-weight:600}.faint{fill:#59636e}\
.page{fill:#fff}.grid{stroke:#d9dfe5}.stem{stroke:#9aa4ae}.lead{stroke:#9aa4ae;stroke-dasharray:2 2}\
.front{fill:none;stroke:#0969da;stroke-width:1.5}\
.dot{fill:#818b98}.dot.on{fill:#0969da}.ring{fill:#fff;stroke:#818b98;stroke-width:1.5}.ring.on{stroke:#0969da}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#9198a1}.page{fill:#0d1117}.grid{stroke:#2a313a}\
.stem,.lead{stroke:#6a737d}.front{stroke:#4493f8}.dot.on{fill:#4493f8}.ring{fill:#0d1117}.ring.on{stroke:#4493f8}}";

/// The picture of `compared`, one below the other. Strategies without figures are left out.
pub fn plot(compared: &[Comparison]) -> String {
    let height = HEIGHT * f64::from(u32::try_from(compared.len()).unwrap_or(u32::MAX));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>Latency of a search against its requests, by strategy of \
         fan-out</title>\n<style>{STYLE}</style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    let mut top = 0.0;
    for one in compared {
        panel(&mut svg, one, top);
        top += HEIGHT;
    }
    svg.push_str("</svg>\n");
    svg
}

/// A strategy that can be drawn.
struct Drawn<'a> {
    row: &'a Row,
    x: f64,
    p50: f64,
    p99: f64,
}

/// Where a figure comes to lie: from least to most, over so many pixels.
struct Axis {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.least) / (self.most - self.least) * (self.to - self.from)
    }
}

fn panel(svg: &mut String, compared: &Comparison, top: f64) {
    let title = escaped(&compared.scenario);
    let seeds = compared.seeds;
    let _ = writeln!(
        svg,
        "<text class=\"title\" x=\"{LEFT}\" y=\"{:.1}\">{title}</text>\n<text class=\"faint\" x=\"{:.1}\" y=\"{:.1}\" \
         text-anchor=\"end\">● p99  ○ p50, pooled over {seeds} seeds</text>",
        top + 24.0,
        WIDTH - RIGHT,
        top + 24.0
    );
    let figures: Vec<(&Row, f64, f64, f64)> = (compared.rows.iter())
        .filter_map(|row| {
            let (requests, p50, p99) = (row.requests_per_search?, row.p50_ms?, row.p99_ms?);
            // A search that takes no time at all would have no logarithm.
            Some((row, requests, p50.max(0.001), p99.max(0.001)))
        })
        .collect();
    if figures.is_empty() {
        return;
    }
    let low =
        |pick: fn(&(&Row, f64, f64, f64)) -> f64| figures.iter().map(pick).fold(f64::INFINITY, f64::min);
    let high = |pick: fn(&(&Row, f64, f64, f64)) -> f64| figures.iter().map(pick).fold(0.0, f64::max);
    let (fewest, most) = (low(|it| it.1), high(|it| it.1));
    let pad = ((most - fewest) * 0.08).max(0.25);
    let across = Axis { least: (fewest - pad).max(0.0), most: most + pad, from: LEFT, to: WIDTH - RIGHT };
    let (fastest, slowest) = (libm::log10(low(|it| it.2)), libm::log10(high(|it| it.3)));
    let up =
        Axis { least: fastest - 0.12, most: slowest + 0.12, from: top + HEIGHT - BELOW, to: top + ABOVE };
    grid(svg, &across, &up, top);

    let mut drawn: Vec<Drawn<'_>> = (figures.iter())
        .map(|(row, requests, p50, p99)| Drawn {
            row,
            x: across.at(*requests),
            p50: up.at(libm::log10(*p50)),
            p99: up.at(libm::log10(*p99)),
        })
        .collect();
    drawn.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.p99.total_cmp(&b.p99)));
    let front: Vec<String> =
        drawn.iter().filter(|it| it.row.on_front).map(|it| format!("{:.1},{:.1}", it.x, it.p99)).collect();
    if front.len() > 1 {
        let _ = writeln!(svg, "<polyline class=\"front\" points=\"{}\"/>", front.join(" "));
    }
    for it in &drawn {
        let on = if it.row.on_front { " on" } else { "" };
        let (x, p50, p99) = (it.x, it.p50, it.p99);
        let _ = writeln!(svg, "<path class=\"stem\" d=\"M{x:.1} {p99:.1}V{p50:.1}\"/>");
        let _ = writeln!(svg, "<circle class=\"ring{on}\" cx=\"{x:.1}\" cy=\"{p50:.1}\" r=\"3.5\"/>");
        let _ = writeln!(svg, "<circle class=\"dot{on}\" cx=\"{x:.1}\" cy=\"{p99:.1}\" r=\"4\"/>");
    }
    names(svg, &drawn, top);
}

/// The name of each strategy beside its dot; a dashed line leads to one that is farther off.
fn names(svg: &mut String, drawn: &[Drawn<'_>], top: f64) {
    let outer = Area {
        x: LEFT + 2.0,
        y: top + ABOVE + 2.0,
        width: WIDTH - LEFT - RIGHT - 4.0,
        height: HEIGHT - ABOVE - BELOW - 4.0,
    };
    let dots = |it: &Drawn<'_>| [Area::around(it.x, it.p99, DOT), Area::around(it.x, it.p50, DOT)];
    let stem = |it: &Drawn<'_>| Area { x: it.x - 1.0, y: it.p99, width: 2.0, height: it.p50 - it.p99 };
    let mut taken: Vec<Area> = drawn.iter().flat_map(dots).chain(drawn.iter().map(stem)).collect();
    let front: Vec<&Drawn<'_>> = drawn.iter().filter(|it| it.row.on_front).collect();
    for ends in front.windows(2) {
        let [a, b] = ends else { continue };
        let parts = 100u32;
        let along = |part: u32| f64::from(part) / f64::from(parts);
        let at = |part: u32| (a.x + (b.x - a.x) * along(part), a.p99 + (b.p99 - a.p99) * along(part));
        taken.extend((0..=parts).map(at).map(|(x, y)| Area::around(x, y, 2.5)));
    }
    let points: Vec<(f64, f64)> = drawn.iter().map(|it| (it.x, it.p99)).collect();
    let letters = |index: usize| drawn.get(index).map_or(0, |it| it.row.fan_out.chars().count());
    let wide = |index: usize| f64::from(u32::try_from(letters(index)).unwrap_or(u32::MAX)) * LETTER;
    let places = place(&points, |index| (wide(index), LINE), &taken, &outer);
    for (it, area) in drawn.iter().zip(places) {
        // Where there is no room at all, the table still has it.
        let Some(area) = area else { continue };
        let (x, y) = area.middle();
        let reach = libm::hypot(x - it.x, y - it.p99) - area.width / 2.0;
        if reach > 18.0 {
            let (from, to) = (it.x, it.p99);
            let (end, edge) =
                (from.clamp(area.x, area.x + area.width), to.clamp(area.y, area.y + area.height));
            let _ = writeln!(svg, "<path class=\"lead\" d=\"M{from:.1} {to:.1}L{end:.1} {edge:.1}\"/>");
        }
        let (left, base) = (area.x, area.y + 11.0);
        let _ = writeln!(svg, "<text x=\"{left:.1}\" y=\"{base:.1}\">{}</text>", escaped(&it.row.fan_out));
    }
}

fn grid(svg: &mut String, across: &Axis, up: &Axis, top: f64) {
    let bottom = top + HEIGHT - BELOW;
    for value in steps(across.least, across.most) {
        let (x, above) = (across.at(value), top + ABOVE);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} {above:.1}V{bottom:.1}\"/>\
             <text class=\"faint\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            number(value)
        );
    }
    for value in powers(up.least, up.most) {
        let (y, right) = (up.at(libm::log10(value)), WIDTH - RIGHT);
        let words = if value < 1000.0 {
            format!("{} ms", number(value))
        } else {
            format!("{} s", number(value / 1000.0))
        };
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT:.1} {y:.1}H{right:.1}\"/>\
             <text class=\"faint\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{words}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    let _ = writeln!(
        svg,
        "<text class=\"faint\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">requests a search</text>",
        bottom + 38.0
    );
}

/// Round numbers from `least` to `most`, some eight of them.
fn steps(least: f64, most: f64) -> Vec<f64> {
    const STEPS: [f64; 8] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0];
    let step = STEPS.into_iter().find(|step| (most - least) / step <= 9.0).unwrap_or((most - least) / 8.0);
    let first = (least / step).ceil();
    (0..32u32).map(|it| (first + f64::from(it)) * step).take_while(|it| *it <= most).collect()
}

/// 1, 2 and 5 of each power of ten, between two logarithms.
fn powers(least: f64, most: f64) -> Vec<f64> {
    let tens = (-3..9).map(|power| libm::pow(10.0, f64::from(power)));
    let all = tens.flat_map(|ten| [1.0, 2.0, 5.0].map(|it| it * ten));
    all.filter(|it| (least..=most).contains(&libm::log10(*it))).collect()
}

/// As few digits as it has.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::front::front;
    use super::super::pool::tests::row;
    use super::*;

    fn compared(mut rows: Vec<Row>) -> Comparison {
        let costs: Vec<_> = rows.iter().map(|row| row.p99_ms.zip(row.requests_per_search)).collect();
        rows.iter_mut().zip(front(&costs)).for_each(|(row, on)| row.on_front = on);
        Comparison { scenario: "a&b<c>.toml".into(), seeds: 20, answers_wanted: (3, 3), rows }
    }

    fn usual() -> Comparison {
        compared(vec![
            row("1", 144.0, 845.0, 3.387),
            row("2", 90.0, 650.0, 3.380),
            row("3", 57.0, 518.0, 3.375),
            row("5", 46.0, 357.0, 5.284),
            row("8", 45.0, 290.0, 8.281),
            row("hedged", 54.0, 408.0, 3.459),
            row("adaptive", 53.7, 407.0, 3.460),
        ])
    }

    /// The places of the names in `svg`: the texts that are neither faint nor the title.
    fn places(svg: &str) -> Vec<(Area, String)> {
        let number = |text: &str, key: &str| -> f64 {
            text.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        (svg.lines().filter(|it| it.starts_with("<text x=")))
            .map(|it| {
                let name = it.split('>').nth(1).unwrap().trim_end_matches("</text").to_owned();
                let (x, y) = (number(it, " x"), number(it, " y") - 11.0);
                (Area { x, y, width: LETTER * name.len() as f64, height: LINE }, name)
            })
            .collect()
    }

    #[test]
    fn every_strategy_is_named_once_and_no_name_covers_another() {
        let twins = compared(vec![row("hedged", 9.0, 99.0, 3.0); 5]);
        for (compared, count) in [(usual(), 7), (twins, 5)] {
            let places = places(&plot(&[compared]));
            assert_eq!(places.len(), count);
            for (index, (area, name)) in places.iter().enumerate() {
                let over = places[..index].iter().find(|it| it.0.overlaps(area));
                assert!(over.is_none(), "{name} is over {over:?}");
            }
        }
    }

    #[test]
    fn the_front_is_a_line_through_its_dots() {
        let svg = plot(&[usual()]);
        let line = svg.lines().find(|it| it.starts_with("<polyline")).unwrap();
        assert_eq!(line.matches(',').count(), 5, "3, hedged, adaptive, 5, 8: {line}");
        assert_eq!(svg.matches("class=\"dot on\"").count(), 5);
        assert_eq!(svg.matches("class=\"dot\"").count(), 2);
        let one = plot(&[compared(vec![row("1", 1.0, 2.0, 3.0)])]);
        assert!(!one.contains("<polyline") && !one.contains("NaN") && !one.contains("inf"));
    }

    #[test]
    fn panels_stand_below_each_other_and_names_of_files_are_escaped() {
        let svg = plot(&[usual(), usual()]);
        assert!(svg.contains("viewBox=\"0 0 760 800\""));
        assert_eq!(svg.matches("a&amp;b&lt;c&gt;.toml").count(), 2);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(plot(&[compared(vec![])]).ends_with("</svg>\n"));
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            steps(2.9, 8.6).iter().map(|it| number(*it)).collect::<Vec<_>>(),
            ["3", "4", "5", "6", "7", "8"]
        );
        assert_eq!(
            steps(3.1, 3.6).iter().map(|it| number(*it)).collect::<Vec<_>>(),
            ["3.1", "3.2", "3.3", "3.4", "3.5", "3.6"]
        );
        let logs = powers(libm::log10(40.0), libm::log10(1100.0));
        assert_eq!(
            logs.iter().map(|it| number(*it)).collect::<Vec<_>>(),
            ["50", "100", "200", "500", "1000"]
        );
    }
}
