"""A namespace of the network and of mounts, in which the program has the port of DNS, and can fill a disk."""
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys

VARIABLE = "HEALTH_INDICATORS_NAMESPACE"
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def enter():
    """Runs the command again in new namespaces, unless it is in them already. Returns whether it is."""
    if VARIABLE in os.environ:
        return True
    unshare = ["unshare", "--mount", "--net"]
    try:
        if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            return False
    except OSError:
        return False
    sys.stdout.flush()
    os.execvpe("unshare", [*unshare, sys.executable, *sys.argv], os.environ | {VARIABLE: "1"})


def prepare(scope, scratch):
    """Makes the addresses of the host itself work, and asks for names there. Returns a directory with little space,
    in which another file system is mounted."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    resolver = scratch / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
    _mount("--bind", resolver, pathlib.Path("/etc/resolv.conf").resolve())
    disk = scratch / "disk"
    disk.mkdir()
    _mount("-t", "tmpfs", "-o", "size=1m,nr_inodes=100", "tmpfs", disk)
    scope.callback(lambda: subprocess.run(["umount", "--recursive", "--lazy", str(disk)]))
    remounted = disk / "remounted"
    remounted.mkdir()
    _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", remounted)
    return disk


def _mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)
