"""A testee without dependencies, the template for other languages (see docs/contract.md).

This file speaks the testee protocol; health.py decides what to answer, checks.py runs the checks,
and server.py speaks HTTP. It takes no commands, and known.toml says what else it leaves out.
"""
import itertools
import json
import os
import sys
import threading

from checks import Check
from health import Health
from server import Server

stdout_lock = threading.Lock()


def say(line):
    """Prints a line of the protocol, whole and at once."""
    with stdout_lock:
        print(line, flush=True)


def log(level, text):
    say(f"LOG {level} {text}")


def check(given):
    """A check that does as one CHECK of the protocol says."""
    executions = itertools.chain([given], given.get("then", []))
    last = given

    def function():
        nonlocal last
        say(f"CHECK {given['name']}")
        last = next(executions, last)
        behaviour, _, milliseconds = last.get("behaviour", "report").partition(":")
        if behaviour == "panic":
            raise RuntimeError("the scenario asks for a panic")
        seconds = None if behaviour == "hang" else int(milliseconds or 0) / 1000
        threading.Event().wait(seconds)  # None: for ever
        return last.get("status", "OK"), last.get("message")

    return Check(
        given["name"],
        function,
        deadline=given.get("deadline", 5000) / 1000,
        optional=given.get("optional", False),
        every=given.get("every") and given["every"] / 1000,
        failures=given.get("failures", 1),
        successes=given.get("successes", 1),
    )


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    given = json.loads(os.environ["HEALTH_GIVEN"])
    checks = [check(described) for described in given.get("checks", [])]
    try:
        health = Health(given.get("settings", {}), checks, log)
    except ValueError as error:
        sys.exit(str(error))
    server = Server(health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(f"READY http://127.0.0.1:{server.server_port}")
    sys.stdin.read()  # its end is that of the test


if __name__ == "__main__":
    main()
