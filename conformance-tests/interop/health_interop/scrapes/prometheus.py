"""A Prometheus with its own data, and its HTTP API."""
import json
import urllib.error
import urllib.parse
import urllib.request

from .. import tools
from ..process import Failure, free_port
from .rules import ALERTS

CONFIG = """
global:
  scrape_interval: 500ms
  scrape_timeout: 400ms
  evaluation_interval: 1s
rule_files:
  - {alerts}
scrape_configs:
  # Prometheus asks for OpenMetrics.
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: text
    params: {{format: [prometheus]}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: full
    authorization: {{credentials: {token}}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    def __init__(self, processes, scratch, port, token):
        config = scratch / "prometheus.yaml"
        config.write_text(CONFIG.format(alerts=ALERTS, port=port, token=token))
        self._port = free_port()
        process = processes.start(
            [
                tools.find("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={scratch / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
            ],
            scratch / "prometheus.log",
            env=tools.environment(scratch),
            cwd=scratch,
        )
        process.wait_until(self._is_ready, "it is ready")

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=10) as response:
                return response.status == 200
        except OSError:
            return False

    def query(self, expression):
        """Returns the labels and numbers of an instant query."""
        found = self._get("query", query=expression)
        return [(series["metric"], float(series["value"][1])) for series in found]

    def number(self, expression):
        """Returns the number of a query with one series."""
        found = self.query(expression)
        if len(found) != 1:
            raise Failure(f"{expression} has {len(found)} series: {found}")
        return found[0][1]

    def over_time(self, expression, start, end):
        """Returns the labels of a range query, and the times at which each had a number."""
        found = self._get("query_range", query=expression, start=start, end=end, step=0.5)
        return [(series["metric"], [float(time) for time, _ in series["values"]]) for series in found]

    def _get(self, path, **parameters):
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise Failure(f"{parameters}: {error.read().decode()}") from error
