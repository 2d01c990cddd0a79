"""The servers that are asked: a testee program of each adapter."""
import json
import queue
import subprocess
import threading

from . import process
from .process import RunError

ADAPTERS = {
    "axum": "axum_testee",
    "actix-web": "actix_web_testee",
    "warp": "warp_testee",
    "rocket": "rocket_testee",
    "poem": "poem_testee",
    "hyper": "hyper_testee",
}


class Testee:
    """A testee program (see docs/contract.md, "Testee protocol")."""

    def __init__(self, program, given, scratch):
        if not program.exists():
            raise RunError(f"{program} is not there: cargo build --workspace --examples")
        self._lines = queue.Queue()
        self._process = process.start(
            [program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=scratch,
            env=process.environment(scratch) | {"HEALTH_GIVEN": json.dumps(given)},
        )
        threading.Thread(target=self._read, daemon=True).start()
        host, port = self._expect("READY").removeprefix("http://").split(":")
        self.address = (host, int(port))

    def command(self, line):
        """Gives a command, and returns once it took effect."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self._expect("DONE")

    def _read(self):
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word in ("READY", "DONE"):
                self._lines.put((word, rest))
        self._lines.put(("END", ""))

    def _expect(self, word):
        try:
            got, rest = self._lines.get(timeout=process.PATIENCE)
        except queue.Empty:
            got, rest = "nothing", ""
        if got != word:
            raise RunError(f"{self._process.args[0]}: expected {word}, got {got}")
        return rest
