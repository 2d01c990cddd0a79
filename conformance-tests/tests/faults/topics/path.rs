//! H1: the path.

use crate::fault::{Decoration, exchange, faults, hang_up, page, request, setup};

faults! {
    /// Every path that starts with the path of the endpoint gets its response.
    PathIsAPrefix:
        "path/longer-word",
        "path/below",
        "path/below-with-checks",
        "path/double-slash-at-end" =>
        path(|path, url| if path.starts_with(url) { url } else { path }.to_owned());
    /// The path is compared without regard to case.
    PathInAnyCase: "path/upper-case" =>
        path(|path, url| if path.eq_ignore_ascii_case(url) { url } else { path }.to_owned());
    /// A slash at the end is ignored.
    TrailingSlashAccepted:
        "path/trailing-slash",
        "method/other-path",
        "path/other-path-in-maintenance",
        "path/trailing-slash-and-query" =>
        path(|path, url| if path.trim_end_matches('/') == url { url } else { path }.to_owned());
    /// Two slashes are one.
    SlashesMerged: "path/double-slash" => path(|path, _| path.replace("//", "/"));
    /// `.` and `..` are resolved.
    DotSegmentsResolved: "path/dot-segment", "path/parent-segment" => path(|path, _| resolve(path));
    /// What follows a semicolon in the path is cut off.
    MatrixParametersCut: "path/matrix-parameter" =>
        path(|path, _| path.split(';').next().unwrap_or_default().to_owned());
    /// A query belongs to the path.
    QueryBelongsToPath: "path/any-query", "path/empty-query", "path/query-with-question-mark" =>
        page(404, |request| request.target.contains('?'));
    /// Every path gets the response of the endpoint.
    EveryPathAnswered: "path/root", "path/shorter-word" => path(|_, url| url.to_owned());
    /// The path is `/health`, whatever the setting.
    UrlSettingIgnored: "path/configured" =>
        setup(|setup| drop(setup.settings.remove("healthcheck.url")));
    /// Scheme and host of a target in absolute form are treated as its path.
    AbsoluteFormUnknown: "wire/absolute-form", "target/absolute-form-with-another-host" =>
        page(404, |request| request.target.starts_with("http://"));
    /// A target in absolute form without a path is not the root.
    AbsoluteFormNeedsPath: "target/absolute-form-of-root" =>
        page(404, |request| request.target.matches('/').count() == 2);
    /// A target without a path, or in absolute form without one, ends the connection.
    PathlessEndsConnection:
        "target/absolute-form-without-path",
        "target/absolute-form-without-path-and-query",
        "target/asterisk",
        "target/authority-form",
        "target/empty",
        "target/query-alone",
        "target/relative" =>
        hang_up(|_, request, _| !request.path().starts_with("/h"));
    /// A target without a path is the root.
    PathlessIsRoot: "target/without-path-is-not-the-root" => request(|request| {
        if !request.target.contains('/') {
            "/".clone_into(&mut request.target);
        }
    });
}

/// Another path is looked up; `rewrite` gets that of the request and that of the endpoint.
fn path(rewrite: fn(&str, &str) -> String) -> Decoration {
    exchange(move |request, correct| {
        let mut request = request.clone();
        let path = rewrite(request.path(), correct.url());
        request.set_path(&path);
        Ok(correct.answer(&request))
    })
}

/// Without `.` and `..`.
fn resolve(path: &str) -> String {
    let mut resolved = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => drop(resolved.pop()),
            _ => resolved.push(segment),
        }
    }
    resolved.join("/")
}
