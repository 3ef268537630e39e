"""The command line. Every import that costs time is made inside the command that needs it."""

import os
import sys
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from auditor import __version__
from auditor.options import (
    AllowGaps,
    Color,
    Concurrency,
    Config,
    CostExplorer,
    ExcludeRegions,
    ExternalId,
    FailOn,
    LookbackDays,
    MinimumSeverity,
    NoProgress,
    NoSearch,
    Outputs,
    Pillars,
    PriceFile,
    Pricing,
    Profile,
    Quiet,
    Regions,
    RoleARN,
    Rules,
    SkipRules,
    SnapshotPath,
    State,
    Verbose,
    complete_rules,
)

app = typer.Typer(
    name="auditor",
    help="Audit AWS accounts that run machine learning on SageMaker, by the five Well-Architected pillars.\n\n"
    "Example: auditor scan --profile research --region eu-west-1 --fail-on high",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Exit(IntEnum):
    """What a command's exit code says."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    NOT_STARTED = 4
    INTERRUPTED = 130


def _version(value: bool) -> None:
    if value:
        typer.echo(f"auditor {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read, judge and report; every command only reads."""


@app.command()
def scan(
    profile: Profile = None,
    region: Regions = None,
    exclude_region: ExcludeRegions = None,
    role_arn: RoleARN = None,
    external_id: ExternalId = None,
    pillar: Pillars = None,
    rule: Rules = None,
    skip_rule: SkipRules = None,
    severity: MinimumSeverity = None,
    fail_on: FailOn = None,
    allow_gaps: AllowGaps = None,
    output: Outputs = None,
    snapshot: SnapshotPath = None,
    lookback_days: LookbackDays = None,
    config: Config = None,
    concurrency: Concurrency = None,
    cost_explorer: CostExplorer = None,
    pricing: Pricing = None,
    price_file: PriceFile = None,
    no_search: NoSearch = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
    color: Color = "auto",
    plan: Annotated[bool, typer.Option("--plan", help="Print the calls it would make, and stop.")] = False,
    like: Annotated[
        Path | None, typer.Option(help="With --plan: a snapshot whose calls tell how many.", metavar="PATH")
    ] = None,
) -> None:
    """Read an account, judge it, and print scored findings.

    Example: auditor scan --region eu-west-1 -o table -o json=findings.json --fail-on high
    """
    from auditor.commands import print_plan, scan_account
    from auditor.console import Console, Judging

    flags = _flags(
        regions=region,
        exclude_regions=exclude_region,
        fail_on=fail_on,
        allow_gaps=allow_gaps,
        lookback_days=lookback_days,
        concurrency=concurrency,
        cost_explorer=cost_explorer,
        pricing=pricing,
        price_file=str(price_file) if price_file else None,
        search=False if no_search else None,
    )
    judging = Judging(rule or [], skip_rule or [], pillar or [], severity, output or [])
    console = Console(quiet=quiet, verbose=verbose, progress=not no_progress, color=color)
    if plan or like is not None:
        raise typer.Exit(print_plan(flags, config, judging, like))
    raise typer.Exit(scan_account(profile, role_arn, external_id, flags, config, judging, snapshot, console))


@app.command()
def collect(
    snapshot: Annotated[Path, typer.Argument(help="Where to write the snapshot (.jsonl.gz).")],
    profile: Profile = None,
    region: Regions = None,
    exclude_region: ExcludeRegions = None,
    role_arn: RoleARN = None,
    external_id: ExternalId = None,
    pillar: Pillars = None,
    rule: Rules = None,
    skip_rule: SkipRules = None,
    allow_gaps: AllowGaps = None,
    lookback_days: LookbackDays = None,
    config: Config = None,
    concurrency: Concurrency = None,
    cost_explorer: CostExplorer = None,
    pricing: Pricing = None,
    no_search: NoSearch = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
) -> None:
    """Read an account into a snapshot, for `auditor evaluate`.

    Example: auditor collect account.jsonl.gz --region eu-west-1
    """
    from auditor.commands import collect_account
    from auditor.console import Console, Judging

    flags = _flags(
        regions=region,
        exclude_regions=exclude_region,
        allow_gaps=allow_gaps,
        lookback_days=lookback_days,
        concurrency=concurrency,
        cost_explorer=cost_explorer,
        pricing=pricing,
        search=False if no_search else None,
    )
    judging = Judging(rule or [], skip_rule or [], pillar or [], None, [])
    console = Console(quiet=quiet, verbose=verbose, progress=not no_progress, color="auto")
    raise typer.Exit(
        collect_account(profile, role_arn, external_id, flags, config, judging, snapshot, console)
    )


@app.command()
def evaluate(
    snapshot: Annotated[Path, typer.Argument(help="A snapshot that `scan --snapshot` or `collect` wrote.")],
    pillar: Pillars = None,
    rule: Rules = None,
    skip_rule: SkipRules = None,
    severity: MinimumSeverity = None,
    fail_on: FailOn = None,
    allow_gaps: AllowGaps = None,
    output: Outputs = None,
    price_file: PriceFile = None,
    config: Config = None,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Judge a snapshot again, without AWS: the findings of the scan that wrote it.

    Example: auditor evaluate account.jsonl.gz -o json=findings.json
    """
    from auditor.commands import evaluate_snapshot
    from auditor.console import Console, Judging

    judging = Judging(rule or [], skip_rule or [], pillar or [], severity, output or [])
    console = Console(quiet=quiet, verbose=False, progress=False, color=color)
    flags = _flags(fail_on=fail_on, allow_gaps=allow_gaps, price_file=str(price_file) if price_file else None)
    raise typer.Exit(evaluate_snapshot(snapshot, flags, config, judging, console))


@app.command()
def demo(
    pillar: Pillars = None,
    rule: Rules = None,
    skip_rule: SkipRules = None,
    severity: MinimumSeverity = None,
    fail_on: FailOn = None,
    output: Outputs = None,
    snapshot: SnapshotPath = None,
    cost_explorer: CostExplorer = None,
    price_file: PriceFile = None,
    config: Config = None,
    good: Annotated[bool, typer.Option("--good", help="The account in which all is well.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
    color: Color = "auto",
) -> None:
    """Scan the embedded demo account: a small ML company in two Regions. Needs the extra `demo`.

    Gaps are allowed here: the account refuses a few calls so that *unknown* is seen.
    """
    from auditor.commands import scan_demo
    from auditor.console import Console, Judging

    judging = Judging(rule or [], skip_rule or [], pillar or [], severity, output or [])
    console = Console(quiet=quiet, verbose=verbose, progress=not no_progress, color=color)
    flags = _flags(
        fail_on=fail_on,
        allow_gaps=True,
        cost_explorer=cost_explorer,
        price_file=str(price_file) if price_file else None,
    )
    raise typer.Exit(scan_demo(flags, config, judging, snapshot, console, good=good))


rules_app = typer.Typer(
    help="The rules: what they ask, why, what they read.", no_args_is_help=False, rich_markup_mode=None
)
app.add_typer(rules_app, name="rules")


@rules_app.callback(invoke_without_command=True)
def rules_root(context: typer.Context) -> None:
    """The rules: what they ask, why, what they read."""
    if context.invoked_subcommand is None:
        rules_list()


@rules_app.command("list")
def rules_list(pillar: Pillars = None) -> None:
    """Every rule: code, severity, kind of resource and title."""
    from auditor.catalogue import list_rules

    _show(lambda: list_rules(pillar or []))


@rules_app.command("show")
def rules_show(
    code: Annotated[str, typer.Argument(help="Rule code, such as SEC-003.", autocompletion=complete_rules)],
) -> None:
    """One rule: its documentation, thresholds, references, and what it reads."""
    from auditor.catalogue import show_rule

    _show(lambda: show_rule(code))


@app.command()
def policy(
    pillar: Pillars = None, rule: Rules = None, skip_rule: SkipRules = None, no_search: NoSearch = None
) -> None:
    """Print the least IAM policy for a selection of rules, as JSON.

    Example: auditor policy --pillar security > auditor-policy.json
    """
    from auditor.catalogue import policy_json

    _show(lambda: policy_json(rule or [], skip_rule or [], pillar or [], search=not no_search))


@app.command()
def doctor(
    profile: Profile = None,
    region: Regions = None,
    exclude_region: ExcludeRegions = None,
    role_arn: RoleARN = None,
    external_id: ExternalId = None,
    pillar: Pillars = None,
    rule: Rules = None,
    skip_rule: SkipRules = None,
    config: Config = None,
) -> None:
    """Say who you are, which Regions are enabled, and which of the calls are refused.

    Makes each call once for something that does not exist: AWS refuses before it looks.
    """
    from auditor.commands import examine
    from auditor.console import Judging

    judging = Judging(rule or [], skip_rule or [], pillar or [], None, [])
    flags = _flags(regions=region, exclude_regions=exclude_region)
    raise typer.Exit(examine(profile, role_arn, external_id, flags, config, judging))


@app.command()
def coverage(
    snapshot: Annotated[
        Path | None, typer.Argument(help="A snapshot whose results are shown beside the practices.")
    ] = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Every practice of the guide and of the ML Lens: observed, partly, asked or not, and by which rules.

    Example: auditor coverage account.jsonl.gz
    """
    from auditor.console import Judging
    from auditor.lookups import coverage as run

    raise typer.Exit(run(snapshot, config, Judging([], [], [], None, []), as_json))


@app.command()
def fixes(
    snapshot: Annotated[Path, typer.Argument(help="A snapshot that `scan --snapshot` or `collect` wrote.")],
    pillar: Pillars = None,
    rule: Rules = None,
    skip_rule: SkipRules = None,
    top: Annotated[int, typer.Option(help="How many; 0 for all.", min=0, metavar="N")] = 20,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """The next best fixes: findings by the one change that removes them, by points gained and money saved.

    Example: auditor fixes account.jsonl.gz --pillar cost
    """
    from auditor.console import Judging
    from auditor.lookups import fixes as run

    judging = Judging(rule or [], skip_rule or [], pillar or [], None, [])
    raise typer.Exit(run(snapshot, config, judging, top, as_json))


@app.command()
def show(
    resource: Annotated[str, typer.Argument(help="A name, an ARN, or KIND/NAME such as endpoint/churn.")],
    snapshot: Annotated[Path, typer.Argument(help="A snapshot that `scan --snapshot` or `collect` wrote.")],
    config: Config = None,
) -> None:
    """One resource: what it refers to, what refers to it, and every verdict on it.

    Example: auditor show endpoint/churn-realtime account.jsonl.gz
    """
    from auditor.lookups import show_one

    raise typer.Exit(show_one(resource, snapshot, config))


@app.command()
def questions(
    config: Config = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are answered, too.")] = False,
) -> None:
    """The questions that only people can answer, as a settings file to fill in.

    Example: auditor questions >> auditor.toml
    """
    from auditor.lookups import questions as run

    raise typer.Exit(run(config, every=every))


@app.command()
def run(
    config: Annotated[
        str | None, typer.Option("--config", help="Settings file, or s3://bucket/key.", metavar="PATH")
    ] = None,
    state: State = None,
    feed: Annotated[
        str | None,
        typer.Option(help="Where the feed goes: a directory or s3://bucket/prefix.", metavar="PLACE"),
    ] = None,
    profile: Profile = None,
    role_arn: RoleARN = None,
    external_id: ExternalId = None,
    region: Regions = None,
    exclude_region: ExcludeRegions = None,
    pillar: Pillars = None,
    rule: Rules = None,
    skip_rule: SkipRules = None,
    severity: MinimumSeverity = None,
    fail_on: FailOn = None,
    allow_gaps: AllowGaps = None,
    output: Outputs = None,
    since_last: Annotated[
        bool | None, typer.Option("--since-last", help="Read jobs since the last complete run.")
    ] = None,
    jitter: Annotated[int | None, typer.Option(help="Begin up to so much later.", metavar="SECONDS")] = None,
    time_limit: Annotated[
        int | None, typer.Option(help="Stop reading after that.", metavar="MINUTES")
    ] = None,
    health_file: Annotated[
        Path | None, typer.Option(help="Say here, too, how the run went (JSON).", metavar="PATH")
    ] = None,
    lookback_days: LookbackDays = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
    color: Color = "auto",
) -> None:
    """One scheduled run: scan, ledger, outputs, feed, pushes and notifications. For cron, containers and Lambda.

    Example: auditor run --config auditor.toml --state /var/lib/auditor -o html=report.html
    """
    from auditor.console import Console, Judging
    from auditor.run import run_scheduled

    flags = _flags(
        state=state,
        feed=feed,
        profile=profile,
        role_arn=role_arn,
        external_id=external_id,
        regions=region,
        exclude_regions=exclude_region,
        fail_on=fail_on,
        allow_gaps=allow_gaps,
        since_last=since_last,
        jitter_seconds=jitter,
        time_limit_minutes=time_limit,
        health_file=str(health_file) if health_file else None,
        lookback_days=lookback_days,
    )
    judging = Judging(rule or [], skip_rule or [], pillar or [], severity, output or [])
    console = Console(quiet=quiet, verbose=verbose, progress=not no_progress, color=color)
    raise typer.Exit(run_scheduled(config, flags, console, judging))


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A run (latest, previous, number, name, day) or a snapshot.")],
    new: Annotated[str, typer.Argument(help="A later run, or a later snapshot.")],
    fail_on_new: Annotated[
        bool, typer.Option("--fail-on-new", help="Exit 1 where something is new, or fails again.")
    ] = False,
    severity: MinimumSeverity = None,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="table or json, with =PATH for a file.", metavar="FORMAT[=PATH]"),
    ] = "table",
    state: State = None,
    config: Config = None,
    color: Color = "auto",
) -> None:
    """What changed between two runs, or two snapshots: new, resolved, unconfirmed, and changed fields.

    Example: auditor diff previous latest --severity high --fail-on-new
    """
    from auditor.console import Console
    from auditor.past import diff as compare

    console = Console(quiet=False, verbose=False, progress=False, color=color)
    flags = _flags(state=state)
    raise typer.Exit(compare(old, new, flags, config, severity, output, console, fail_on_new=fail_on_new))


@app.command()
def history(
    pillar: Annotated[str, typer.Option(help="One pillar instead of the whole.", metavar="NAME")] = "",
    account: Annotated[str, typer.Option(help="One account of several.", metavar="ID")] = "",
    last: Annotated[int, typer.Option(help="How many runs.", min=1, metavar="N")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    state: State = None,
    config: Config = None,
) -> None:
    """Scores, counts and waste of the runs so far, by pillar, as a plot and as tables.

    Example: auditor history --pillar security --last 14
    """
    from auditor.past import history as run

    raise typer.Exit(run(_flags(state=state), config, account, pillar, last, as_json=as_json))


@app.command()
def report(
    wanted: Annotated[
        str, typer.Argument(help="latest, previous, a number, a name or a day.", metavar="RUN")
    ],
    output: Outputs = None,
    severity: MinimumSeverity = None,
    state: State = None,
    config: Config = None,
    color: Color = "auto",
) -> None:
    """Any output of a run again, out of the ledger.

    Example: auditor report latest -o html=report.html -o sarif=findings.sarif
    """
    from auditor.console import Console
    from auditor.past import report as run

    console = Console(quiet=False, verbose=False, progress=False, color=color)
    raise typer.Exit(run(wanted, _flags(state=state), config, severity, output or [], console))


@app.command()
def baseline(
    source: Annotated[
        str, typer.Argument(help="A run (latest, number, name, day) or a snapshot.")
    ] = "latest",
    until: Annotated[str, typer.Option(help="The last day on which that counts.", metavar="DAY")] = "",
    reason: Annotated[str, typer.Option(help="Why they are accepted.", metavar="TEXT")] = "",
    file: Annotated[
        Path | None, typer.Option(help="The baseline to write (auditor-baseline.jsonl).", metavar="PATH")
    ] = None,
    rule: Rules = None,
    severity: MinimumSeverity = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Accept the findings of a run until a day, with a reason: from then on only what is new counts.

    Example: auditor baseline latest --until 2027-03-31 --reason "before the migration"
    """
    from auditor.console import Console
    from auditor.past import baseline as run

    console = Console(quiet=True, verbose=False, progress=False, color="never")
    flags = _flags(state=state)
    raise typer.Exit(run(source, until, reason, file, flags, config, severity, rule or [], console))


@app.command()
def compact(
    keep_days: Annotated[
        int | None, typer.Option(help="How long findings are kept (400).", metavar="DAYS")
    ] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Forget the findings of old runs, and give back their room; scores and counts stay.

    Example: auditor compact --keep-days 90
    """
    from auditor.past import compact as run

    raise typer.Exit(run(_flags(state=state, keep_days=keep_days), config))


@app.command()
def schema(
    shape: Annotated[str, typer.Argument(help="findings, rows, run, latest or diff.")],
) -> None:
    """The JSON Schema of what auditor writes: -o json, the feed's files, and diff -o json.

    Example: auditor schema rows
    """
    from auditor.schemas import schema_text

    _show(lambda: schema_text(shape))


def _flags(**given: Any) -> dict[str, Any]:
    """The settings that were given on the command line."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items() if v is not None}


def _show(make: Any) -> None:
    """Print what a function makes; a rule, pillar or shape that does not exist is wrong usage."""
    from auditor.console import UsageError
    from auditor.selection import SelectionError

    try:
        typer.echo(make())
    except (SelectionError, UsageError) as error:
        typer.echo(f"auditor: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from error


def main() -> None:
    """The entry point: Ctrl-C outside of a scan ends with 130, a closed pipe quietly."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        # The reader (`head`, a pager) has gone; what is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.CLEAN)
