//! S3, Google Cloud Storage, Azure and others, by `object_store` 0.14.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ::object_store_0_14::ObjectStore;
//! use ::object_store_0_14::memory::InMemory;
//! use health_core::Health;
//! use health_indicators::{Indicator as _, object_store_0_14};
//!
//! let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
//! let health = Health::builder()
//!     .register(object_store_0_14::object(store, "health/present").check("images"))
//!     .build()?;
//! # Ok::<(), health_core::BuildError>(())
//! ```

use std::error::Error;
use std::sync::Arc;

use ::object_store_0_14::path::Path;
use ::object_store_0_14::{GetOptions, ObjectStore};

use crate::failure::BoxError;
use crate::{Ping, ping, reason};

/// Asks for the metadata of one object, by the client of the application. The object must exist.
///
/// With its defaults, the client repeats a request that fails, longer than the timeout: then the reason is `timed_out`, whatever
/// failed. A client with `RetryConfig { max_retries: 0, ..RetryConfig::default() }` tells the reason.
///
/// | | |
/// |---|---|
/// | class | shared |
/// | timeout | 2 seconds |
/// | connections | those of the client, which keeps them |
/// | reasons | `missing` (the object or the bucket), `unauthorized`, `timed_out`, `refused` and the like, `unsupported`, `misconfigured` (no path of an object), `failed` |
/// | permissions | to read the object (S3: `s3:GetObject`; without `s3:ListBucket`, a missing object is `unauthorized`) |
/// | costs the server | a `HEAD` request, which has its price |
/// | does not prove | that objects can be written or listed |
pub fn object(store: Arc<dyn ObjectStore>, path: impl Into<String>) -> Ping {
    head(store, path.into(), false)
}

/// As [`object`], and passes if the object is missing.
///
/// It proves that the service responds and accepts the credentials, but not that the bucket exists: to `HEAD`, S3 responds
/// the same to either.
pub fn service(store: Arc<dyn ObjectStore>, path: impl Into<String>) -> Ping {
    head(store, path.into(), true)
}

fn head(store: Arc<dyn ObjectStore>, path: String, may_be_missing: bool) -> Ping {
    use ::object_store_0_14::Error;

    let path = Path::parse(path).map_err(|error| error.to_string());
    let ask = move || {
        let (store, path) = (store.clone(), path.clone());
        async move {
            let path = path.map_err(InvalidPath)?;
            match store.get_opts(&path, GetOptions::new().with_head(true)).await {
                Err(Error::NotFound { .. }) if may_be_missing => Ok(()),
                asked => asked.map(drop).map_err(BoxError::from),
            }
        }
    };
    ping(ask).classify(classify)
}

#[derive(Debug)]
struct InvalidPath(String);

impl std::fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "this is no path of an object: {}", self.0)
    }
}

impl Error for InvalidPath {}

fn classify(error: &(dyn Error + 'static)) -> Option<&'static str> {
    use ::object_store_0_14::Error;

    if error.is::<InvalidPath>() {
        return Some(reason::MISCONFIGURED);
    }
    let Some(error) = error.downcast_ref::<Error>() else {
        return of_hyper(error);
    };
    match error {
        Error::NotFound { .. } => Some(reason::MISSING),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            Some(reason::UNAUTHORIZED)
        }
        Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => {
            Some(reason::MISCONFIGURED)
        }
        Error::NotSupported { .. } | Error::NotImplemented { .. } => Some(reason::UNSUPPORTED),
        _ => None,
    }
}

/// The end of a connection, of which hyper does not tell the cause. The stores hide the types of their HTTP client.
fn of_hyper(error: &(dyn Error + 'static)) -> Option<&'static str> {
    match error.to_string().as_str() {
        "operation was canceled" | "connection closed before message completed" => {
            Some(reason::CLOSED)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use ::object_store_0_14::memory::InMemory;
    use ::object_store_0_14::{Error, ObjectStoreExt as _};
    use health_core::Report;

    use super::*;
    use crate::Indicator as _;

    async fn reason(ping: Ping) -> Option<String> {
        Report::of("images", ping.test().await).reason().map(str::to_owned)
    }

    #[tokio::test]
    async fn an_object_must_exist_and_a_service_must_respond() {
        let store = Arc::new(InMemory::new());
        let missing = Some("missing".to_owned());
        assert_eq!(reason(object(store.clone(), "health/present")).await, missing);
        assert_eq!(reason(service(store.clone(), "health/present")).await, None);
        store.put(&Path::from("health/present"), "1".into()).await.unwrap();
        assert_eq!(reason(object(store.clone(), "health/present")).await, None);
        assert_eq!(reason(object(store, "/health/present/")).await, None);
    }

    #[tokio::test]
    async fn what_is_no_path_is_misconfigured() {
        for path in ["a//b", "..", "a/\0"] {
            let found = reason(object(Arc::new(InMemory::new()), path)).await;
            assert_eq!(found.as_deref(), Some("misconfigured"), "{path:?}");
        }
    }

    #[test]
    fn errors_of_the_service_have_reasons() {
        let source = || Box::new(io::Error::from(io::ErrorKind::ConnectionRefused));
        let path = || "health/present".to_owned();
        for (error, reason) in [
            (Error::NotFound { path: path(), source: source() }, Some("missing")),
            (Error::PermissionDenied { path: path(), source: source() }, Some("unauthorized")),
            (Error::Unauthenticated { path: path(), source: source() }, Some("unauthorized")),
            (Error::NotSupported { source: source() }, Some("unsupported")),
            (Error::Generic { store: "S3", source: source() }, None),
        ] {
            assert_eq!(classify(&error), reason, "{error}");
        }
        for text in ["operation was canceled", "connection closed before message completed"] {
            assert_eq!(classify(&*BoxError::from(text)), Some("closed"));
        }
        assert_eq!(classify(&*BoxError::from("operation timed out")), None);
        // The reason of its cause.
        let failed = Error::Generic { store: "S3", source: source() };
        let result = crate::failure::failure(&failed, classify);
        assert_eq!(Report::of("images", result).reason(), Some("refused"));
    }
}
