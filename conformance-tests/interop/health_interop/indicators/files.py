"""Files on a disk with little space, and another one that can become read-only."""
import errno
import subprocess

from .. import tools
from ..process import Failure


class Files:
    """A disk that can be filled, with a file and a directory that can be removed."""

    package = "mount"
    is_of_debian = True

    @classmethod
    def find(cls):
        return tools.find("mount")

    def __init__(self, disk, certificate):
        self.directory = disk
        self._certificate = certificate.read_text()
        self.gone("off")

    def describe(self):
        return {"port": 0, "directory": str(self.directory)}

    def no_writes(self, state):
        mode = {"on": "ro", "off": "rw"}[state]
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.directory / "remounted")], check=True)
        filling = self.directory / "filling"
        if state == "off":
            filling.unlink()
            return
        try:
            filling.write_bytes(bytes(64 << 20))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        else:
            raise Failure("64 MB fit on a disk that has less")

    def gone(self, state):
        certificate = self.directory / "certificate.pem"
        file, data = self.directory / "file", self.directory / "data"
        if state == "off":
            file.touch()
            certificate.write_text(self._certificate)
            data.mkdir()
        else:
            file.unlink()
            certificate.unlink()
            data.rmdir()
