"""How every command talks and fails, and what it was asked: its rules, its settings, one clear line, an exit code."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.exits import Exit
from auditor.outputs.text import safe
from auditor.selection import SelectionError, select
from auditor.settings import Settings, SettingsError, check_thresholds, load, suggestion
from collectors.model import CollectorError
from evaluators.rule import Rule, all_rules


class UsageError(ValueError):
    """A flag that cannot be: the text says which and what would."""


@dataclass(frozen=True, slots=True)
class Console:
    """How a command talks: results on stdout, everything else on stderr."""

    quiet: bool
    verbose: bool
    progress: bool
    color: str

    def say(self, text: str) -> None:
        """A note on stderr, unless quiet."""
        if not self.quiet:
            print(text, file=sys.stderr)  # noqa: T201 - this is the command line

    @property
    def colored(self) -> bool:
        """Whether stdout gets colour: `NO_COLOR` and a pipe turn it off, a flag decides over both."""
        if self.color not in ("auto", "always", "never"):
            raise UsageError(f"--color {self.color!r}: takes auto, always or never")
        if self.color == "auto":
            return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        return self.color == "always"


@dataclass(frozen=True, slots=True)
class Judging:
    """Which rules, which findings, and where they go."""

    rules: list[str]
    skipped: list[str]
    pillars: list[str]
    severity: str | None
    outputs: list[str]

    def chosen(self) -> tuple[Rule, ...]:
        """The rules of the selection."""
        return select(self.rules, self.skipped, self.pillars)

    @property
    def all(self) -> bool:
        """Whether nothing was selected."""
        return not (self.rules or self.skipped or self.pillars)


def note(message: str) -> None:
    """One line on stderr; what AWS said in it is hostile text."""
    print(f"auditor: {safe(message)}", file=sys.stderr)  # noqa: T201 - this is the command line


def drop_stdout() -> None:
    """The reader (`head`, a pager) has gone; what is left in the buffer goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str, code: Exit) -> int:
    """One line on stderr, and the exit code."""
    note(message)
    return int(code)


def guarded(run: Callable[[], int]) -> int:
    """Turn what can go wrong before results into one line and the right exit code."""
    from collectors.snapshot_file import SnapshotError

    try:
        return run()
    except (UsageError, SettingsError, SelectionError) as error:
        return fail(str(error), Exit.USAGE)
    except SnapshotError as error:
        return fail(str(error), Exit.NOT_STARTED)
    except CollectorError as error:
        return fail(str(error), _start_code(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return fail(f"{place}{error.strerror or error}", Exit.NOT_STARTED)
    except KeyboardInterrupt:
        return fail("interrupted", Exit.INTERRUPTED)


def _start_code(error: CollectorError) -> Exit:
    """A Region that does not exist is wrong usage; all else kept the run from starting."""
    return Exit.USAGE if type(error).__name__ in ("RegionError", "ProfileError") else Exit.NOT_STARTED


def settings_from(
    config: Path | None, flags: Mapping[str, Any]
) -> tuple[Settings, dict[str, dict[str, Any]]]:
    """The settings, and the thresholds that differ from the rules' defaults, checked and converted."""
    settings = load(config, os.environ, flags, Path.cwd())
    declared = {rule.code: rule.thresholds for rule in all_rules()}
    asked = [rule.code for rule in all_rules() if rule.question]
    for code in settings.attestations:
        if code not in asked:
            raise settings.source.error(
                ("attestations", code),
                f"no rule asks {code!r}{suggestion(code, asked)} (see `auditor questions`)",
            )
    for number, accepted in enumerate(settings.accepted):
        if accepted.rule not in declared:
            hint = suggestion(accepted.rule, declared)
            raise settings.source.error(
                ("accepted", number, "rule"), f"no rule is called {accepted.rule!r}{hint}"
            )
    return settings, check_thresholds(settings, declared)


def show(text: str) -> None:
    """A line of a result on stdout, safe for a terminal."""
    from auditor.outputs.text import safe

    print("\n".join(safe(line) for line in text.split("\n")))  # noqa: T201 - this is the command line


@contextmanager
def progress_bar(console: Console, title: str) -> Iterator["Callable[[int, int | None, str], None] | None"]:
    """A progress bar on stderr, only on a terminal: done, in all, and what is going on."""
    if console.quiet or not console.progress or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=RichConsole(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(done: int, total: int | None, text: str) -> None:
            bar.update(task, completed=done, total=total, description=text)

        yield advance
