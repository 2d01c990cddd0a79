//! H26: the connections of an application that a drain covers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::correct::{Answer, Correct};
use crate::fault::{Decoration, Ending, exchange, faults, hang_up, to};
use crate::http::Request;

faults! {
    /// The drain does not change the responses of the application.
    ApplicationKeepsConnections: "connection/kept-before-the-drain",
    "connection/drain-before-the-first-request" => keeps(|_, request, correct| is_application(request, correct));
    /// Only new connections are closed.
    OldConnectionsKept: "connection/kept-before-the-drain" => keeps(|_, request, _| request.number > 0);
    /// Only the first response after the drain has begun closes its connection.
    OneConnectionClosed: "connection/kept-before-the-drain" => {
        let closed = AtomicUsize::new(0);
        keeps(move |_, _, _| closed.fetch_add(1, Relaxed) > 0)
    };
    /// A drain before the first request does not close connections.
    EarlyDrainKeepsConnections: "connection/drain-before-the-first-request" => {
        let has_served = AtomicBool::new(false);
        to(move |answer, _, _| match answer.closes {
            true if !has_served.load(Relaxed) => set(answer, false),
            _ => has_served.store(true, Relaxed),
        })
    };
    /// What becomes of the connection is decided when the request arrives.
    ConnectionDecidedEarly: "connection/request-before-the-drain" => exchange(|request, correct| {
        let was_draining = correct.is_draining();
        let mut answer = correct.answer(request);
        set(&mut answer, was_draining);
        Ok(answer)
    });
    /// Streams keep their connections.
    StreamKeepsConnection: "connection/stream" => keeps(|answer, _, _| answer.sent_first.is_some());
    /// A stream that begins in a drain is cut off.
    StreamCutOff: "connection/stream" => to(|answer, _, _| {
        answer.is_cut = answer.closes && answer.sent_first.take().is_some();
    });
    /// A 404 keeps its connection.
    NotFoundKeepsConnection: "connection/not-found" => keeps(|answer, _, _| answer.status == 404);
    /// A response to HEAD keeps its connection.
    HeadKeepsConnection: "connection/head" => keeps(|_, request, _| request.method == "HEAD");
    /// A response to POST keeps its connection.
    PostKeepsConnection: "connection/post" => keeps(|_, request, _| request.method == "POST");
    /// In HTTP/1.0, a connection is kept if the client asks for it.
    Http10Kept: "connection/http-1-0-keep-alive" => {
        let asks = |request: &Request| request.header("connection") == Some("keep-alive");
        let mut decoration = to(move |answer, request, _| {
            if request.version == "HTTP/1.0" && asks(request) {
                set(answer, false);
            }
        });
        decoration.keeps = Box::new(move |request, keeps| keeps || asks(request));
        decoration
    };
    /// A response in HTTP/1.0 has no header.
    Http10WithoutHeader: "connection/http-1-0", "connection/http-1-0-keep-alive" => to(|answer, request, _| {
        if request.version == "HTTP/1.0" && answer.closes {
            answer.announces = false;
            answer.set("connection", "keep-alive");
        }
    });
    /// Endpoints keep their connections.
    EndpointsKeepConnections: "connection/endpoints" =>
        keeps(|_, request, correct| !is_application(request, correct));
    /// Endpoints that ignore the drain keep their connections.
    LivenessKeepsConnection: "connection/endpoints" =>
        keeps(|answer, request, correct| answer.is("OK") && !is_application(request, correct));
    /// The header says that the connection is closed, but it is not.
    AnnouncedAndKept: "connection/kept-before-the-drain", "connection/endpoints" =>
        to(|answer, _, _| answer.closes = false);
    /// Connections are closed without the header.
    ClosedUnannounced: "connection/kept-before-the-drain", "connection/endpoints" =>
        to(|answer, _, _| answer.announces = false);
    /// The header is there twice.
    AnnouncedTwice: "connection/kept-before-the-drain", "connection/client-closes" => to(|answer, _, _| {
        if answer.closes {
            answer.set("connection", "close");
        }
    });
    /// The application closes its connections without a drain, too.
    ClosesWithoutDrain: "connection/kept-without-drain", "connection/slow-without-drain" =>
        to(|answer, request, correct| {
            if is_application(request, correct) {
                set(answer, true);
            }
        });
    /// A response that waits closes its connection without a drain, too.
    SlowClosesWithoutDrain: "connection/slow-without-drain" => to(|answer, request, _| {
        if request.path() == "/slow" {
            set(answer, true);
        }
    });
    /// Connections of the application are closed without a header and without a drain.
    HangsUpWithoutDrain: "connection/kept-without-drain" => to(|answer, request, correct| {
        answer.closes |= is_application(request, correct);
    });
    /// The application refuses requests of new connections in a drain.
    NewConnectionsRefused: "connection/crowd" => hang_up(|_, request, correct| {
        correct.is_draining() && request.number == 0 && is_application(request, correct)
    });
    /// The application serves only twenty requests in a drain.
    DrainServesSome: "connection/crowd" => {
        let served = AtomicUsize::new(0);
        exchange(move |request, correct| {
            let is_counted = correct.is_draining() && is_application(request, correct);
            if is_counted && served.fetch_add(1, Relaxed) > 20 {
                return Err(Ending::Connection);
            }
            Ok(correct.answer(request))
        })
    };
}

/// Whether a request is for the application.
pub(super) fn is_application(request: &Request, correct: &Correct) -> bool {
    request.path() != correct.url() && correct.further(request).is_none()
}

fn set(answer: &mut Answer, closes: bool) {
    answer.closes = closes;
    answer.announces = closes;
}

/// A drain does not close the connection of a response that this is true of.
fn keeps(
    is_for: impl Fn(&Answer, &Request, &Correct) -> bool + Send + Sync + 'static,
) -> Decoration {
    to(move |answer, request, correct| {
        if answer.closes && is_for(answer, request, correct) {
            set(answer, false);
        }
    })
}
