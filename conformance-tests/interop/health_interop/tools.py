"""The programs that are not ours: where they are, their versions, and how they are installed."""
import argparse
import os
import pathlib
import re
import shutil
import subprocess

from .process import Failure, output

# Where programs for administrators and monitoring plugins are; directories are added for programs of this project.
PLACES = ["/usr/sbin", "/sbin", "/usr/lib/nagios/plugins"]

# The scripts of packages run this before they start a service; exit code 101 forbids it.
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")


def path():
    """Returns the search path."""
    return ":".join([os.environ["PATH"], *PLACES])


def find(name):
    """Returns the path of a program, or None."""
    return shutil.which(name, path=path())


def version(name, *arguments):
    """Returns the first number with a point in what the program prints for these arguments."""
    text, _ = output([find(name), *arguments])
    number = re.search(r"\d+(\.\d+)+", text)
    if number is None:
        raise Failure(f"{name} {' '.join(arguments)} prints no version: {text}")
    return number[0]


def environment(scratch, **more):
    """Returns an environment without the user's settings, whose home is the scratch directory."""
    homes = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"], str(scratch))
    return {"PATH": path(), "LC_ALL": "C", **homes, **more}


def install(packages):
    """Installs packages of Debian; a package that cannot be installed is reported and left out."""
    if not packages:
        return
    if shutil.which("apt-get") is None:
        print(f"No apt-get to install {' '.join(packages)}")
        return
    ours = not POLICY.exists() and os.access(POLICY.parent, os.W_OK)
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        _apt_get("update")
        # One by one: a release may lack one of them.
        for package in packages:
            _apt_get("install", "-y", "--no-install-recommends", package)
    finally:
        if ours:
            POLICY.unlink()


def _apt_get(*arguments):
    # No time limit, unlike `output`: a download takes as long as it takes.
    done = subprocess.run(
        ["apt-get", "-q", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode != 0:
        print(f"apt-get {' '.join(arguments)} failed:\n{done.stdout}")


def some_of(names):
    """Returns a type of an argument: some of the names, separated by commas."""

    def parse(text):
        for name in text.split(","):
            if name not in names:
                raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(names)}")
        return text.split(",")

    return parse
