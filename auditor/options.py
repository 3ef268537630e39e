"""The options that commands share, and how a shell completes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor.exits import Exit


def complete_rules(incomplete: str) -> Iterator[tuple[str, str]]:
    from evaluators.rule import all_rules

    for rule in all_rules():
        if rule.code.startswith(incomplete.upper()):
            yield rule.code, rule.title


def complete_pillars(incomplete: str) -> list[str]:
    from evaluators.rule import Pillar

    return [pillar.value for pillar in Pillar if pillar.value.startswith(incomplete)]


Profile = Annotated[str | None, typer.Option(help="AWS profile.", metavar="NAME")]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", help="Region; repeatable. Default: all enabled.", metavar="NAME"),
]
ExcludeRegions = Annotated[
    list[str] | None,
    typer.Option("--exclude-region", help="Region to leave out; repeatable.", metavar="NAME"),
]
RoleARN = Annotated[str | None, typer.Option("--role-arn", help="Role to assume for reading.", metavar="ARN")]
ExternalId = Annotated[
    str | None, typer.Option("--external-id", help="External id of that role.", metavar="ID")
]
Pillars = Annotated[
    list[str] | None,
    typer.Option("--pillar", help="Pillar; repeatable.", metavar="NAME", autocompletion=complete_pillars),
]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", help="Rule code; repeatable.", metavar="CODE", autocompletion=complete_rules),
]
SkipRules = Annotated[
    list[str] | None,
    typer.Option(
        "--skip-rule", help="Rule to skip; repeatable.", metavar="CODE", autocompletion=complete_rules
    ),
]
MinimumSeverity = Annotated[
    str | None, typer.Option("--severity", help="Show findings from this severity on.", metavar="LEVEL")
]
FailOn = Annotated[
    str | None, typer.Option("--fail-on", help="Exit 1 on findings from this severity on.", metavar="LEVEL")
]
AllowGaps = Annotated[
    bool | None, typer.Option("--allow-gaps", help="Exit 0, not 3, when something was not known.")
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        help="Format (table, json, html, csv, ...), with =PATH for a file; repeatable.",
        metavar="FORMAT[=PATH]",
    ),
]
SnapshotPath = Annotated[
    Path | None, typer.Option("--snapshot", help="Keep what was read (.jsonl.gz).", metavar="PATH")
]
LookbackDays = Annotated[
    int | None, typer.Option("--lookback-days", help="How far back jobs are read (30).", metavar="DAYS")
]
Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file (auditor.toml).", metavar="PATH")
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", help="Calls in flight at once (16).", metavar="N")
]
NoSearch = Annotated[
    bool | None, typer.Option("--no-search", help="List and describe; never sagemaker:Search.")
]
CostExplorer = Annotated[
    bool | None, typer.Option("--cost-explorer", help="Ask Cost Explorer too: AWS bills USD 0.01 a request.")
]
Pricing = Annotated[
    str | None,
    typer.Option("--pricing", help="List prices: api (default), cache or off.", metavar="FROM"),
]
PriceFile = Annotated[
    Path | None, typer.Option("--price-file", help="Your own prices (TOML).", metavar="PATH")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say which calls were made and which failed.")]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="No progress bar.")]
Color = Annotated[str, typer.Option("--color", help="auto, always or never.", metavar="WHEN")]
State = Annotated[
    str | None,
    typer.Option("--state", help="Where the ledger is: a directory or s3://bucket/prefix.", metavar="PLACE"),
]


def given(**options: Any) -> dict[str, Any]:
    """The settings that were given on the command line."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in options.items() if v is not None}


def print_made(make: Any) -> None:
    """Print what a function makes; a rule, pillar or shape that does not exist is wrong usage."""
    from auditor.console import UsageError
    from auditor.selection import SelectionError

    try:
        text = make()
        typer.echo(text, nl=not text.endswith("\n"))
    except (SelectionError, UsageError) as error:
        typer.echo(f"auditor: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from error
