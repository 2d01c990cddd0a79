"""A testee without dependencies, the template for other languages (see docs/contract.md).

This file speaks the testee protocol; health.py decides what to answer, checks.py runs the checks,
and server.py speaks HTTP. It takes no commands, and known.toml says what else it leaves out.
"""
import itertools
import json
import os
import sys
import threading

from checks import Check, Result
from health import Health
from server import Server

stdout_lock = threading.Lock()


def say(line):
    """Prints and flushes a line of the protocol."""
    with stdout_lock:
        print(line, flush=True)


def log(level, text):
    say(f"LOG {level} {text}")


def check(described, slow_share):
    """A check with the behavior of a CHECK of the protocol."""
    executions = itertools.chain([described], described.get("then", []))
    last = described

    def function():
        nonlocal last
        say(f"CHECK {described['name']}")
        last = next(executions, last)
        behaviour, _, milliseconds = last.get("behaviour", "report").partition(":")
        if behaviour == "panic":
            raise RuntimeError("the scenario asks for a panic")
        seconds = None if behaviour == "hang" else int(milliseconds or 0) / 1000
        threading.Event().wait(seconds)  # None: forever
        status = "DEGRADED" if last.get("degraded") else "OK" if last.get("status", "OK") == "OK" else "ERROR"
        result = Result(status, last.get("message"), last.get("reason"))
        for value in last.get("values", []):
            result.value(value["name"], value["number"], value["unit"])
        return result

    return Check(
        described["name"],
        function,
        timeout=described.get("timeout", 5000) / 1000,
        optional=described.get("optional", False),
        shared=described.get("shared", False),
        fail_after=described["fail_after"] / 1000 if described.get("fail_after") else None,
        every=described.get("every") and described["every"] / 1000,
        every_while_failing=described.get("every_while_failing") and described["every_while_failing"] / 1000,
        failure_threshold=described.get("failure_threshold", 1),
        success_threshold=described.get("success_threshold", 1),
        slow_share=slow_share,
        log=log,
    )


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    setup = json.loads(os.environ["HEALTH_SETUP"])
    slow_share = setup.get("slow_percent", 100) / 100
    checks = [check(described, slow_share) for described in setup.get("checks", [])]
    try:
        health = Health(setup.get("settings", {}), checks, log)
    except ValueError as error:
        sys.exit(str(error))
    server = Server(health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(f"READY http://127.0.0.1:{server.server_port}")
    sys.stdin.read()  # the end of the test


if __name__ == "__main__":
    main()
