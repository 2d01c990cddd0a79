//! The latest results and durations of a check, as a small picture.

use std::fmt::Write as _;
use std::time::Duration;

use maud::{Markup, Render, html};

use super::check::Counts;
use super::human::Lasting;
use crate::check::Status;
use crate::details::Sample;

/// The width and the number of executions that fit: one a pixel, the latest at the right.
const WIDTH: usize = 60;

/// The height of the longest duration; a frame of one pixel is around it.
const HEIGHT: f64 = 8.0;

/// The durations are a line, from zero to the longest; errors are bars of the whole height behind it, degraded results of
/// half of it. The title says it in words.
pub(super) fn sparkline(history: &[Sample]) -> Markup {
    let latest = &history[history.len().saturating_sub(WIDTH)..];
    let durations = || latest.iter().map(|sample| sample.duration);
    let (Some(shortest), Some(longest)) = (durations().min(), durations().max()) else {
        return html! {};
    };
    html! {
        svg viewBox="0 0 60 10" role="img" {
            title {
                "Last " (latest.len()) @if latest.len() == 1 { " run: " } @else { " runs: " }
                (Counts::of(latest.iter().map(|sample| Some(sample.status))))
                ", " (Lasting(shortest))
                @if longest > shortest { " to " (Lasting(longest)) }
            }
            (Bars { latest, status: Status::Error, class: "e", y: 5 })
            (Bars { latest, status: Status::Degraded, class: "d", y: 8 })
            path d=(Line { latest, longest }) {}
        }
    }
}

/// A horizontal stroke for each series of executions with a status; the style makes it as thick as a bar is high.
struct Bars<'a> {
    latest: &'a [Sample],
    status: Status,
    class: &'static str,
    y: u8,
}

impl Render for Bars<'_> {
    fn render_to(&self, out: &mut String) {
        let mut x = WIDTH - self.latest.len();
        let mut is_first = true;
        for series in self.latest.chunk_by(|a, b| a.status == b.status) {
            if series.first().is_some_and(|sample| sample.status == self.status) {
                if is_first {
                    let _ = write!(out, "<path class=\"{}\" d=\"", self.class);
                    is_first = false;
                }
                let _ = write!(out, "M{x} {}h{}", self.y, series.len());
            }
            x += series.len();
        }
        if !is_first {
            out.push_str("\"></path>");
        }
    }
}

/// Relative steps, which are the shortest to write; those of equal durations are one.
struct Line<'a> {
    latest: &'a [Sample],
    longest: Duration,
}

impl Render for Line<'_> {
    fn render_to(&self, out: &mut String) {
        let longest = self.longest.as_secs_f64();
        let scale = if longest > 0.0 { HEIGHT / longest } else { 0.0 };
        // Rounded: the cast cuts the fraction off.
        let y = |sample: &Sample| 9 - (sample.duration.as_secs_f64() * scale + 0.5) as i8;
        let mut before = self.latest.first().map_or(9, y);
        let _ = write!(out, "M{} {before}", WIDTH - self.latest.len());
        // A single execution is a dot.
        let mut flat = usize::from(self.latest.len() == 1);
        let mut is_line = false;
        for now in self.latest.iter().skip(1).map(y) {
            let step = now - before;
            before = now;
            if step == 0 {
                flat += 1;
                continue;
            }
            if flat > 0 {
                let _ = write!(out, "h{flat}");
                flat = 0;
                is_line = false;
            }
            out.push(if is_line { ' ' } else { 'l' });
            out.push('1');
            out.push(if step < 0 { '-' } else { ' ' });
            // One digit, because the picture is eight high.
            out.push(char::from(b'0' + step.unsigned_abs()));
            is_line = true;
        }
        if flat > 0 {
            let _ = write!(out, "h{flat}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::sparkline;
    use crate::check::Status;
    use crate::details::Sample;

    fn drawn(samples: &[(Status, u64)]) -> String {
        let samples: Vec<_> = samples
            .iter()
            .map(|&(status, milliseconds)| Sample {
                status,
                duration: Duration::from_millis(milliseconds),
            })
            .collect();
        sparkline(&samples).into_string()
    }

    #[test]
    fn each_execution_is_one_step_and_the_latest_is_at_the_right() {
        use Status::{Degraded, Error, Ok};
        assert_eq!(
            drawn(&[(Ok, 0), (Ok, 4), (Error, 8), (Error, 8), (Ok, 1), (Degraded, 2), (Error, 2)]),
            concat!(
                r#"<svg viewBox="0 0 60 10" role="img"><title>Last 7 runs: 3 errors, 1 degraded, 3 OK, 0 s to 8 ms</title>"#,
                r#"<path class="e" d="M55 5h2M59 5h1"></path><path class="d" d="M58 8h1"></path>"#,
                r#"<path d="M53 9l1-4 1-4h1l1 7 1-1h1"></path></svg>"#,
            )
        );
    }

    #[test]
    fn one_execution_is_a_dot_and_none_is_nothing() {
        let one = drawn(&[(Status::Ok, 3)]);
        assert!(one.contains("<title>Last 1 run: 1 OK, 3 ms</title>"), "{one}");
        assert!(one.contains(r#"d="M59 1h1""#), "{one}");
        assert_eq!(drawn(&[]), "");
    }

    #[test]
    fn an_execution_of_no_time_or_of_ages_is_drawn() {
        let age = Duration::MAX;
        let samples = [age, Duration::ZERO].map(|duration| Sample { status: Status::Ok, duration });
        assert!(sparkline(&samples).into_string().contains("M58 1l1 8"));
        assert!(drawn(&[(Status::Ok, 0), (Status::Ok, 0)]).contains("M58 9h1"));
    }
}
