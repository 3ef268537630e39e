"""The report with many findings in a real browser: bytes, time to the first row, and how long a keystroke takes.

PYTHONPATH=tests/auditor:tests/browser python tests/benchmarks/report_page.py 50000
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from browsing import browser
from feeds import many

from auditor.outputs.html import html_chunks

WORDS = ("fraud", "endpoint churn", "us-east-1", "root", "no such thing", "sec-0")
TIMED = """words => {
  const began = performance.now();
  auditor.wanted.q = words;
  auditor.show();
  return performance.now() - began;
}"""


def main() -> None:
    """One page."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        path = Path(folder) / "report.html"
        began = time.perf_counter()
        with path.open("wb") as file:
            file.writelines(html_chunks(many(number)))
        print(f"written in {time.perf_counter() - began:.1f} s, {path.stat().st_size / 1e6:.1f} MB")
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        page.goto(path.as_uri())
        page.locator("#line-0").wait_for()
        print(f"first row after {time.perf_counter() - began:.2f} s")
        page.evaluate(TIMED, "first search builds the texts that are searched")
        times = [page.evaluate(TIMED, words) for words in WORDS for _ in range(5)]
        print(f"a search takes {statistics.median(times):.0f} ms, at most {max(times):.0f} ms")
        times = []
        for step in range(1, 40):
            began = time.perf_counter()
            page.evaluate("top => { document.getElementById('list').scrollTop = top; }", step * 60_000)
            page.evaluate("() => new Promise(requestAnimationFrame)")
            times.append((time.perf_counter() - began) * 1000)
        print(f"a jump in the list takes {statistics.median(times):.0f} ms, at most {max(times):.0f} ms")


if __name__ == "__main__":
    main()
