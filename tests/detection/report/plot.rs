//! The picture: for every attack how many files were harmed before the alert, each dot one run.

use super::Gathered;
use crate::agent::Backend;
use crate::attacks::{self, approximately};
use crate::random::Random;

const ROW: f64 = 18.0;
const TOP: f64 = 70.0;
const LEFT: f64 = 230.0;
const WIDTH: f64 = 720.0;
/// The most files the axis shows; missed ones stand behind it.
const MOST: f64 = 1000.0;

/// Draws the picture.
pub(super) fn plot(gathered: &Gathered) -> String {
    let rows: Vec<_> = attacks::catalogue()
        .into_iter()
        .filter(|attack| {
            let runs = |backend| gathered.attacks.get(&(attack.name, backend));
            Backend::ALL
                .iter()
                .any(|backend| runs(*backend).is_some_and(|runs| !runs.is_empty()))
        })
        .collect();
    let height = approximately(u64::try_from(rows.len()).unwrap_or(0)).mul_add(ROW, TOP + 40.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"15\">Files harmed before the first high or critical event, each dot one run</text>\n",
        LEFT + WIDTH + 90.0
    );
    legend(&mut svg);
    for (files, strong) in [
        (1.0, false),
        (2.0, false),
        (5.0, true),
        (10.0, true),
        (15.0, true),
        (40.0, true),
        (100.0, false),
        (MOST, false),
    ] {
        let (x, dash) = (along(files), if strong { "4 3" } else { "1 4" });
        let colour = if strong { "#777" } else { "#ccc" };
        put(
            &mut svg,
            format_args!(
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-dasharray=\"{dash}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{files}</text>\n",
                height - 30.0,
                height - 14.0
            ),
        );
    }
    put(
        &mut svg,
        format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#555\">missed</text>\n",
            LEFT + WIDTH + 25.0,
            height - 14.0
        ),
    );
    for (number, attack) in rows.iter().enumerate() {
        let y = approximately(u64::try_from(number).unwrap_or(0)).mul_add(ROW, TOP + ROW / 2.0);
        put(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n\
                 <line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#eee\"/>\n",
                LEFT - 8.0,
                y + 4.0,
                attack.name,
                LEFT + WIDTH
            ),
        );
        for backend in Backend::ALL {
            for run in gathered
                .attacks
                .get(&(attack.name, backend))
                .into_iter()
                .flatten()
            {
                dot(&mut svg, y, backend, run.harmed_before, run.seed);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.push_str(&text.to_string());
}

/// Where so many files stand on the axis, which is logarithmic.
fn along(files: f64) -> f64 {
    let share = files.clamp(0.7, MOST).ln() - 0.7_f64.ln();
    LEFT + WIDTH * share / (MOST.ln() - 0.7_f64.ln())
}

const fn colour(backend: Backend) -> &'static str {
    match backend {
        Backend::Fanotify => "#0b6e99",
        Backend::Notify => "#d9730d",
        Backend::Windows => "#6940a5",
    }
}

/// A dot of each backend on its own third of the row, shaken a little so that equal ones can be told apart.
fn dot(svg: &mut String, y: f64, backend: Backend, harmed: Option<u64>, seed: u64) {
    let offset = match backend {
        Backend::Fanotify => -4.0,
        Backend::Notify => 0.0,
        Backend::Windows => 4.0,
    };
    let shaken = approximately(Random::of("plot", seed).next() % 100) / 50.0 - 1.0;
    let (y, fill) = (y + offset + shaken, colour(backend));
    match harmed {
        Some(files) => {
            let x = along(approximately(files).max(0.8)) + shaken;
            put(
                svg,
                format_args!(
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.4\" fill=\"{fill}\" fill-opacity=\"0.45\"/>\n"
                ),
            );
        }
        None => {
            let x = LEFT + WIDTH + 42.0 + shaken * 12.0;
            put(
                svg,
                format_args!(
                    "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{fill}\">×</text>\n",
                    y + 4.0
                ),
            );
        }
    }
}

fn legend(svg: &mut String) {
    for (number, backend) in Backend::ALL.into_iter().enumerate() {
        let x = approximately(u64::try_from(number).unwrap_or(0)).mul_add(110.0, 20.0);
        put(
            svg,
            format_args!(
                "<circle cx=\"{x}\" cy=\"42\" r=\"4\" fill=\"{}\"/><text x=\"{}\" y=\"46\">{}</text>\n",
                colour(backend),
                x + 9.0,
                backend.name()
            ),
        );
    }
    svg.push_str("<text x=\"360\" y=\"46\" fill=\"#555\">dashed: the goals 5, 10, 15 and, for removals, 40; the axis is logarithmic</text>\n");
}
