"""The feed server under load: one process, many clients that ask as a dashboard and its users do.

    python tests/benchmarks/feed_server.py [findings] [clients] [seconds]

Prints p50, p95, p99 in milliseconds by kind of request and over all, and requests a second. Clients keep their
connections, take gzip, and ask again as soon as they have read an answer.
"""

import gzip
import http.client
import json
import multiprocessing
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent))

from ledger import ON_NOTEBOOKS, START, findings_of, report_of, rules, snapshot_of

from auditor.ledger.layout import open_ledger
from auditor.ledger.record import record
from evaluators.finding import Finding
from evaluators.rule import Severity

ENVIRONMENTS = ("production", "staging", "development", "sandbox", "unplaced")
FILTERS = (
    "",
    "severity=critical,high",
    "min_severity=high&environment=production",
    "rule=SEC-001",
    "pillar=security&state=new",
    "environment=sandbox,development&sort=first_seen",
    "state=open&sort=severity",
    "verdict=fail&kind=notebook-instance&region=eu-west-1",
)
MIX = (
    ("page", 20),
    ("recheck", 25),
    ("filter", 15),
    ("next page", 15),
    ("text search", 10),
    ("facets", 5),
    ("one finding", 5),
    ("run", 5),
)


def varied(count: int) -> Iterator[Finding]:
    """Findings that differ as those of a real account do."""
    chosen = random.Random(1)
    for finding in findings_of(count // ON_NOTEBOOKS, rules()):
        severity = chosen.choice(list(Severity))
        environment = chosen.choice(ENVIRONMENTS)
        yield replace(
            finding,
            severity=severity,
            score=int(severity),
            environment=environment,
            why=f"{finding.why}, {chosen.randrange(500)} of them",
        )


def make_ledger(path: Path, count: int) -> None:
    """Two runs, the second of which lacks some findings of the first."""
    findings = list(varied(count))
    connection = open_ledger(path, write=True)
    for day, some in enumerate((findings[: -count // 10], findings)):
        snapshot = snapshot_of(count // ON_NOTEBOOKS, START + timedelta(days=day))
        record(connection, report_of(snapshot, rules(), some), snapshot)
    connection.close()


@dataclass
class Client:
    """One client: its connection, what it has seen, and how long each answer took."""

    port: int
    chosen: random.Random
    connection: http.client.HTTPConnection = field(init=False)
    filters: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    cursor: str = ""
    ids: list[str] = field(default_factory=list)
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, kind: str, path: str, *, tag: str = "") -> bytes:
        """One request, timed from the first byte sent to the last one read."""
        headers = {"Accept-Encoding": "gzip"}
        if tag:
            headers["If-None-Match"] = tag
        began = time.perf_counter()
        self.connection.request("GET", path, headers=headers)
        response = self.connection.getresponse()
        body = response.read()
        self.taken[kind].append(time.perf_counter() - began)
        if response.status not in (200, 304):
            raise SystemExit(f"{path}: {response.status} {body[:300]!r}")
        self.tags[path] = response.headers["ETag"]
        return body

    def once(self) -> None:
        """One request of the mix."""
        kind = self.chosen.choices([name for name, _ in MIX], [share for _, share in MIX])[0]
        path = f"/api/v1/findings?{self.chosen.choice(FILTERS)}"
        match kind:
            case "page":
                self.ask(kind, "/api/v1/findings")
            case "recheck":
                self.ask(kind, path, tag=self.tags.get(path, ""))
            case "filter":
                self.ask(kind, path)
            case "next page":
                self.walk(kind)
            case "text search":
                self.ask(kind, f"/api/v1/findings?q={quote(f'notebook-{self.chosen.randrange(25_000)}')}")
            case "facets":
                self.ask(kind, f"/api/v1/facets?{self.chosen.choice(FILTERS).partition('&sort')[0]}")
            case "one finding" if self.ids:
                self.ask(kind, f"/api/v1/findings/{self.chosen.choice(self.ids)}")
            case _:
                self.ask("run", f"/api/v1/{self.chosen.choice(('pillars', 'runs', 'coverage', 'rules'))}")

    def walk(self, kind: str) -> None:
        """The page after the last one; a walk may end at any page and begins anew with other filters."""
        if not self.cursor or self.chosen.random() < 0.2:
            severity = self.chosen.choice(("critical", "high", "medium", "low", "info"))
            self.filters = f"severity={severity}&environment={self.chosen.choice(ENVIRONMENTS)}"
            self.cursor = ""
        path = f"/api/v1/findings?{self.filters}&cursor={self.cursor}"
        answer = json.loads(gzip.decompress(self.ask(kind, path)))
        self.cursor = answer["next"] or ""
        self.ids = [each["id"] for each in answer["findings"]]


def work(
    port: int, seed: int, until: float, answers: "multiprocessing.Queue[dict[str, list[float]]]"
) -> None:
    """A client's process."""
    client = Client(port, random.Random(seed))
    while time.time() < until:
        client.once()
    answers.put(dict(client.taken))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def started(ledger: Path, port: int) -> "subprocess.Popen[bytes]":
    """The server as it is run, once it answers."""
    code = (
        "import sys; from pathlib import Path; from auditor.server import serve; "
        "serve(Path(sys.argv[1]), port=int(sys.argv[2]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(ledger), str(port)], stderr=subprocess.DEVNULL
    )
    while process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return process
    raise SystemExit("the server did not start")


def shares(taken: list[float]) -> str:
    """p50, p95 and p99 in milliseconds."""
    ordered = sorted(taken)
    return "  ".join(
        f"{ordered[min(len(ordered) - 1, len(ordered) * p // 100)] * 1e3:8.1f}" for p in (50, 95, 99)
    )


def main() -> None:
    """Make the ledger, start the server, let the clients ask."""
    given = [int(each) for each in sys.argv[1:4]]
    count, clients, seconds = (*given, *(100_000, 16, 15)[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        path, port = Path(folder) / "ledger.sqlite3", free_port()
        make_ledger(path, count)
        began = time.perf_counter()
        process = started(path, port)
        print(
            f"{count} findings, {clients} clients, {seconds} s; ready after {time.perf_counter() - began:.1f} s"
        )
        try:
            context = multiprocessing.get_context("fork")
            answers = context.Queue()
            until = time.time() + seconds
            workers = [context.Process(target=work, args=(port, n, until, answers)) for n in range(clients)]
            for worker in workers:
                worker.start()
            found = [answers.get() for _ in workers]
            for worker in workers:
                worker.join()
            memory = Path(f"/proc/{process.pid}/status")
            used = next(
                (line.split()[1] for line in memory.read_text().splitlines() if line.startswith("VmHWM")), 0
            )
        finally:
            process.terminate()
            process.wait()
    merged: dict[str, list[float]] = defaultdict(list)
    for taken in found:
        for kind, times in taken.items():
            merged[kind] += times
    print(f"{'':14}{'requests':>9}       p50       p95       p99")
    for kind, times in sorted(merged.items()):
        print(f"{kind:14}{len(times):9}  {shares(times)}")
    every = [each for times in merged.values() for each in times]
    print(
        f"{'all':14}{len(every):9}  {shares(every)}  ms; {len(every) / seconds:.0f} requests/s, {int(used) // 1024} MB"
    )


if __name__ == "__main__":
    main()
