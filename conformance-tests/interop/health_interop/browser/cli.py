"""The command line of the page."""
import argparse
import pathlib
import tempfile

from .. import tools
from ..page import ROOT
from ..process import Failure, Processes
from ..servers import TARGET
from . import audit
from .chromium import Chromium

IMAGES = ROOT / "docs/images"

# The pages that docs/page.md shows.
SHOTS = {
    ("ok", "light", "desktop"),
    ("failing", "dark", "desktop"),
    ("failing", "light", "phone"),
    ("maintenance", "dark", "phone"),
}

MAX_SHOT = 150_000  # bytes


def main(description):
    options = _options(description)
    program = options.examples / "page"
    if not program.exists():
        raise Failure(f"{program} does not exist: run cargo build --example page -p health-interop")
    axe = options.axe.read_text()
    with tempfile.TemporaryDirectory() as scratch, Processes() as processes:
        scratch = pathlib.Path(scratch)
        service = processes.start([program], scratch / "page.log", env=tools.environment(scratch))
        server = "http://" + service.wait_for_line("READY").removeprefix("READY ")
        browser = Chromium(processes, scratch)
        wrong = [*_states(browser, server, axe, options.write), *_refreshes(browser, server, axe)]
    if wrong:
        raise Failure("\n".join(wrong))


def _states(browser, server, axe, is_written):
    for state in audit.STATES:
        wrong = []
        for scheme in audit.SCHEMES:
            for size, (width, height) in audit.SIZES.items():
                with browser.open_tab(width, height, scheme) as tab:
                    url = f"{server}/{state}?format=html-still"
                    tab.open(url)
                    name = f"{state}, {scheme}, {size}"
                    shot = tab.screenshot() if (state, scheme, size) in SHOTS else b""
                    wrong += (f"{name}: {text}" for text in audit.complaints(tab, axe, url, state))
                    if len(shot) > MAX_SHOT:
                        wrong.append(f"{name}: the screenshot has {len(shot)} bytes")
                    if shot and is_written:
                        IMAGES.mkdir(exist_ok=True)
                        (IMAGES / f"page-{state}-{scheme}-{size}.png").write_bytes(shot)
        print(f"{state}: {'FAILED' if wrong else 'good'}", flush=True)
        yield from wrong


def _refreshes(browser, server, axe):
    url = f"{server}/ok?format=html"
    with browser.open_tab(*audit.SIZES["phone"], "light") as tab:
        tab.open(url)
        wrong = [f"refresh: {text}" for text in audit.complaints(tab, axe, url, "ok", refreshes=True)]
    wrong += (f"refresh: {text}" for text in audit.refresh(browser, server))
    print(f"refresh: {'FAILED' if wrong else 'good'}", flush=True)
    return wrong


def _options(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--axe", type=pathlib.Path, required=True, help="axe.min.js of the npm package axe-core")
    add("--examples", type=pathlib.Path, default=TARGET / "examples", help="where the example was built")
    add("--write", action="store_true", help=f"write the screenshots to {IMAGES.relative_to(ROOT)}")
    return parser.parse_args()
