"""Commands that poll once and end: their verdict is the exit code."""
from .program import Program


class Command(Program):
    def verdict(self, target):
        command = ["sh", "-c", self.run_text(target)]
        text, code = self.poll(target, lambda: self.output(command))
        verdict = [target.code(), f"exit {code}"]
        if len(self.description.columns) > 1:
            # Monitoring plugins print the verdict too: "HTTP WARNING: …".
            verdict.append(text.partition(":")[0])
        return tuple(verdict)
