//! Durations as text: `500ms`, `2s`, `1m`, `1h`.

use std::time::Duration;

/// Parses a whole number with a unit. `None` for any other text, for zero, and on overflow.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(60 * 60)?),
        _ => return None,
    };
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn a_whole_number_with_a_unit_is_a_duration() {
        for (text, milliseconds) in [
            ("1ms", 1),
            ("500ms", 500),
            ("2s", 2_000),
            ("090s", 90_000),
            ("3m", 180_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse("18446744073709551615s"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn any_other_text_is_none() {
        for text in [
            "",
            "2",
            "s",
            "ms",
            "0s",
            "0ms",
            "-2s",
            "+2s",
            "2.5s",
            "2 s",
            " 2s",
            "2s ",
            "2s\r",
            "2S",
            "2sec",
            "2d",
            "2us",
            "1m30s",
            "1e3s",
            "0x2s",
            "٢s",
            "PT2S",
            "inf",
            "2s2",
            "18446744073709551616s",
            "18446744073709551615m",
            "5124095576030432h",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
