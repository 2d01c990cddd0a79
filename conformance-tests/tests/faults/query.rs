//! H5, with room for one fault.

use crate::fault::Fault;

/// Whether a query asks for checks.
///
/// # Errors
///
/// Never without a fault: the request fails.
pub(crate) fn asks_for_checks(query: &str, fault: Option<Fault>) -> Result<bool, ()> {
    let has = |other: Fault| fault == Some(other);
    let mut query = query.to_owned();
    match fault {
        Some(Fault::ChecksNeverRun) => return Ok(false),
        Some(Fault::AnyQueryRunsChecks) => return Ok(!query.is_empty()),
        Some(Fault::LongQueryCut) => query.truncate(4096),
        Some(Fault::DecodedBeforeSplit) => query = lossy(&decode(query.as_bytes(), fault)?),
        _ => {}
    }
    let is_separator = |c: char| c == '&' || (c == ';' && has(Fault::SemicolonSeparates));
    let mut asks = None;
    for (index, pair) in query.split(is_separator).enumerate() {
        if pair.is_empty() && index > 0 && has(Fault::EmptyPairEndsQuery) {
            break;
        }
        let (key, mut value) = pair.split_once('=').unwrap_or((pair, ""));
        if has(Fault::EqualsSignEndsValue) {
            value = value.split('=').next().unwrap_or_default();
        }
        let mut key = match fault {
            Some(Fault::KeyNotDecoded | Fault::NotDecoded) => key.as_bytes().to_vec(),
            _ => decode(key.as_bytes(), fault)?,
        };
        let mut value = match fault {
            Some(Fault::NotDecoded) => value.as_bytes().to_vec(),
            _ => decode(value.as_bytes(), fault)?,
        };
        match fault {
            Some(Fault::DecodedTwice) => {
                (key, value) = (decode(&key, fault)?, decode(&value, fault)?)
            }
            Some(Fault::SpacesTrimmed) => {
                (key, value) = (key.trim_ascii().to_vec(), value.trim_ascii().to_vec());
            }
            Some(Fault::NulEndsValue) => {
                value = value.split(|&b| b == 0).next().unwrap_or_default().to_vec()
            }
            Some(Fault::InvalidUtf8Dropped) => {
                (key, value) = (lossy(&key).into(), lossy(&value).into());
            }
            Some(Fault::InvalidUtf8Fails)
                if std::str::from_utf8(&[&key[..], &value[..]].concat()).is_err() =>
            {
                return Err(());
            }
            _ => {}
        }
        if is_key(&key, fault)
            && !(has(Fault::InvalidValueSkipped) && std::str::from_utf8(&value).is_err())
        {
            let is_asking = is_value(&value, fault);
            asks = match (asks, fault) {
                (Some(first), Some(Fault::FirstOfSeveralCounts)) => Some(first),
                (Some(any), Some(Fault::AnyOfSeveralCounts)) => Some(any || is_asking),
                _ => Some(is_asking),
            };
        } else if has(Fault::LastPairOnly) {
            asks = None;
        }
        if has(Fault::FirstPairOnly) {
            break;
        }
    }
    Ok(asks.unwrap_or(false))
}

fn is_key(key: &[u8], fault: Option<Fault>) -> bool {
    let text = lossy(key);
    match fault {
        Some(Fault::KeyInAnyCase) => text.eq_ignore_ascii_case("checks"),
        Some(Fault::KeyInUnicodeCase) => text.to_lowercase() == "checks",
        Some(Fault::KeyContained) => text.contains("check"),
        _ => key == b"checks",
    }
}

fn is_value(value: &[u8], fault: Option<Fault>) -> bool {
    let value = match fault {
        Some(Fault::ValueInOneCase) => value.to_vec(),
        _ => value.to_ascii_lowercase(),
    };
    let text = lossy(&value);
    match fault {
        Some(Fault::AnyValueRunsChecks) => true,
        Some(Fault::TruthyValues) => ["all", "true", "1", "yes"].contains(&&*text),
        Some(Fault::AllUnknown) => value == b"true",
        Some(Fault::TrueUnknown) => value == b"all",
        Some(Fault::ValueIsAPrefix) => text.starts_with("all"),
        Some(Fault::ValueAbbreviated) => {
            !value.is_empty() && (b"all".starts_with(&value) || value == b"true")
        }
        Some(Fault::ListsAccepted) => text.split(',').any(|item| item == "all" || item == "true"),
        _ => value == b"all" || value == b"true",
    }
}

/// Undoes percent-encoding, and `+` for a space.
fn decode(bytes: &[u8], fault: Option<Fault>) -> Result<Vec<u8>, ()> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, escaped) {
            (b'+', _) => decoded.push(b' '),
            (b'%', Some(escaped)) => {
                decoded.push(escaped);
                rest = &after[2..];
            }
            (b'%', None) if fault == Some(Fault::BadEscapeDropped) => {}
            (b'%', None) if fault == Some(Fault::BadEscapeFails) => return Err(()),
            _ => decoded.push(byte),
        }
    }
    Ok(decoded)
}

/// Without what is no UTF-8.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\u{fffd}', "")
}
