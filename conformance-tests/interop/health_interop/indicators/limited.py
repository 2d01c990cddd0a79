"""The limits of the program that has the indicators."""
import contextlib
import os
import pathlib
import resource
import subprocess

# What `src/bin/indicators/rows/process.rs` fills.
FILES, THREADS, MEMORY = 16384, 2000, 1 << 30
ROOT = pathlib.Path("/sys/fs/cgroup")


class Limited:
    """A cgroup for the program, and its limit of open files."""

    is_of_debian = False
    needs = "it needs cgroups of memory and of threads that it can write to, as root"

    @classmethod
    def find(cls):
        """Returns whether a process can be limited, which is tried."""
        with contextlib.ExitStack() as scope, contextlib.suppress(OSError):
            limited = cls(scope)
            process = subprocess.Popen(["sleep", "60"])
            scope.callback(process.wait)
            scope.callback(process.kill)
            limited.take(process.pid)
            return bool(limited._own)
        return False

    def __init__(self, scope):
        self._own = []
        for tree, limits in _limits().items():
            own = tree / f"indicators-{os.getpid()}"
            own.mkdir()
            self._own.append(own)
            scope.callback(_remove, own)
            for file, limit in limits.items():
                (own / file).write_text(str(limit))

    def describe(self):
        return {"port": 0}

    def take(self, process):
        """Sets the limits of a process."""
        for own in self._own:
            (own / "cgroup.procs").write_text(str(process))
        resource.prlimit(process, resource.RLIMIT_NOFILE, (FILES, FILES))


def _limits():
    """Returns the files of limits in each directory in which a cgroup can be made."""
    two = ROOT / "cgroup.subtree_control"
    if not two.exists():
        # Version 1 has a tree for each controller.
        return {ROOT / "memory": {"memory.limit_in_bytes": MEMORY}, ROOT / "pids": {"pids.max": THREADS}}
    has_both = {"memory", "pids"} <= set(two.read_text().split())
    return {ROOT: {"memory.max": MEMORY, "pids.max": THREADS}} if has_both else {}


def _remove(own):
    # It is not empty if the program does not end.
    with contextlib.suppress(OSError):
        own.rmdir()
