//! What can be wrong with a health endpoint: one thing each, and the scenarios that have to catch it.

/// Declares the enum, and the catalogue with the scenarios that catch each fault. The first is named after it; the
/// others are those that no fault is named after, each with one that it catches. `*` stands for any text.
macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $fault:ident => $($scenario:literal),+;)+) => {
        /// One thing that is wrong with a server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Fault {
            $($(#[doc = $doc])+ $fault,)+
        }

        /// Every fault, and the scenarios that have to catch it.
        pub(crate) const CATALOGUE: &[(Fault, &[&str])] = &[$((Fault::$fault, &[$($scenario),+]),)+];
    };
}

faults! {
    // H1: the path.
    /// Whatever starts with the path is answered.
    PathIsAPrefix =>
        "path/longer-word",
        "path/below",
        "path/below-with-checks",
        "path/double-slash-at-end";
    /// The path is compared without regard to case.
    PathInAnyCase => "path/upper-case";
    /// A slash at the end is ignored.
    TrailingSlashAccepted =>
        "path/trailing-slash",
        "method/other-path",
        "path/other-path-in-maintenance",
        "path/trailing-slash-and-query";
    /// Two slashes are one.
    SlashesMerged => "path/double-slash";
    /// `.` and `..` are resolved.
    DotSegmentsResolved => "path/dot-segment", "path/parent-segment";
    /// What follows a semicolon in the path is cut off.
    MatrixParametersCut => "path/matrix-parameter";
    /// A query belongs to the path.
    QueryBelongsToPath => "path/any-query", "path/empty-query", "path/query-with-question-mark";
    /// Every path is answered.
    EveryPathAnswered => "path/root", "path/shorter-word";
    /// The path is `/health`, whatever the setting says.
    UrlSettingIgnored => "path/configured";
    /// Scheme and host of a target in absolute form are taken for its path.
    AbsoluteFormUnknown => "wire/absolute-form", "target/absolute-form-with-another-host";
    /// A target in absolute form without a path is not the root.
    AbsoluteFormNeedsPath => "target/absolute-form-of-root";
    /// A target without a path, or in absolute form without one, ends the connection.
    PathlessEndsConnection =>
        "target/absolute-form-without-path",
        "target/absolute-form-without-path-and-query",
        "target/asterisk",
        "target/authority-form",
        "target/empty",
        "target/query-alone",
        "target/relative";
    /// A target without a path is the root.
    PathlessIsRoot => "target/without-path-is-not-the-root";

    // H2: methods and bodies.
    /// Only GET and HEAD are answered.
    GetOnly =>
        "method/post",
        "target/absolute-form-of-every-method",
        "wire/http-1-0-every-method",
        "method/broken-json-body",
        "method/delete",
        "method/patch",
        "method/put";
    /// OPTIONS has an answer of its own.
    OptionsHasItsOwnAnswer => "method/options";
    /// TRACE echoes the request.
    TraceEchoes => "method/trace";
    /// A method that is none of the usual ones is refused.
    UnknownMethodsRefused =>
        "method/unknown-http-1-0",
        "method/unknown-token",
        "method/unknown-in-maintenance",
        "method/unknown-lower-case",
        "method/unknown-propfind",
        "method/unknown-purge",
        "method/unknown-with-checks";
    /// CONNECT is answered as any other method.
    ConnectAnswered => "method/connect";
    /// HEAD has a body.
    HeadWithBody => "method/head";
    /// HEAD has the length of its own body: none.
    HeadWithLengthZero => "method/head";
    /// HEAD has no Content-Length.
    HeadWithoutLength => "header/ok";
    /// HEAD runs no checks.
    HeadRunsNoChecks => "method/head-runs-checks";
    /// A form in the body can ask for checks.
    FormIsRead => "method/form-body", "method/body-of-get", "method/method-in-form";
    /// The answer waits for the body.
    BodyIsAwaited => "method/withheld-body";
    /// 100 Continue is sent, and the body waited for.
    ContinueAndWait => "wire/expect-continue";
    /// A body that is left unread is taken for the next request.
    BodyTakenForRequest => "wire/unread-body";
    /// Where a body comes in chunks, it is taken for the next request.
    ChunksTakenForRequest => "wire/unread-chunked-body";
    /// HTTP/1.0 is refused.
    Http10Refused => "wire/http-1-0-closes";
    /// A method that may have a body needs a length in HTTP/1.0.
    Http10NeedsLength => "wire/http-1-0-without-length";
    /// Whatever the client asks, its connection stays open.
    CloseIgnored => "wire/close-is-honoured";
    /// Every connection is closed behind its answer.
    ConnectionNotKept => "wire/connection-is-kept";
    /// What was read beyond the first request is lost.
    PipelineDropped => "wire/pipelined";
    /// A request has to come in one piece.
    PiecesRefused => "wire/byte-by-byte";
    /// A client that has closed its sending side gets half an answer.
    HalfAnswerToHalfClosed => "wire/half-closed";
    /// HTTP/1.1 without Host is dropped.
    HostDemanded => "wire/no-host";
    /// Host has to be that of the server.
    HostChecked => "wire/odd-host";
    /// Some pollers get an answer of their own.
    PollersFiltered => "wire/user-agents";
    /// No more than 64 connections at once.
    CrowdRefused => "wire/crowd";
    /// One connection at a time.
    OneAtATime => "wire/plain-answer-overtakes-checks";
    /// The server ends when a client leaves in the middle of its request.
    EndsWithHalfARequest => "wire/client-leaves-before-its-request-is-whole";
    /// The server ends when a client does not read its answer.
    EndsWithoutReader => "wire/client-leaves-before-the-answer";

    // H3 and H4: health and maintenance.
    /// From the tenth request on, the answer is 500.
    WearsOut => "healthy/again-and-again";
    /// After an error, the next plain answer is an error too.
    ErrorSticks => "healthy/after-an-error", "setting/defaults";
    /// A plain request runs the checks, and hides what they say.
    PlainRunsChecks => "healthy/plain-request-with-failing-check";
    /// There is no maintenance.
    MaintenanceIgnored => "maintenance/file";
    /// The code is 299, whatever the setting says.
    MaintenanceCodeIgnored => "maintenance/configured-code";
    /// In maintenance the body is OK.
    MaintenanceSaysOk => "maintenance/file";
    /// A maintenance code of 404 is answered with the page for what is not found.
    NotFoundPageInMaintenance => "maintenance/not-found-as-code";
    /// A maintenance code of 200 is answered as health.
    MaintenanceCode200IsHealth => "maintenance/ok-as-code";
    /// A 3xx code comes with a Location.
    RedirectHasLocation => "maintenance/redirect-as-code";
    /// Only a regular file is a marker.
    MarkerMustBeAFile => "maintenance/directory", "maintenance/device", "maintenance/device-itself";
    /// The marker is opened, not looked for.
    MarkerIsOpened => "maintenance/fifo", "maintenance/link";
    /// Links are not followed.
    LinksNotFollowed => "maintenance/dangling-link", "maintenance/error-while-a-check-fails";
    /// The state is looked up once.
    StateCached => "maintenance/seen-at-once";
    /// The state is that of the request before.
    StateIsOld => "maintenance/seen-at-once";
    /// Status and body are looked up one after the other.
    StateLookedUpTwice => "wire/toggled-under-load";
    /// The state belongs to the connection.
    StateOfTheConnection => "wire/kept-connection-has-no-memory", "wire/head-then-get";
    /// A stat that fails is maintenance.
    StatErrorIsMaintenance => "maintenance/link-loop", "maintenance/locked-parent";
    /// A stat that fails is not logged.
    StatErrorNotLogged => "maintenance/link-loop";
    /// A stat that fails is logged every time.
    StatErrorLoggedEveryTime => "maintenance/file-as-parent", "maintenance/name-too-long";
    /// A stat that fails is logged once, ever.
    EpisodeNeverEnds => "maintenance/episode-ends-with-a-marker";
    /// A directory that is missing is logged.
    MissingDirectoryLogged => "maintenance/missing-parent";
    /// The path of the disablefile is taken for text without NUL.
    NulFails => "maintenance/nul-in-path";
    /// An empty disablefile is the working directory.
    EmptyDisablefileExists => "maintenance/off";
    /// In maintenance, checks run, and what they say is dropped.
    ChecksRunInMaintenance => "maintenance/beats-passing-check", "maintenance/seen-between-checks";
    /// A failing check beats maintenance.
    FailureBeatsMaintenance => "maintenance/beats-failing-check", "method/get";

    // H5: the query.
    /// Checks are never run.
    ChecksNeverRun => "query/runs-all";
    /// Checks run whatever the query says, if there is one.
    AnyQueryRunsChecks => "query/skips-value-of-another-key", "query/skips-absent";
    /// Checks run whatever the value is.
    AnyValueRunsChecks =>
        "query/skips-empty-value",
        "query/skips-false",
        "query/skips-name-of-a-check",
        "query/skips-no-value";
    /// `1` and `yes` mean `true`.
    TruthyValues => "query/skips-yes", "query/skips-one";
    /// `all` is not known.
    AllUnknown => "query/runs-all";
    /// `true` is not known.
    TrueUnknown => "query/runs-true";
    /// The key is compared without regard to case.
    KeyInAnyCase => "query/skips-upper-case-key", "query/skips-capitalised-key";
    /// The key is compared as Unicode would have it.
    KeyInUnicodeCase => "query/skips-kelvin-sign-key";
    /// The value is compared with regard to case.
    ValueInOneCase =>
        "query/runs-upper-case",
        "query/runs-escaped-letter-in-upper-case",
        "query/runs-mixed-case";
    /// A key that contains `checks` will do.
    KeyContained =>
        "query/skips-suffixed-key",
        "query/skips-fragment-like",
        "query/skips-prefixed-key",
        "query/skips-singular-key";
    /// A value that starts with `all` will do.
    ValueIsAPrefix => "query/skips-longer-word", "query/skips-twice-in-one-value";
    /// A value that is the beginning of `all` will do.
    ValueAbbreviated => "query/skips-shorter-word", "query/skips-eight-kibibytes-of-pairs";
    /// Values may be a list.
    ListsAccepted => "query/skips-list";
    /// Spaces round key and value are ignored.
    SpacesTrimmed =>
        "query/skips-leading-space",
        "query/skips-key-with-plus",
        "query/skips-key-with-space",
        "query/skips-leading-plus",
        "query/skips-trailing-newline",
        "query/skips-trailing-plus",
        "query/skips-trailing-space";
    /// What follows a NUL is cut off.
    NulEndsValue => "query/skips-trailing-nul";
    /// The first of several counts.
    FirstOfSeveralCounts => "query/runs-last-of-several", "query/runs-last-after-an-invalid-one";
    /// Any of several will do.
    AnyOfSeveralCounts =>
        "query/skips-last-of-several-is-no",
        "query/skips-last-of-several-is-empty";
    /// A value that is not UTF-8 does not count as the last.
    InvalidValueSkipped => "query/skips-last-of-several-is-invalid";
    /// Nothing is decoded.
    NotDecoded => "query/runs-escaped-value", "query/runs-lower-case-escape";
    /// The key is not decoded.
    KeyNotDecoded => "query/runs-escaped-key", "query/runs-all-escaped";
    /// Everything is decoded twice.
    DecodedTwice => "query/skips-double-escape";
    /// The query is decoded before it is split.
    DecodedBeforeSplit => "query/skips-escaped-ampersand", "query/skips-escaped-equals";
    /// The value ends at another equals sign.
    EqualsSignEndsValue => "query/skips-equals-in-value";
    /// `;` separates too.
    SemicolonSeparates => "query/skips-semicolon-as-separator", "query/skips-semicolon-after-value";
    /// An escape that is none is dropped.
    BadEscapeDropped => "query/skips-bad-escape-in-value", "query/skips-lone-percent-in-key";
    /// An escape that is none fails the request.
    BadEscapeFails =>
        "query/runs-after-bad-escape",
        "query/skips-bad-escape-digits",
        "query/skips-bad-escape-in-key",
        "query/skips-eight-kibibytes-of-escapes";
    /// Bytes that are no UTF-8 are dropped.
    InvalidUtf8Dropped =>
        "query/skips-invalid-utf8-in-value",
        "query/runs-before-an-invalid-key",
        "query/skips-invalid-utf8-in-key";
    /// Bytes that are no UTF-8 fail the request.
    InvalidUtf8Fails => "query/runs-after-invalid-utf8", "query/runs-after-overlong-utf8";
    /// The query ends at an empty pair.
    EmptyPairEndsQuery => "query/runs-after-empty-pairs";
    /// Only the first pair is read.
    FirstPairOnly => "query/runs-after-others", "query/runs-after-equals-signs";
    /// Only the last pair is read.
    LastPairOnly => "query/runs-before-others";
    /// A raw byte ends the server.
    EndsWithRawByte => "query/raw-byte-harmless";
    /// A raw control character ends the server.
    EndsWithRawControl => "query/raw-control-harmless";
    /// A query is read for its first 4 KiB.
    LongQueryCut => "query/runs-after-eight-kibibytes";
    /// A query over 4 KiB is refused.
    LongQueryRefused => "wire/long-query";
    /// Checks run for every second request.
    EverySecondRuns => "query/runs-each-time";

    // H6 and H7: verdict and subscribers.
    /// No failure counts.
    FailuresIgnored => "verdict/error";
    /// The failure code is 503, whatever the setting says.
    FailureCodeIgnored => "verdict/configured-code";
    /// An error of code 200 is answered as health.
    FailureCode200IsHealth => "verdict/ok-as-code";
    /// One code serves for both.
    OneCodeForBoth =>
        "verdict/code-does-not-touch-maintenance",
        "maintenance/code-does-not-touch-errors";
    /// Without checks, asking for them is an error.
    NoReportsIsAnError => "verdict/no-reports";
    /// Status is compared without regard to case.
    StatusInAnyCase => "verdict/status-lower-case";
    /// Spaces round a status are ignored.
    StatusTrimmed => "verdict/status-padded";
    /// An empty status passes.
    EmptyStatusPasses => "verdict/status-empty";
    /// Only `ERROR` fails.
    OnlyErrorFails => "verdict/status-word";
    /// A status that contains `OK` passes.
    StatusContainsOk => "verdict/status-nok";
    /// The last of several reports of one name counts.
    LastOfOneNameCounts => "verdict/earlier-failure-of-one-name";
    /// The first of several reports of one name counts.
    FirstOfOneNameCounts => "verdict/later-failure-of-one-name";
    /// Only the first check counts.
    FirstCheckCounts => "subscriber/all-of-them-run";
    /// The first failure ends the run.
    FailureEndsRun => "subscriber/all-of-them-run";
    /// Results of one name are reported once.
    DuplicatesDropped => "subscriber/duplicates-kept";
    /// Results stand in the order in which they came.
    ResultsAsTheyCame => "subscriber/registration-order";
    /// Results of earlier requests are kept.
    ResultsPileUp => "subscriber/nothing-left-over";
    /// A client that leaves takes the checks of others with it.
    LeavingPoisonsChecks => "wire/client-leaves-while-checks-run";
    /// Who asks while checks run is not logged.
    SharedRunLoggedOnce => "wire/crowd-with-checks";
    /// Of requests that come together, only the first is logged.
    PipelineLoggedOnce => "wire/pipelined-checks";

    // H8: the log.
    /// Checks that pass are logged.
    PassIsLogged => "log/ok-is-silent", "healthy/passing-checks";
    /// Maintenance is logged once, not for each answer.
    MaintenanceLoggedOnce => "log/maintenance";
    /// Maintenance is logged at WARN.
    MaintenanceAtWarn => "log/maintenance";
    /// Two records for an error.
    ErrorLoggedTwice => "log/error-with-all-results";
    /// An error is not logged.
    ErrorNotLogged => "log/error-with-all-results";
    /// Only failures are logged.
    PassesNotListed => "log/error-with-all-results";
    /// JSON with spaces.
    JsonIsWide => "log/error-with-all-results";
    /// A message that is absent is logged as an empty one.
    AbsentMessageEmpty => "log/error-with-all-results";
    /// A message that is empty is logged as an absent one.
    EmptyMessageAbsent => "log/empty-message";
    /// Only C0 is escaped: what JSON asks for.
    OnlyC0Escaped => "log/control-characters";
    /// Messages are not cut.
    MessagesNotCut => "log/long-messages";
    /// A cut has no mark.
    CutHasNoMark => "log/long-messages";
    /// Messages are cut one byte early.
    CutIsEarly => "log/long-messages";
    /// What HEAD is answered with is not logged.
    HeadNotLogged => "log/head-is-logged-alike";

    // H9 and H10: headers and reason phrase.
    /// HEAD may be kept by caches.
    HeadWithoutNoStore => "header/ok";
    /// Maintenance may be kept by caches.
    MaintenanceWithoutNoStore => "header/maintenance";
    /// Errors may be sniffed.
    ErrorWithoutNosniff => "header/error";
    /// Errors spell their charset in capitals.
    CharsetInCapitals => "header/error";
    /// Errors come in chunks.
    ErrorInChunks => "header/error";
    /// Messages stand in the body.
    DetailInBody => "verdict/error";
    /// Messages stand in a header.
    DetailInHeader => "header/error";
    /// Messages stand in the reason phrase.
    DetailInReason => "header/no-injection";
    /// Conditional requests get 304.
    ConditionsHonoured => "header/no-negotiation";
    /// No answer has a reason phrase.
    NoReason => "reason/ok";
    /// An error's reason phrase is its body.
    ErrorIsTheReason => "reason/error";
    /// The reason phrase of maintenance is always the word.
    MaintenanceIsTheReason => "reason/canonical-maintenance";
    /// Young codes have no reason phrase.
    YoungCodesUnknown => "reason/young-code";
    /// A maintenance code without a reason of its own has none.
    OddMaintenanceWithoutReason => "reason/odd-maintenance";
    /// A failure code without a reason of its own has none.
    OddErrorWithoutReason => "reason/odd-error";

    // H11: settings.
    /// No setting is checked.
    SettingsUnchecked => "setting/url-*", "setting/maintenance-code-*", "setting/failure-code-*";
    /// Unknown settings are ignored.
    UnknownSettingIgnored => "setting/unknown-key", "setting/key-in-upper-case";
    /// Settings of others are refused.
    OtherPrefixRefused => "setting/other-prefix";
    /// Codes end at 499.
    CodesEndAt499 => "setting/code-599";
    /// A url may hold letters and slashes only.
    PunctuationRefused => "path/configured-with-punctuation";
    /// The url may not end with a slash.
    TrailingSlashRefused => "path/configured-with-trailing-slash";
    /// The url may not be the root.
    RootRefused => "path/configured-root";
    /// Two codes that are set are refused.
    BothCodesRefused => "setting/both-codes";
    /// A server without settings is refused.
    DefaultsRefused => "setting/default-disablefile";
    /// A refusal does not say which setting.
    KeyNotNamed => "setting/failure-code-huge";
    /// A refusal does not say which value.
    ValueNotQuoted => "setting/failure-code-huge";
    /// A refusal does not say why.
    RuleNotSaid => "setting/failure-code-huge";
    /// A disablefile that anyone can create is not warned of.
    ExposureNotSaid => "setting/disablefile-anyone-can-create";
    /// The default disablefile is none.
    NoDefaultDisablefile => "setting/default-disablefile";

    // H12: panics.
    /// A panic ends the connection.
    PanicEndsConnection => "panic/is-an-error";
    /// A panic ends the run.
    PanicEndsRun => "panic/others-still-run";
    /// A panic passes.
    PanicPasses => "panic/is-an-error";
    /// A panic makes every later answer an error.
    PanicSticks => "panic/every-time";
    /// A panic is answered in full, also to HEAD.
    PanicHasAPage => "panic/head";
    /// A plain request panics with its checks.
    PlainPanics => "panic/not-asked-for";
    /// In maintenance, a check that would panic ends the connection.
    PanicInMaintenance => "maintenance/beats-panicking-check";
    /// A panic in the call that makes a future ends the connection.
    PanicInCallEndsConnection => "panic/in-the-call", "panic/everywhere";
    /// A panic in a drop ends the connection.
    PanicInDropEndsConnection => "panic/in-drop";
    /// A panic in the drop of a panic's payload ends the connection.
    PanicInPayloadEndsConnection => "panic/in-payload";

    // H12: timeouts.
    /// There are no timeouts: the answer waits for the slowest.
    NoDeadline => "timeout/hanging";
    /// When a timeout expires, what the others said is lost.
    OthersLostAtDeadline => "timeout/hanging", "timeout/everything-breaks";
    /// A check that is too late is waited for, and its OK counts.
    LateOkCounts => "timeout/late";
    /// All checks have one short timeout, whatever their own is.
    DeadlineIsFixed => "timeout/in-time";
    /// A result that comes too late is that of the next request.
    LateResultKept => "timeout/after-a-late-one";
    /// A check that was too late once is so for ever.
    LatenessSticks => "timeout/after-a-late-one";
    /// Checks run one after the other.
    DeadlinesAddUp => "timeout/many";
    /// Plain requests wait for a run that is under way.
    PlainWaitsForRuns => "timeout/plain-meanwhile";
    /// In maintenance, requests wait for a run that is under way.
    MaintenanceWaitsForRuns => "timeout/maintenance-meanwhile";
    /// A check that blocks its thread is waited for.
    BlockingHasNoDeadline => "blocking/past-its-timeout";
    /// A check that still blocks a thread is started again.
    BlockingStartedAgain => "blocking/past-its-timeout";
    /// A check that blocked its thread too long is never started again.
    BusyForEver => "blocking/ended";
    /// A check that blocks its thread is not waited for at all.
    BlockingNotAwaited => "blocking/in-time";
    /// While a check blocks its thread, plain requests wait.
    BlockingBlocksServer => "blocking/plain-meanwhile";

    // H7: runs that are shared.
    /// Each request has a run of its own.
    RunForEachAsker => "shared/crowd";
    /// Whoever comes while a run is under way is told that all is well.
    JoiningPasses => "shared/results";
    /// The results of the first run are kept.
    ResultsKept => "shared/next-run";
    /// A run ends when a client that asked for it leaves.
    RunEndsWithItsAsker => "shared/first-leaves", "shared/many-leave";

    // H13: optional checks.
    /// No check is optional.
    OptionalFailsAnswer => "optional/fails";
    /// A degraded answer is not logged.
    DegradedNotLogged => "optional/fails";
    /// A degraded answer is logged at ERROR.
    DegradedAtError => "optional/fails";
    /// A degraded answer is logged at INFO.
    DegradedAtInfo => "optional/fails";
    /// Messages stand in a header of a degraded answer.
    DegradedInHeader => "optional/fails";
    /// With the failure of an optional check, no other counts.
    OptionalHidesOthers => "optional/and-another";
    /// An error is logged without the results of optional checks.
    OptionalLeftOut => "optional/and-another";
    /// Optional checks are logged when they pass, too.
    OptionalAlwaysTold => "optional/passes";
    /// A timeout that has expired always makes an error.
    OptionalDeadlineCounts => "optional/hangs";
    /// A panic always makes an error.
    OptionalPanicCounts => "optional/panics";
    /// What HEAD is answered with is not logged when it is degraded.
    DegradedHeadNotLogged => "optional/head";
    /// A degraded answer beats maintenance.
    DegradedInMaintenance => "optional/in-maintenance";

    // H14: checks in the background.
    /// Checks in the background start with the first request that asks.
    BackgroundWaitsForRequest => "background/by-itself";
    /// Checks in the background run once.
    BackgroundRunsOnce => "background/by-itself";
    /// A request runs the checks in the background too.
    BackgroundRunsForRequest => "background/last-result";
    /// A check that has not run yet passes.
    NeverRunPasses => "background/not-run-yet";
    /// A request waits for the first result.
    FirstResultAwaited => "background/not-run-yet";
    /// What fails in the background does not count.
    BackgroundFailuresIgnored => "background/failing";
    /// Plain requests tell what fails in the background.
    PlainTellsBackground => "background/failing";
    /// The first OK is kept for ever.
    FirstOkKept => "background/begins-to-hang", "background/begins-to-block";
    /// A check that panics in the background is not run again.
    PanicEndsPeriod => "background/panics";
    /// Results from the background stand behind the others.
    BackgroundComesLast => "background/order";

    // H15: thresholds.
    /// The first failure counts.
    ThresholdsIgnored => "threshold/failures";
    /// A failure that counts is forgotten.
    FailuresCountAnew => "threshold/failures";
    /// A failure that is held back is not told of.
    HeldBackUntold => "threshold/failures-are-told";
    /// Failures count, in a row or not.
    FailuresCountInAll => "threshold/failures-in-a-row";
    /// Failures are held back before the first OK, too.
    FirstFailureHeldBack => "threshold/failures-before-the-first-ok";
    /// The first OK is held back.
    FirstOkHeldBack => "threshold/failures-before-the-first-ok";
    /// The first OK after a failure counts.
    FirstSuccessCounts => "threshold/successes";
    /// OK results count, in a row or not.
    SuccessesCountInAll => "threshold/successes-in-a-row";
    /// A run counts for each request that shares it.
    RunCountsForEachAsker => "threshold/shared-run";
    /// A timeout that has expired is never held back.
    DeadlinesAlwaysCount => "threshold/timeouts";

    // H16: endpoints.
    /// There is no endpoint but the first.
    FurtherEndpointsMissing => "endpoint/no-checks";
    /// Whatever starts with the path of a further endpoint is answered.
    FurtherPathIsAPrefix => "endpoint/paths-are-exact";
    /// The path of a further endpoint loses a slash at its end.
    FurtherPathIsTrimmed => "endpoint/odd-paths";
    /// The codes that are set are those of all endpoints.
    CodesOfTheFirstEverywhere => "endpoint/codes-are-of-the-first";
    /// Beside others, the first endpoint says no more 299.
    FirstIsStrictBesideOthers => "endpoint/first-is-unchanged";
    /// Further endpoints are answered to GET alone.
    FurtherGetOnly => "endpoint/methods";
    /// Further endpoints run every check.
    FurtherRunAllChecks => "endpoint/checks-by-name";
    /// Results stand in the order in which an endpoint names its checks.
    NamesGiveTheOrder => "endpoint/checks-by-name";
    /// A tag chooses nothing.
    TagsIgnored => "endpoint/checks-by-tag";
    /// Only the first of several tags counts.
    FirstTagCounts => "endpoint/checks-by-several-tags";
    /// An endpoint that is given no check runs all.
    NoCheckIsEvery => "endpoint/no-checks";
    /// An endpoint that always runs its checks does so only when it is asked.
    AlwaysNeedsAQuery => "endpoint/checks-always", "state/maintenance-over-failing";
    /// A query can forbid what always runs.
    QueryForbids => "endpoint/checks-always";
    /// An endpoint that runs its checks on request always does.
    RequestIsAlways => "endpoint/checks-on-request";
    /// There is no Retry-After.
    RetryAfterMissing => "endpoint/retry-after";
    /// Retry-After comes with every answer.
    RetryAfterAlways => "endpoint/retry-after";
    /// Retry-After comes with a drain, too.
    RetryAfterInDrain => "endpoint/retry-after";
    /// There are no headers of Envoy's.
    EnvoyHeadersMissing => "endpoint/envoy";
    /// Headers of Envoy's come with other presets, too.
    EnvoyHeadersEverywhere => "endpoint/consul";
    /// Envoy is told degraded when nothing fails.
    EnvoyIsAlwaysDegraded => "endpoint/envoy";
    /// A start-up fails at once with Envoy.
    EnvoyStartFailsAtOnce => "endpoint/envoy";
    /// At further endpoints, the reason phrase is the body's word.
    FurtherWordIsTheReason => "endpoint/reason";
    /// A check that another endpoint waits for is one that is still running.
    OverlapFails => "endpoint/shared-checks";
    /// A check that another endpoint waits for is started once more.
    OverlapRunsTwice => "endpoint/shared-checks";
    /// At further endpoints each request has a run of its own.
    FurtherRunAlone => "endpoint/crowd";
    /// At further endpoints, checks in the background run for each request.
    FurtherRunBackground => "endpoint/background";
    /// Each choice of checks counts its failures apart.
    FailuresCountApart => "endpoint/thresholds";
    /// A connection asks for one endpoint.
    EndpointOfTheConnection => "endpoint/on-one-connection";
    /// A pyramid at another path is strict.
    FurtherPyramidIsStrict => "endpoint/pyramid";
    /// What is strict says 299.
    StrictSays299 => "endpoint/strict";
    /// Whatever keeps a host out is called MAINTENANCE.
    EveryWordIsMaintenance => "endpoint/readiness";
    /// For HAProxy an error is a 404, too.
    HaproxyError404 => "endpoint/haproxy-404";
    /// Consul is not warned of what is degraded.
    ConsulDegradedIsOk => "endpoint/consul";
    /// Nagios is alarmed by maintenance.
    NagiosIsCriticalInMaintenance => "endpoint/nagios";
    /// Liveness runs every check.
    LivenessRunsDependencies => "endpoint/liveness";
    /// Liveness never fails.
    LivenessNeverFails => "endpoint/liveness-own-check";
    /// Liveness shows maintenance.
    LivenessInMaintenance => "endpoint/liveness";
    /// Liveness shows the start-up.
    LivenessStarts => "startup/forgotten";
    /// Liveness shows the drain.
    LivenessDrains => "drain/liveness-stays";
    /// What asks for the start shows maintenance.
    StartupInMaintenance => "endpoint/startup";
    /// What asks for the start shows the drain.
    StartupDrains => "endpoint/startup";

    // H17: states.
    /// Maintenance hides the drain.
    MaintenanceOverDraining => "state/draining-over-maintenance";
    /// The start-up hides the drain.
    StartingOverDraining => "state/draining-over-starting";
    /// The start-up hides maintenance.
    StartingOverMaintenance => "state/maintenance-over-starting";
    /// A failing check beats the start-up.
    FailingOverStarting => "state/starting-over-failing";
    /// A failing check beats the drain.
    FailingOverDraining => "state/draining-over-failing";
    /// What is optional and fails hides what is not.
    DegradedOverFailing => "state/failing-over-degraded";
    /// In the start-up checks run, and what they say is dropped.
    ChecksRunInStartUp => "state/starting-over-failing";
    /// In a drain checks run, and what they say is dropped.
    ChecksRunInDrain => "state/draining-over-failing";
    /// An endpoint that ignores the gravest state is OK.
    IgnoredIsOk => "state/ignored-passes-on";
    /// The log says the body's word, and not the state.
    LogSaysWhatTheBodySays => "state/log-names-the-state";

    // H18: the start-up.
    /// Latches hold nothing.
    LatchesIgnored => "startup/plain-endpoint";
    /// One latch that is released is enough.
    OneLatchIsEnough => "startup/until-all-are-released";
    /// The last latch alone counts.
    LastLatchCounts => "startup/in-any-order";
    /// The log names every latch, released or not.
    ReleasedLatchesNamed => "startup/until-all-are-released";
    /// Names of latches stand in a header.
    LatchesInHeader => "startup/plain-endpoint";
    /// After a while the server takes itself for started.
    ForgottenIsReady => "startup/forgotten";
    /// A latch that is dropped is released.
    DroppedIsReady => "startup/dropped";
    /// A latch that is dropped is held for ever.
    DroppedIsStarting => "startup/dropped";
    /// A latch that was dropped fails only those who ask for checks.
    DroppedNeedsAQuery => "startup/dropped";
    /// Checks run although a latch was dropped.
    ChecksRunWithDropped => "startup/dropped";
    /// Liveness fails with a latch that was dropped.
    DroppedKillsLiveness => "startup/dropped-and-alive";
    /// A latch that was dropped beats maintenance.
    DroppedBeatsMaintenance => "startup/dropped-in-maintenance";
    /// While a latch is held, none has failed.
    HeldHidesDropped => "startup/dropped-and-held";
    /// Latches are told in the order in which they were dropped.
    DroppedAsTheyCame => "startup/all-dropped";

    // H19: sources of maintenance.
    /// There is no switch.
    SwitchIgnored => "source/switch";
    /// A switch is seen by the second request.
    SwitchSeenLate => "source/switch";
    /// A switch is lost that is turned before the first request.
    SwitchNeedsARequest => "source/switch-before-the-first-request";
    /// The switch counts.
    SwitchCounts => "source/switch-twice";
    /// What the switch said last beats the file.
    SwitchOverridesFile => "source/any-of-them";
    /// File and switch are needed both.
    EverySourceNeeded => "source/any-of-them";
    /// Without a disablefile there is no switch either.
    SwitchNeedsDisablefile => "source/without-disablefile";
    /// A switch that is on starts checks.
    SwitchRunsChecks => "source/no-checks";
    /// The code of the switch is always 299.
    SwitchHasACodeOfItsOwn => "source/configured-code";
    /// The switch is that of the first endpoint.
    SwitchIsOfTheFirst => "source/every-endpoint";

    // H20: the drain.
    /// There is no drain.
    DrainIgnored => "drain/next-request";
    /// A drain is seen by the second request.
    DrainSeenLate => "drain/next-request", "drain/kept-connection";
    /// A drain is lost that begins before the first request.
    DrainNeedsARequest => "drain/before-the-first-request";
    /// A second drain ends the first.
    SecondDrainEndsIt => "drain/twice";
    /// Twenty requests are told of a drain.
    DrainToldToSome => "drain/crowd";
    /// A marker ends the drain.
    MarkerEndsDrain => "drain/marker-does-not-end-it";
    /// The switch ends the drain.
    SwitchEndsDrain => "drain/switch-does-not-end-it";
    /// A latch that is released ends the drain.
    ReleaseEndsDrain => "drain/release-does-not-end-it";
    /// Checks that pass end the drain.
    PassingChecksEndDrain => "drain/checks-do-not-end-it";
    /// A run that is under way ends with what its checks say.
    RunOutlivesDrain => "drain/while-checks-run";
    /// In a drain, requests wait for runs that are under way.
    DrainWaitsForRuns => "drain/while-a-check-hangs";

    // H21: the log policy.
    /// Each answer is logged, and not changes alone.
    ChangesIgnored => "log-policy/changes-only";
    /// Changes alone are logged, whatever was said.
    ChangesAreTheDefault => "log-policy/every-answer";
    /// That all is well again is not logged.
    RecoveryNotLogged => "log-policy/recovery";
    /// That all is well again is logged at WARN.
    RecoveryAtWarn => "log-policy/recovery";
    /// The first OK is logged as a change.
    FirstOkLogged => "log-policy/recovery";
    /// Another result in the same state is a change.
    ResultsAreChanges => "log-policy/errors";
    /// An answer without checks is a recovery.
    PlainIsRecovery => "log-policy/plain-is-no-recovery";
    /// What is degraded is no change.
    DegradedIsNoChange => "log-policy/each-state";
    /// All endpoints have one state for the log.
    ChangesOfAnyEndpoint => "log-policy/endpoints-apart";
}
