"""Installs the programs that are missing, as packages of Debian."""
import os
import pathlib
import shutil
import subprocess

from . import programs

# What a package's scripts ask before they start a service; 101 means that it may not be started.
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")


def missing(described):
    """Tries to install what is missing; what cannot be installed is not run."""
    packages = [
        one.package for one in described if one.package and not programs.of(one).find()
    ]
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
        # One by one: a package that this release does not have takes no other with it.
        for package in packages:
            _apt_get("install", "-y", "--no-install-recommends", package)
    finally:
        if ours:
            POLICY.unlink()


def _apt_get(*arguments):
    command = ["apt-get", "-q", *arguments]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode != 0:
        print(f"{' '.join(command)} failed:\n{done.stdout}")
