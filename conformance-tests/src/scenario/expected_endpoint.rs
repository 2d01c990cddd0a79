//! The responses of an endpoint in each state: the table of H16.

use crate::scenario::Answer;
use crate::setup::{Check, Endpoint, Preset, Setup};

/// What an endpoint finds the application in (H17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Ok,
    Degraded,
    Failing,
    Starting,
    Maintenance,
    Draining,
}

impl Answer {
    /// The state of a response; `None` if no endpoint sends it, or it is not read.
    pub(crate) fn state(self) -> Option<State> {
        match self {
            Self::Ok | Self::OkOrRefused | Self::OkOrNothing | Self::OkOrMaintenance => {
                Some(State::Ok)
            }
            Self::Degraded => Some(State::Degraded),
            Self::Error => Some(State::Failing),
            Self::Starting => Some(State::Starting),
            Self::Maintenance => Some(State::Maintenance),
            Self::Draining => Some(State::Draining),
            Self::Application | Self::NotFound | Self::NotFoundOrRefused | Self::Unread => None,
        }
    }
}

/// Every header that an endpoint may have in addition to those of H9.
pub(crate) const OTHER_HEADERS: [&str; 4] =
    ["retry-after", "vary", "x-envoy-degraded", "x-envoy-immediate-health-check-fail"];

/// The segment of a path for a check of this name (H32).
fn segment(name: &str) -> String {
    let is_dots = name.chars().all(|c| c == '.');
    let escaped = |byte: u8| match byte {
        b'-' | b'_' => char::from(byte).to_string(),
        b'.' if !is_dots => ".".to_owned(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("~{byte:02x}"),
    };
    name.bytes().map(escaped).collect()
}

/// The response of an endpoint in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) word: &'static str,
    /// Those of [`OTHER_HEADERS`] that it has.
    pub(crate) others: Vec<(&'static str, String)>,
}

/// One endpoint of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpectedEndpoint<'a> {
    setup: &'a Setup,
    /// `None`: that of `healthcheck.url`.
    endpoint: Option<&'a Endpoint>,
    /// The only check, at the path of a check (H32).
    check: Option<&'a Check>,
}

impl<'a> ExpectedEndpoint<'a> {
    /// The endpoint that a request for `target` is for; that of H11 if it is for no other.
    pub(crate) fn at(setup: &'a Setup, target: &str) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        let mut endpoints = setup.endpoints.iter();
        let endpoint = endpoints.find(|endpoint| endpoint.path == path);
        let of_check = || {
            let mut endpoints = setup.endpoints.iter().filter(|endpoint| endpoint.check_paths);
            endpoints.find_map(|endpoint| {
                let all = Self { setup, endpoint: Some(endpoint), check: None };
                let checks = all.checks().into_iter();
                let check = checks
                    .clone()
                    .find(|check| path == format!("{}/{}", endpoint.path, segment(&check.name)))?;
                Some(Self { check: Some(check), ..all })
            })
        };
        let all = Self { setup, endpoint, check: None };
        if endpoint.is_some() { all } else { of_check().unwrap_or(all) }
    }

    /// Whether a reader can see more of it than its word.
    pub(crate) fn has_details(&self) -> bool {
        self.endpoint.is_some_and(Endpoint::has_details)
    }

    /// Whether a record has the reference of a failure of the check (H29).
    pub(crate) fn has_reference(setup: &Setup, check: &Check) -> bool {
        setup.endpoints.iter().filter(|endpoint| endpoint.has_details()).any(|endpoint| {
            let shown = ExpectedEndpoint { setup, endpoint: Some(endpoint), check: None }.checks();
            shown.iter().any(|shown| shown.name == check.name)
        })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &'a str {
        self.endpoint.map_or_else(|| self.setup.url(), |endpoint| &endpoint.path)
    }

    fn preset(&self) -> Preset {
        self.endpoint.map_or(Preset::Pyramid, |endpoint| endpoint.preset)
    }

    /// The checks that it may run, in registration order.
    pub(crate) fn checks(&self) -> Vec<&'a Check> {
        if let Some(check) = self.check {
            return vec![check];
        }
        let is_chosen = |check: &&Check| match self.endpoint {
            Some(endpoint) if endpoint.chooses() => {
                let mut names = endpoint.checks.iter().flatten();
                names.any(|name| *name == check.name)
                    || endpoint.tags.iter().any(|tag| check.tags.contains(tag))
            }
            _ => self.preset() != Preset::Liveness,
        };
        self.setup.checks.iter().filter(is_chosen).collect()
    }

    /// The response in a state; `None` if the endpoint ignores it.
    pub(crate) fn shows(&self, state: State) -> Option<Shown> {
        let (status, word) = self.answer(state)?;
        let mut others = Vec::new();
        if let (State::Maintenance, Some(seconds)) = (state, self.retry_after()) {
            others.push(("retry-after", seconds.to_string()));
        }
        if self.endpoint.is_some_and(|endpoint| endpoint.details.is_some()) {
            others.push(("vary", "accept".to_owned()));
        }
        match (self.preset(), state) {
            (Preset::Envoy, State::Degraded) => {
                others.push(("x-envoy-degraded", "true".to_owned()));
            }
            (Preset::Envoy, State::Maintenance | State::Draining) => {
                others.push(("x-envoy-immediate-health-check-fail", "true".to_owned()));
            }
            _ => {}
        }
        Some(Shown { status, word, others })
    }

    fn retry_after(&self) -> Option<u64> {
        self.endpoint.and_then(|endpoint| endpoint.retry_after)
    }

    /// The table of H16.
    fn answer(&self, state: State) -> Option<(u16, &'static str)> {
        let (maintenance, failure) = self.codes();
        let ok = Some((200, "OK"));
        let error = Some((503, "ERROR"));
        let (degraded, drained) = (Some((429, "DEGRADED")), Some((maintenance, "MAINTENANCE")));
        let starting = |code| Some((code, "STARTING"));
        let maintained = |code| Some((code, "MAINTENANCE"));
        let draining = |code| Some((code, "DRAINING"));
        let row = match self.preset() {
            Preset::Pyramid => [ok, ok, Some((failure, "ERROR")), drained, drained, drained],
            Preset::Liveness => [ok, ok, error, None, None, None],
            Preset::Startup => [ok, ok, error, starting(503), None, None],
            Preset::Strict | Preset::Readiness | Preset::Envoy => {
                [ok, ok, error, starting(503), maintained(503), draining(503)]
            }
            Preset::Haproxy404 => [ok, ok, error, starting(404), maintained(404), draining(404)],
            Preset::Consul => [ok, degraded, error, starting(503), maintained(503), draining(503)],
            Preset::Nagios => [ok, degraded, error, starting(429), maintained(429), draining(429)],
        };
        row[state as usize]
    }

    /// Those of H11, which apply to the first endpoint alone.
    fn codes(&self) -> (u16, u16) {
        let code = |key: &str, default| {
            let written = self
                .setup
                .settings
                .get(&format!("healthcheck.{key}"))
                .filter(|_| self.endpoint.is_none());
            written.and_then(|code| code.parse().ok()).unwrap_or(default)
        };
        (code("maintenance_code", 299), code("failure_code", 503))
    }
}

/// Status, and the body if the response is that of an endpoint.
pub(crate) fn expected_answer(
    answer: Answer,
    endpoint: &ExpectedEndpoint<'_>,
) -> (u16, Option<&'static str>) {
    match answer.state() {
        Some(state) => {
            let shown = endpoint.shows(state);
            shown.map_or((200, None), |shown| (shown.status, Some(shown.word)))
        }
        None if answer == Answer::Application => (200, None),
        None if matches!(answer, Answer::NotFound | Answer::NotFoundOrRefused) => (404, None),
        None => (200, Some("OK")),
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpectedEndpoint, State};
    use crate::setup::Setup;

    /// The responses of each preset, from ok to draining.
    const TABLE: [(&str, &str); 9] = [
        ("pyramid", "200 OK, 200 OK, 503 ERROR, 299 MAINTENANCE, 299 MAINTENANCE, 299 MAINTENANCE"),
        ("strict", "200 OK, 200 OK, 503 ERROR, 503 STARTING, 503 MAINTENANCE, 503 DRAINING"),
        ("liveness", "200 OK, 200 OK, 503 ERROR, -, -, -"),
        ("readiness", "200 OK, 200 OK, 503 ERROR, 503 STARTING, 503 MAINTENANCE, 503 DRAINING"),
        ("startup", "200 OK, 200 OK, 503 ERROR, 503 STARTING, -, -"),
        ("haproxy_404", "200 OK, 200 OK, 503 ERROR, 404 STARTING, 404 MAINTENANCE, 404 DRAINING"),
        ("consul", "200 OK, 429 DEGRADED, 503 ERROR, 503 STARTING, 503 MAINTENANCE, 503 DRAINING"),
        ("nagios", "200 OK, 429 DEGRADED, 503 ERROR, 429 STARTING, 429 MAINTENANCE, 429 DRAINING"),
        (
            "envoy",
            "200 OK, 200 OK x-envoy-degraded, 503 ERROR, 503 STARTING, \
            503 MAINTENANCE x-envoy-immediate-health-check-fail, \
            503 DRAINING x-envoy-immediate-health-check-fail",
        ),
    ];

    const STATES: [State; 6] = [
        State::Ok,
        State::Degraded,
        State::Failing,
        State::Starting,
        State::Maintenance,
        State::Draining,
    ];

    #[test]
    fn the_table_is_that_of_the_contract() {
        for (preset, row) in TABLE {
            let setup = format!(r#"{{"endpoints":[{{"path":"/up","preset":"{preset}"}}]}}"#);
            let setup: Setup = serde_json::from_str(&setup).unwrap();
            let endpoint = ExpectedEndpoint::at(&setup, "/up?checks=all");
            let shown = STATES.map(|state| match endpoint.shows(state) {
                Some(shown) => {
                    let others: String =
                        shown.others.iter().map(|(name, _)| format!(" {name}")).collect();
                    format!("{} {}{others}", shown.status, shown.word)
                }
                None => "-".to_owned(),
            });
            assert_eq!(shown.join(", "), row, "{preset}");
        }
    }

    #[test]
    fn codes_of_settings_are_for_their_own_endpoint_and_retry_after_is_for_maintenance() {
        let setup = r#"{"settings":{"healthcheck.maintenance_code":"503","healthcheck.failure_code":"500"},
            "endpoints":[{"path":"/up","preset":"pyramid","retry_after":9}]}"#;
        let setup: Setup = serde_json::from_str(setup).unwrap();
        let status =
            |path: &str, state| ExpectedEndpoint::at(&setup, path).shows(state).unwrap().status;
        assert_eq!(status("/health", State::Draining), 503);
        assert_eq!(status("/health", State::Failing), 500);
        assert_eq!(status("/up", State::Maintenance), 299);
        assert_eq!(status("/up", State::Failing), 503);
        let others =
            |path: &str, state| ExpectedEndpoint::at(&setup, path).shows(state).unwrap().others;
        let expected = [("retry-after", "9".to_owned())];
        assert_eq!(others("/up", State::Maintenance), expected);
        assert_eq!(others("/up", State::Draining), []);
        assert_eq!(others("/health", State::Maintenance), []);
    }

    #[test]
    fn an_endpoint_runs_the_checks_of_its_choice_by_name_or_tag_or_else_those_of_its_preset() {
        let setup = r#"{"checks":[{"name":"a"},{"name":"b","tags":["t"]},{"name":"c"}],"endpoints":[
            {"path":"/all","preset":"readiness"},{"path":"/none","preset":"liveness"},
            {"path":"/a","preset":"strict","checks":["a"]},{"path":"/t","preset":"strict","tags":["t"]},
            {"path":"/both","preset":"strict","checks":["a"],"tags":["t"]},
            {"path":"/empty","preset":"strict","checks":[]}]}"#;
        let setup: Setup = serde_json::from_str(setup).unwrap();
        for (path, expected) in [
            ("/health", "abc"),
            ("/all", "abc"),
            ("/none", ""),
            ("/a", "a"),
            ("/t", "b"),
            ("/both", "ab"),
            ("/empty", ""),
        ] {
            let checks = ExpectedEndpoint::at(&setup, path).checks();
            let names: String = checks.iter().map(|check| check.name.as_str()).collect();
            assert_eq!(names, expected, "{path}");
        }
    }
}
