"""Whether others can read what a service shows: promtool the text format, the client of Python OpenMetrics."""
import importlib.util
import subprocess
import sys

from .. import tools
from ..page import ROOT
from ..process import Failure

GOLDEN = ROOT / "core/tests/details/metrics"

# The parser of Debian's package: a virtual environment does not see it.
PLACE = "/usr/lib/python3/dist-packages"


def has_parser():
    if PLACE not in sys.path:
        sys.path.append(PLACE)
    return importlib.util.find_spec("prometheus_client") is not None


def check_files():
    """Checks the texts that the tests of the core expect."""
    check((GOLDEN / "prometheus.txt").read_text(), (GOLDEN / "openmetrics.txt").read_text())


def check(prometheus, openmetrics):
    """Fails unless both are valid and show the same series. Lints the first: promtool reads no OpenMetrics."""
    done = subprocess.run(
        [tools.find("promtool"), "check", "metrics"], input=prometheus, text=True, capture_output=True
    )
    if done.returncode != 0 or done.stdout or done.stderr:
        raise Failure(f"promtool check metrics: {done.stdout}{done.stderr}")
    if (first := _series(prometheus, "parser")) != (second := _series(openmetrics, "openmetrics.parser")):
        raise Failure(f"the formats differ: {sorted(first ^ second)}")


def _series(text, parser):
    """Returns the names and labels, as the reference parser of a format reads them."""
    has_parser()
    module = importlib.import_module(f"prometheus_client.{parser}")
    try:
        families = list(module.text_string_to_metric_families(text))
    except ValueError as error:
        raise Failure(f"{parser}: {error}") from error
    return {(sample.name, frozenset(sample.labels.items())) for family in families for sample in family.samples}
