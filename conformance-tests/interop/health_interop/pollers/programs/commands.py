"""Programs that ask once and end: what they conclude is their exit code."""
from .. import process
from .program import Program


class Command(Program):
    def __init__(self, described, **around):
        super().__init__(described, **around)
        self.binary = described.setups[0].config.command.split()[0]
        self.version_command = described.version

    def conclude(self, target):
        text, code = process.output(
            ["sh", "-c", self.text(target.setup.config, self.values(target))],
            cwd=self.scratch,
            env=process.environment(self.scratch),
        )
        concluded = [target.code(), f"exit {code}"]
        if len(self.about.columns) > 1:
            # Plugins of monitoring say it in words too: "HTTP WARNING: …".
            concluded.append(text.partition(":")[0])
        return tuple(concluded)
