"""The alerts of docs/prometheus."""
from .. import tools
from ..page import ROOT
from ..process import Failure, output

ALERTS = ROOT / "docs/prometheus/alerts.yaml"
TESTS = ROOT / "docs/prometheus/alerts.test.yaml"


def check():
    """Fails unless promtool accepts the alerts and their tests pass."""
    promtool(["check", "rules", ALERTS])
    promtool(["test", "rules", TESTS])


def promtool(arguments):
    text, code = output([tools.find("promtool"), *arguments])
    if code != 0:
        raise Failure(f"promtool {arguments[0]} {arguments[1]}: {text}")
