"""One run: a server, a slow request, SIGTERM."""
import concurrent.futures
import pathlib
import tempfile
import time

from .. import tools
from ..process import Processes, free_port
from .requests import KINDS

# Seconds after the bound until a request and its process must have ended.
LATE = 1
# What a busy machine and the looks of the clients may be off, before the bound.
EARLY = 0.1

# Requests that end before the bound, and why.
EARLIER = {
    **{
        (framework, "head"): "the server of the adapter closes it a second after its stop"
        for framework in ("axum", "warp", "poem", "hyper")
    },
    ("actix-web", "head"): "actix-web closes a connection on which the head of a request is incomplete",
    ("rocket", "head"): "Rocket closes it two seconds after its stop",
    ("rocket", "body"): "Rocket reads 14 bytes of the body before a fairing sees the request, and closes it as above",
}


def run(program, framework, kinds, at_least, at_most):
    """Returns, for each kind of request, when it and the process ended: seconds after SIGTERM, and the exit code."""
    with (
        tempfile.TemporaryDirectory(prefix="slow-", ignore_cleanup_errors=True) as directory,
        concurrent.futures.ThreadPoolExecutor(len(kinds)) as threads,
    ):
        one = lambda kind: _run(program, framework, KINDS[kind], pathlib.Path(directory, kind), at_least, at_most)
        return dict(zip(kinds, threads.map(one, kinds)))


def _run(program, framework, kind, scratch, at_least, at_most):
    scratch.mkdir()
    with Processes() as processes:
        port = free_port()
        options = {
            "framework": framework,
            "bind": f"127.0.0.1:{port}",
            "at-least": at_least,
            "at-most": at_most,
        }
        process = processes.start(
            [program, *(f"--{name}={value}" for name, value in options.items())],
            scratch / "log",
            env=tools.environment(scratch, HEALTHCHECK_DISABLEFILE=""),
        )
        process.wait_for_port(port)
        request = kind(port)
        # The request must have reached the server.
        time.sleep(0.5)
        process.send_sigterm()
        began = time.monotonic()
        request_ended = request.wait(process) - began
        code = process.exit_code("SIGTERM")
        return {"request": request_ended, "process": time.monotonic() - began, "code": code}


def wrong(framework, kind, found, at_most):
    """Yields what contradicts the page."""
    bound = at_most / 1000
    early = found["request"] < bound - EARLY
    known = EARLIER.get((framework, kind))
    if early and not known:
        yield f"the request ended after {found['request']:.2f} s, before the bound of {bound:g} s"
    if known and not early:
        yield f"the request ended after {found['request']:.2f} s, although {known}"
    if found["process"] > bound + LATE:
        yield f"the process ended after {found['process']:.2f} s, long after the bound of {bound:g} s"
    if found["code"] != 1 and not known:
        yield f"the process ended with {found['code']}, although a request was dropped"
