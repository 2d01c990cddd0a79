//! The bearer tokens of readers who may see everything (RFC 6750).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::thread;

use subtle::{Choice, ConstantTimeEq as _};

/// The tokens of readers who see the [full](super::DetailLevel::Full) level: a request with
/// `Authorization: Bearer TOKEN` ([H30](crate::contract#h30)). Clones share the tokens.
///
/// Several tokens are valid at the same time, so that one can be replaced without a gap: [replace](Self::replace) them with
/// the old and the new one, change the readers, and replace them with the new one.
///
/// ```
/// use health_core::{BearerTokens, DetailLevel, Endpoint, Health};
///
/// let tokens = BearerTokens::new(["Zm9yIHRoZSBkYXNoYm9hcmQ"])?;
/// let health = Health::builder()
///     .endpoint(
///         Endpoint::readiness("/ready")
///             .details(DetailLevel::States)
///             .full_details_for(&tokens),
///     )
///     .build()?;
/// tokens.replace(["Zm9yIHRoZSBkYXNoYm9hcmQ", "YW5vdGhlciBkYXNoYm9hcmQ"])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BearerTokens(Arc<RwLock<Tokens>>);

type Tokens = Arc<[Box<[u8]>]>;

/// How often a reader asks for the lock. A writer holds it for one assignment; the child of a fork may find it held
/// forever, by a thread that only its parent has.
const ATTEMPTS: usize = 1000;

/// Below this number of characters a token is easily guessed: 16 are 96 bits in base64.
pub(crate) const SHORT_TOKEN: usize = 16;

impl BearerTokens {
    /// Tokens that are valid from now on.
    ///
    /// # Errors
    ///
    /// There is no token, or one is empty or has a character that no bearer token can have: RFC 6750 allows ASCII letters,
    /// digits and `-._~+/`, and `=` at the end. A token of less than 16 characters is accepted; [building the
    /// endpoints](crate::HealthBuilder::build) logs a warning about it.
    pub fn new<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Result<Self, TokenError> {
        Ok(Self(Arc::new(RwLock::new(accepted(tokens)?))))
    }

    /// Makes these tokens valid, and all others invalid, for all clones.
    ///
    /// # Errors
    ///
    /// As in [`new`](Self::new); then the former tokens stay valid.
    pub fn replace<T: Into<String>>(
        &self,
        tokens: impl IntoIterator<Item = T>,
    ) -> Result<(), TokenError> {
        let mut tokens = accepted(tokens)?;
        std::mem::swap(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), &mut tokens);
        // The former ones are dropped here, without the lock.
        Ok(())
    }

    /// The valid tokens; `None` while they are replaced.
    fn current(&self) -> Option<Tokens> {
        match self.0.try_read() {
            Ok(tokens) => Some(tokens.clone()),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner().clone()),
            Err(TryLockError::WouldBlock) => {
                thread::yield_now();
                None
            }
        }
    }

    /// The number of characters of the shortest token.
    pub(crate) fn shortest(&self) -> usize {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.iter().map(|token| token.len()).min().unwrap_or(0)
    }

    /// Whether these are the lines of `Authorization` of a request with a valid token. Several lines are none: RFC 9110
    /// allows one. Compares with every token, and in a time that depends on their lengths only.
    pub(super) fn accept(&self, authorization: &[&[u8]]) -> bool {
        let [line] = authorization else {
            return false;
        };
        let Some(token) = bearer(line) else {
            return false;
        };
        let Some(tokens) = (0..ATTEMPTS).find_map(|_| self.current()) else {
            return false;
        };
        let found = tokens.iter().fold(Choice::from(0), |found, valid| found | valid.ct_eq(token));
        found.into()
    }
}

/// The token of a line of `Authorization`: the scheme, in any case, spaces, and the token.
fn bearer(line: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = line.trim_ascii().split_at_checked("bearer".len())?;
    let token = rest.trim_ascii_start();
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer") && token.len() < rest.len();
    is_bearer.then_some(token)
}

fn accepted<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Result<Tokens, TokenError> {
    let tokens: Vec<Box<[u8]>> = tokens
        .into_iter()
        .map(|token| {
            let token = token.into();
            match refused(&token) {
                None => Ok(token.into_bytes().into()),
                Some(error) => Err(error),
            }
        })
        .collect::<Result<_, _>>()?;
    if tokens.is_empty() { Err(TokenError::NoToken) } else { Ok(tokens.into()) }
}

fn refused(token: &str) -> Option<TokenError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    let word = token.trim_end_matches('=');
    if token.is_empty() {
        Some(TokenError::Empty)
    } else if word.is_empty() {
        Some(TokenError::Character('='))
    } else {
        word.chars().find(|&c| !is_allowed(c)).map(TokenError::Character)
    }
}

/// Omits the tokens: `Debug` output travels.
impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerTokens")
    }
}

/// The error of [`BearerTokens::new`] and [`BearerTokens::replace`]. It shows no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// There is no token.
    #[error("there is no bearer token: at least one is needed")]
    NoToken,
    /// A token is empty.
    #[error("a bearer token is empty: it needs a long random text")]
    Empty,
    /// A token has a character that no bearer token can have.
    #[error(
        "a bearer token must not contain {0:?}: only ASCII letters, digits and any of -._~+/ are accepted, and = at the end"
    )]
    Character(char),
}

#[cfg(test)]
mod tests {
    use super::{BearerTokens, TokenError};

    const FIRST: &str = "c3VjaCBhIHNlY3JldA==";
    const SECOND: &str = "YW5vdGhlciBzZWNyZXQ";

    fn tokens() -> BearerTokens {
        BearerTokens::new([FIRST, SECOND]).unwrap()
    }

    fn accepts(tokens: &BearerTokens, line: &str) -> bool {
        tokens.accept(&[line.as_bytes()])
    }

    #[test]
    fn every_valid_token_is_accepted_with_the_scheme_in_any_case() {
        for token in [FIRST, SECOND] {
            for scheme in ["Bearer ", "bearer ", "BEARER   ", " Bearer ", "Bearer \t"] {
                assert!(accepts(&tokens(), &format!("{scheme}{token}")), "{scheme:?}");
            }
            assert!(accepts(&tokens(), &format!("Bearer {token} ")));
        }
    }

    #[test]
    fn anything_else_is_no_token() {
        let long = format!("Bearer {}", "x".repeat(100_000));
        for line in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Bearer c3VjaCBhIHNlY3JldA=",
            "Bearer c3VjaCBhIHNlY3JldA===",
            "Bearer C3VjaCBhIHNlY3JldA==",
            "Bearerc3VjaCBhIHNlY3JldA==",
            "Basic c3VjaCBhIHNlY3JldA==",
            "Bearer YW5vdGhlciBzZWNyZXQ, Bearer YW5vdGhlciBzZWNyZXQ",
            "Bearer é",
            "é",
            &long,
        ] {
            assert!(!accepts(&tokens(), line), "{line:.80}");
        }
        assert!(!tokens().accept(&[]));
        assert!(!tokens().accept(&[b"Bearer \xff\xfe"]));
        let line = format!("Bearer {FIRST}");
        assert!(!tokens().accept(&[line.as_bytes(), line.as_bytes()]), "two headers");
    }

    #[test]
    fn replaced_tokens_are_invalid_for_every_clone_at_once() {
        let tokens = tokens();
        let clone = tokens.clone();
        tokens.replace([SECOND]).unwrap();
        assert!(!accepts(&clone, &format!("Bearer {FIRST}")));
        assert!(accepts(&clone, &format!("Bearer {SECOND}")));
        assert_eq!(tokens.replace([""]), Err(TokenError::Empty));
        assert!(accepts(&clone, &format!("Bearer {SECOND}")), "the former tokens stay");
    }

    #[test]
    fn a_token_that_stays_is_valid_while_the_others_are_replaced() {
        let tokens = tokens();
        let replacing = tokens.clone();
        let replaced = std::thread::spawn(move || {
            for _ in 0..2_000 {
                replacing.replace([FIRST, SECOND]).unwrap();
                replacing.replace([FIRST]).unwrap();
            }
        });
        let line = format!("Bearer {FIRST}");
        while !replaced.is_finished() {
            assert!(accepts(&tokens, &line));
        }
        replaced.join().unwrap();
    }

    #[test]
    fn a_token_that_no_request_can_have_is_an_error_without_the_token() {
        let error = |token: &str| BearerTokens::new([FIRST, token]).unwrap_err();
        assert_eq!(error(""), TokenError::Empty);
        assert_eq!(error("=="), TokenError::Character('='));
        for (token, character) in
            [("two words", ' '), ("sécret", 'é'), ("a=b", '='), ("line\n", '\n'), ("\"q\"", '"')]
        {
            assert_eq!(error(token), TokenError::Character(character));
            assert!(!error(token).to_string().contains(token));
        }
        assert_eq!(BearerTokens::new::<&str>([]).unwrap_err(), TokenError::NoToken);
        assert!(!format!("{:?}", tokens()).contains(FIRST));
    }
}
