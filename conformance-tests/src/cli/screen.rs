//! Color and progress on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

/// Prints a report for people, without colors if standard output is not a terminal.
///
/// # Errors
///
/// Writing to standard output failed.
pub(crate) fn show(report: &str) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    for line in report.lines() {
        let style = style(line);
        writeln!(output, "{style}{line}{style:#}")?;
    }
    Ok(())
}

fn style(line: &str) -> Style {
    let first = line.split(' ').next().unwrap_or_default();
    let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
    match first {
        "FAILED" | "OUT" => color(AnsiColor::Red).bold(),
        "UNMET" => color(AnsiColor::Yellow).bold(),
        "known" | "skipped" | "note" | "lacks" | "always" => Style::new().dimmed(),
        _ => Style::new(),
    }
}

/// A progress line on standard error, if that is a terminal.
pub(crate) struct Progress {
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal() }
    }

    pub(crate) fn show(&self, done: usize, total: usize) {
        if self.is_shown {
            // The progress is not important.
            let _ = write!(io::stderr(), "\r{done} of {total} scenarios");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
