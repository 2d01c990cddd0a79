"""Tests of what the commands use: `python3 -m unittest health_interop.tests`."""
import contextlib
import copy
import pathlib
import socket
import sys
import tempfile
import unittest

from . import process
from .configs import Configs
from .direct import counting as direct
from .direct import report as direct_report
from .direct.run import drain
from .indicators import report as indicators
from .outages import counting, postgres
from .page import HERE, Page, table
from .pollers.command import Command
from .pollers.descriptions import load
from .pollers.report import Report
from .pollers.run import Verdict
from .process import Failure, Processes
from .restarts import scenarios
from .servers import FRAMEWORKS
from .slow.run import wrong as slow_wrong

PAGE = """\
# A page
<!-- generated: one -->
Version 1.0. Old.
<!-- end -->
Prose.
<!-- generated: two -->
<!-- end -->
"""


class WithFiles(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.scratch = pathlib.Path(directory.name)

    def file(self, text):
        path = self.scratch / "file"
        path.write_text(text)
        return path


class PageTest(WithFiles):
    def test_blocks_are_replaced_and_prose_is_kept(self):
        path = self.file(PAGE)
        page = Page(path)
        page.replace("two", "\nNew.\n")
        page.replace("one", "Newer.")
        page.write()
        text = path.read_text()
        self.assertEqual(text, PAGE.replace("Version 1.0. Old.", "Newer.").replace("two -->\n", "two -->\nNew.\n"))

    def test_a_difference_fails_and_a_version_does_not(self):
        page = Page(self.file(PAGE))
        page.replace("one", "Version 2.3. Old.")
        page.check()
        page.replace("one", "Version 2.3. New.")
        with self.assertRaisesRegex(Failure, r"file is out of date[^$]*-Version. Old.\n\+Version. New."):
            page.check()

    def test_a_missing_block_is_named(self):
        with self.assertRaisesRegex(Failure, "no block three: add the lines <!-- generated: three -->"):
            Page(self.file(PAGE)).replace("three", "")

    def test_a_table_has_a_head(self):
        self.assertEqual(table([["a", "b"], ["1", "2"]]), "| a | b |\n|---|---|\n| 1 | 2 |")


class ConfigsTest(WithFiles):
    def test_a_part_is_filled_in(self):
        configs = Configs(self.file("#: config a\nport @port@\n\n#: config b\nother\n"))
        self.assertEqual(configs.part("config a", {"port": 80}), "port 80")

    def test_a_word_without_a_value_is_named(self):
        with self.assertRaisesRegex(Failure, "file, config a: there is no value for 'port'"):
            Configs(self.file("#: config a\nport @port@\n")).part("config a", {})


class ProcessTest(WithFiles):
    def start(self, processes, code):
        return processes.start([sys.executable, "-u", "-c", code], self.scratch / "log")

    def test_lines_are_read_once_and_only_when_complete(self):
        with Processes() as processes:
            child = self.start(processes, "import time; print('READY 1\\nmore\\nhalf', end=''); time.sleep(60)")
            self.assertEqual(child.wait_for_line("READY"), "READY 1")
            child.wait_until(lambda: (self.scratch / "log").read_text().endswith("half"), "it prints")
            self.assertEqual(list(child.lines()), ["more"])
            self.assertEqual(list(child.lines()), [])

    def test_an_early_end_fails_with_the_last_lines(self):
        with Processes() as processes:
            child = self.start(processes, "import sys; sys.exit('the port is taken')")
            with self.assertRaisesRegex(Failure, "ended with 1: the port is taken"):
                child.wait_until(lambda: False, "it listens")

    def test_nothing_outlives_its_scope(self):
        with Processes() as processes:
            child = self.start(processes, "import time; print('READY', flush=True); time.sleep(60)")
            child.wait_for_line("READY")
        with self.assertRaisesRegex(Failure, "the run has ended"):
            child.check()
        with self.assertRaisesRegex(Failure, "the run has ended"):
            self.start(processes, "")
        self.assertEqual(child._popen.returncode, -9)

    def test_no_port_is_given_twice(self):
        ports = [process.free_port() for _ in range(100)]
        self.assertEqual(len(set(ports)), 100)


class ReportTest(WithFiles):
    def test_a_program_that_is_not_run_keeps_its_rows(self):
        states, _, descriptions = load(HERE / "programs")
        curl = next(one for one in descriptions if one.id == "curl")
        verdicts = [
            Verdict("curl", setup.id, state.id, adapter, setup.expects(state.id, adapter), "`GET / HTTP/1.1`")
            for setup in curl.setups
            for state in states
            for adapter in FRAMEWORKS
        ]
        blocks = "| HAProxy | measured before |\n| curl | wrong |\n"
        path = self.file(f"<!-- generated: summary -->\n{blocks}<!-- end -->\n<!-- generated: curl -->\n<!-- end -->\n")
        page = Page(path)
        Report(states, descriptions, [Command(curl, None, self.scratch, None)], verdicts).put_into(page)
        page.write()
        text = path.read_text()
        self.assertIn("| HAProxy | measured before |", text)
        self.assertNotIn("wrong", text)
        self.assertIn("| curl | `readiness` | `get` | exit 0 | exit 0 | exit 22 |", text)
        self.assertIn("| `readiness` | `get` | ok, degraded | 200 | exit 0 |", text)
        self.assertIn("curl -fsS -o /dev/null 'http://127.0.0.1:8080/health?checks=all'", text)


class ScenariosTest(unittest.TestCase):
    def test_every_row_of_delays_has_its_scenarios(self):
        for proxy, name, _, delays in scenarios.DELAYS:
            for delay in delays:
                self.assertIn(proxy, scenarios.SCENARIOS[f"{name}-delay-{delay}"].proxies)


class OutagesTest(WithFiles):
    """What is counted in the outages of a database, and what contradicts the page."""

    def result(self, check):
        shared = check != "required"
        none, some = {"sent": 50, "answered": 50, "failed": 0}, {"sent": 50, "answered": 10, "failed": 40}
        outage = {
            "static": none if shared else some,
            "queries": some,
            "answered": 0,
            "still": none,
            "left": [] if shared else ["a", "b"],
            "responses": {"/ready": 200 if shared else 503, "/alert": 503},
        }
        cut = {"static": none, "queries": some, "still": none, "left": ["a"] if check in counting.LEAVING else []}
        parts = {"stopped": outage, "frozen": outage, "cut": cut, "static": none}
        return {"check": check} | {name: copy.deepcopy(part) for name, part in parts.items()}

    def wrong(self, result):
        return list(counting.wrong(result, instances=2))

    def test_what_the_page_says_is_not_wrong(self):
        for check in counting.KINDS:
            self.assertEqual(self.wrong(self.result(check)), [])

    def test_a_required_check_in_place_of_a_shared_one_is_wrong(self):
        found = self.wrong(self.result("required") | {"check": "shared"})
        self.assertIn("stopped: 40 requests without the database were lost", found)
        self.assertIn("frozen: 2 of 2 instances left", found)
        self.assertIn("a was cut off, and left: a", found)

    def test_a_shared_check_in_place_of_a_required_one_is_wrong(self):
        found = self.wrong(self.result("shared") | {"check": "required"})
        self.assertIn("stopped: no request without the database was lost, although all instances must leave", found)
        self.assertIn("a was cut off, and left: none", found)

    def test_an_instance_that_is_cut_off_must_leave_if_it_has_peers(self):
        result = self.result("peers")
        result["cut"]["left"] = []
        self.assertEqual(self.wrong(result), ["a was cut off, and left: none"])
        result["cut"]["left"] = ["a", "b"]
        self.assertEqual(self.wrong(result), ["a was cut off, and left: a, b"])

    def test_a_request_that_is_lost_outside_of_an_outage_counts(self):
        result = self.result("shared")
        result["static"]["failed"] = 1
        self.assertEqual(self.wrong(result), ["1 of all requests without the database were lost"])

    def test_a_database_that_was_not_stopped_is_reported(self):
        result = self.result("shared")
        result["frozen"]["answered"] = 7
        self.assertEqual(self.wrong(result), ["the database was not frozen: 7 queries were answered meanwhile"])

    def test_queries_that_never_recover_are_reported(self):
        result = self.result("shared")
        result["stopped"]["still"] = {"sent": 50, "answered": 0, "failed": 50}
        found = ["stopped: 50 of 50 queries fail long after the database has returned"]
        self.assertEqual(self.wrong(result), found)

    def test_the_peak_is_that_of_its_window(self):
        counts = counting.tenths(["QUERIES 99 50", "other", "QUERIES 100 1", "QUERIES 104 3", "QUERIES 110 50"])
        self.assertEqual(counting.peak(counts, since=10.05, seconds=1), {"total": 4, "peak": 3, "ratio": 7.5})
        self.assertEqual(counting.peak(counts, since=20, seconds=1), {"total": 0, "peak": 0, "ratio": None})

    def test_connections_are_found_in_the_log(self):
        log = """\
1764251234.567 LOG:  connection received: host=127.0.0.1 port=40000
1764251234.570 LOG:  connection authorized: user=shop database=postgres
1764251235.001 LOG:  connection received: host=127.0.0.1 port=40001
"""
        self.assertEqual(postgres.accepted(log.splitlines()), [1764251234.567, 1764251235.001])

    def test_a_relay_that_is_cut_refuses_and_can_be_restored(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            relay = postgres.Relay(server.getsockname()[1])
            with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as client:
                accepted, _ = server.accept()
                with accepted:
                    client.sendall(b"question")
                    self.assertEqual(accepted.recv(100), b"question")
                    accepted.sendall(b"answer")
                    self.assertEqual(client.recv(100), b"answer")
                    relay.cut()
                    with contextlib.suppress(ConnectionResetError):
                        self.assertEqual(client.recv(100), b"")
            self.assertFalse(process.listens(relay.port))
            relay.restore()
            self.assertTrue(process.listens(relay.port))


class DirectTest(unittest.TestCase):
    """What is counted when the clients have no load balancer, and what contradicts the page."""

    def counts(self, lost=0, wrong=0):
        return {
            "sent": 1000,
            "answered": 1000 - lost - wrong,
            "wrong": wrong,
            "lost": {"timeout": lost} if lost else {},
            "connections": 70,
            "repeated": 3,
            "drains": [
                {"responses": 100, "announced": 90, "lost": lost, "began": 10, "ended": 11},
                {"responses": 50, "announced": 10, "lost": 0, "began": 20, "ended": 21.5},
                {"responses": 50, "announced": 20, "lost": 0, "began": 30, "ended": 34},
            ],
        }

    def wrong(self, kind, **counts):
        return list(direct.wrong(kind, direct.figures(self.counts(**counts), 64)))

    def test_the_figures_are_those_of_all_drains(self):
        found = direct.figures(self.counts(lost=96), connections=64)
        self.assertEqual((found["sent"], found["lost"], found["each"]), (1000, 96, 0.5))
        self.assertEqual((found["responses"], found["announced"], found["restarts"]), (200, 120, 3))
        self.assertEqual((found["median"], found["max"]), (1.5, 4))

    def test_the_counts_of_a_drain_are_those_of_its_instance(self):
        before = {"responses": [10, 20], "announced": [0, 1], "lost": {}}
        after = {"responses": [11, 50], "announced": [0, 31], "lost": {"timeout": 1, "reset": 1}}
        self.assertEqual(drain(1, before, after), {"responses": 30, "announced": 30, "lost": 2})

    def test_a_client_that_heeds_the_announcement_may_lose_nothing(self):
        self.assertEqual(self.wrong("heeding"), [])
        self.assertEqual(self.wrong("heeding", lost=1), ["1 of 1000 requests were lost: {'timeout': 1}"])
        self.assertEqual(self.wrong("ignoring", lost=1), [])

    def test_more_than_is_tolerated_is_wrong(self):
        found = direct.figures(self.counts(lost=2), 64)
        self.assertEqual(list(direct.wrong("heeding", found, tolerated=2)), [])
        self.assertEqual(len(list(direct.wrong("heeding", found, tolerated=1))), 1)

    def test_a_wrong_response_contradicts_the_page_for_every_client(self):
        for kind in "heeding", "ignoring":
            self.assertEqual(self.wrong(kind, wrong=2), ["2 responses were not those of the application"])

    def test_a_row_has_the_figures_of_all_clients(self):
        heeding, ignoring = (direct.figures(self.counts(lost=lost), 64) for lost in (0, 96))
        block = direct_report.block({"axum": {"1.1": {"64": {"heeding": heeding, "ignoring": ignoring}}}})
        self.assertIn(
            "| axum | 1.1 | 64 | **0** of 1,000 | – | 96 of 1,000: 0.50 | 120 of 200 | 1.50 s, at most 4.00 s |", block
        )


class SlowTest(unittest.TestCase):
    """What contradicts the page on slow requests."""

    def wrong(self, request, process, code=1, framework="axum", kind="never"):
        found = {"request": request, "process": process, "code": code}
        return list(slow_wrong(framework, kind, found, at_most=3000))

    def test_a_request_must_last_until_the_bound_and_the_process_must_not(self):
        self.assertEqual(self.wrong(3.5, 3.5), [])
        self.assertEqual(self.wrong(0.5, 3.5), ["the request ended after 0.50 s, before the bound of 3 s"])
        self.assertEqual(self.wrong(3.5, 4.1), ["the process ended after 4.10 s, long after the bound of 3 s"])

    def test_a_dropped_request_must_show_in_the_exit_code(self):
        self.assertEqual(self.wrong(3.5, 3.5, 0), ["the process ended with 0, although a request was dropped"])

    def test_an_exception_that_is_none_any_longer_is_reported(self):
        for framework in "actix-web", "axum":
            head = {"framework": framework, "kind": "head"}
            self.assertEqual(self.wrong(0.5, 0.5, 0, **head), [])
            self.assertIn("the request ended after 3.50 s, although", self.wrong(3.5, 3.5, **head)[0])


class IndicatorsTest(WithFiles):
    PAGE = "<!-- generated: matrix -->\n<!-- end -->\n<!-- generated: bounds -->\n<!-- end -->\n"

    def results(self, **groups):
        cell = {"verdict": "OK", "message": "", "detected": None, "recovered": 0.5, "longest": 0.1, "wrong": []}
        cell |= {"accepted": 1, "most": 1, "row": {"healthy": "1", "at_once": 2, "waits": True}}
        return {name: {"`one`": {"up": cell}} if found is True else found for name, found in groups.items()}

    def page(self, results, text=PAGE, keep=False):
        page = Page(self.file(text))
        indicators.put_into(page, results, keep)
        page.write()
        return (self.scratch / "file").read_text()

    def test_what_was_not_run_is_never_passed(self):
        text = self.page(self.results(redis=True, nats="nats-server is not installed"))
        self.assertRegex(text, r"\| Redis \| `one` \| OK \| – ")
        self.assertIn("| NATS | NOT RUN: nats-server is not installed |", text)
        self.assertEqual(
            indicators.not_run(self.results(redis=True, nats="gone")), ["NATS: NOT RUN: gone"]
        )

    def test_what_was_not_run_is_compared_with_nothing(self):
        before = self.page(self.results(redis=True, nats=True))
        self.assertEqual(self.page(self.results(redis=True, nats="gone"), before, keep=True), before)
        results = self.results(redis=True, nats=True)
        results["nats"]["`one`"]["up"]["verdict"] = "`refused`"
        self.assertNotEqual(self.page(results, before, keep=True), before)

    def test_a_cell_that_was_not_run_keeps_what_the_page_says(self):
        before = self.page(self.results(redis=True))
        results = self.results(redis=True)
        results["redis"]["`one`"]["up"] |= {"verdict": "NOT RUN: no names"}
        self.assertEqual(self.page(results, before, keep=True), before)
        self.assertIn("NOT RUN", self.page(results, before))

    def test_what_must_not_happen_is_a_problem(self):
        results = self.results(redis=True)
        self.assertEqual(indicators.problems(results), [])
        results["redis"]["`one`"]["up"]["wrong"] = ["3 connections"]
        self.assertEqual(indicators.problems(results), ["redis, `one`, up: 3 connections"])

    def test_every_group_of_indicators_has_a_name(self):
        from .indicators.run import GROUPS

        self.assertEqual(set(indicators.NAMES), set(GROUPS))
