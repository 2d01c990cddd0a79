"""pyramid_health 1.2.1, the original, on waitress, as a testee (see docs/contract.md).

Nothing is added to what pyramid_health, Pyramid and waitress do: they are what is tested.
"""
import itertools
import json
import logging
import os
import sys
import threading
import time

import waitress
from pyramid.config import Configurator
from pyramid_health import HealthCheckEvent

stdout_lock = threading.Lock()


def say(line):
    """Prints a line of the testee protocol, whole and at once."""
    with stdout_lock:
        print(line, flush=True)


class JournalHandler(logging.Handler):
    """Prints log records as lines of the testee protocol."""

    def emit(self, record):
        level = {"WARNING": "WARN"}.get(record.levelname, record.levelname)
        # A record is one line here: line breaks in its text are escaped.
        text = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        say(f"LOG {level} {text}")


def subscriber(check):
    """The subscriber that one CHECK of HEALTH_SETUP describes."""
    name = check["name"]
    executions = itertools.chain([check], check.get("then", []))
    lock = threading.Lock()
    last = check

    def report(event):
        nonlocal last
        say(f"CHECK {name}")
        with lock:
            this = last = next(executions, last)
        behaviour, _, milliseconds = this.get("behaviour", "report").partition(":")
        if behaviour == "panic":
            raise RuntimeError("the scenario asks for a panic")
        if behaviour == "hang":
            threading.Event().wait()
        if behaviour in ("slow", "block"):
            time.sleep(int(milliseconds) / 1000)
        event.report(name=name, status=this.get("status", "OK"), message=this.get("message"))

    return report


def application(setup):
    """An application with nothing but the health endpoint."""
    config = Configurator(settings=setup.get("settings", {}))
    config.include("pyramid_health")
    for check in setup.get("checks", []):
        config.add_subscriber(subscriber(check), HealthCheckEvent)
    return config.make_wsgi_app()


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    log = logging.getLogger("pyramid_health")
    log.setLevel(logging.INFO)
    log.addHandler(JournalHandler())

    app = application(json.loads(os.environ["HEALTH_SETUP"]))
    # Connections over the limit, by default 100, wait until others are closed.
    server = waitress.create_server(
        app, host="127.0.0.1", port=0, threads=8, connection_limit=500
    )
    threading.Thread(target=server.run, daemon=True).start()
    say(f"READY http://127.0.0.1:{server.effective_port}")
    sys.stdin.read()


if __name__ == "__main__":
    main()
