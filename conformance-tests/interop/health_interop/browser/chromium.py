"""Chromium without a window, and its DevTools protocol over two pipes."""
import base64
import collections
import json
import os
import select
import time

from .. import tools
from ..process import PATIENCE, Failure

# Two file descriptors of the browser: it reads commands from 3 and writes replies and events to 4, each ended by a NUL.
PIPES = 'in=$1; out=$2; shift 2; exec "$@" 3<&"$in" 4>&"$out"'


class Chromium:
    """A browser that reaches 127.0.0.1 alone."""

    def __init__(self, processes, scratch):
        program = tools.find("chromium")
        if program is None:
            raise Failure("chromium is not installed: its package has the same name")
        read, self._out = os.pipe()
        self._in, write = os.pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={scratch / 'chromium'}",
            "--remote-debugging-pipe",
            "about:blank",
        ]
        command = ["bash", "-c", PIPES, "bash", str(read), str(write), program, *options]
        environment = tools.environment(scratch)
        self._process = processes.start(command, scratch / "chromium.log", env=environment, pass_fds=(read, write))
        os.close(read)
        os.close(write)
        self._id = 0
        self._buffer = b""
        self._events = collections.deque()

    def open_tab(self, width, height, scheme):
        """Returns a new tab with a viewport of this size, in the color scheme `light` or `dark`."""
        target = self.call(None, "Target.createTarget", url="about:blank")["targetId"]
        session = self.call(None, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Tab(self, target, session, width, height, scheme)

    def call(self, session, method, **parameters):
        """Calls a method of the protocol, and returns its result."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self._out, data) :]
        deadline = time.monotonic() + PATIENCE
        while True:
            reply = self._next(deadline, method)
            if reply.get("id") == self._id:
                if "error" in reply:
                    raise Failure(f"chromium: {method}: {reply['error']['message']}")
                return reply["result"]
            self._events.append(reply)

    def events(self, session, seconds=0.0):
        """Yields the events of a tab that have come, and those that come within a time."""
        deadline = time.monotonic() + seconds
        while True:
            while self._events:
                event = self._events.popleft()
                if event.get("sessionId") == session:
                    yield event
            try:
                self._events.append(self._next(deadline, None))
            except TimeoutError:
                return

    def _next(self, deadline, method):
        while b"\0" not in self._buffer:
            self._process.check()
            ready, _, _ = select.select([self._in], [], [], max(0.0, min(0.2, deadline - time.monotonic())))
            if ready:
                self._buffer += os.read(self._in, 1 << 20)
            elif time.monotonic() >= deadline:
                if method is None:
                    raise TimeoutError
                raise Failure(f"chromium: {method}: no reply within {PATIENCE} s")
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


class Tab:
    """A tab of a browser, and what it has requested and complained about."""

    def __init__(self, browser, target, session, width, height, scheme):
        self._browser, self._target, self._session = browser, target, session
        self.requests = []
        self.complaints = []
        self.loads = 0
        for domain in "Page", "Network", "Log", "Runtime":
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._browser.call(None, "Target.closeTarget", targetId=self._target)

    def call(self, method, **parameters):
        """Calls a method of the protocol for this tab."""
        return self._browser.call(self._session, method, **parameters)

    def open(self, url):
        """Opens an address, and waits until it is loaded."""
        loads = self.loads
        if text := self.call("Page.navigate", url=url).get("errorText"):
            raise Failure(f"chromium: {url}: {text}")
        self.wait_until(lambda: self.loads > loads, f"{url} is loaded")

    def wait_until(self, condition, what, patience=PATIENCE):
        """Waits until `condition()` is true, while events arrive."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"chromium: timed out after {patience} s, waiting until {what}")
            self.listen(0.05)

    def listen(self, seconds):
        """Notes the events of a time."""
        for event in self._browser.events(self._session, seconds):
            parameters = event["params"]
            match event["method"]:
                case "Network.requestWillBeSent":
                    self.requests.append(parameters["request"]["url"])
                case "Page.loadEventFired":
                    self.loads += 1
                case "Log.entryAdded":
                    self.complaints.append(parameters["entry"]["text"])
                case "Runtime.exceptionThrown":
                    self.complaints.append(parameters["exceptionDetails"]["text"])
                case "Runtime.consoleAPICalled":
                    self.complaints.append(str(parameters["args"]))

    def evaluate(self, expression):
        """Returns the value of an expression of JavaScript, awaited. The policy of the page does not apply to it."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise Failure(f"chromium: {expression[:100]}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def screenshot(self):
        """Returns what the viewport shows, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
