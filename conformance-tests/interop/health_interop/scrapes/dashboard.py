"""The queries of the dashboard of Grafana."""
import json

from ..page import ROOT

PATH = ROOT / "docs/grafana/health.json"

# What Grafana puts in their place.
VARIABLES = {"$__rate_interval": "1m", "$job": ".*", "$instance": ".*"}


def queries():
    """Yields the title and the query of each panel, and of each annotation."""
    board = json.loads(PATH.read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], _filled(target["expr"])
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], _filled(annotation["expr"])


def _filled(query):
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return query
