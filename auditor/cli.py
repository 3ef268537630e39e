"""The command line. Every import that costs time is made inside the command that needs it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor import __version__
from auditor.cli_runs import runs
from auditor.exits import Exit
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
    Verbose,
    complete_rules,
    given,
    print_made,
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

    flags = given(
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

    flags = given(
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
    flags = given(fail_on=fail_on, allow_gaps=allow_gaps, price_file=str(price_file) if price_file else None)
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
    flags = given(
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

    print_made(lambda: list_rules(pillar or []))


@rules_app.command("show")
def rulesprint_made(
    code: Annotated[str, typer.Argument(help="Rule code, such as SEC-003.", autocompletion=complete_rules)],
) -> None:
    """One rule: its documentation, thresholds, references, and what it reads."""
    from auditor.catalogue import show_rule

    print_made(lambda: show_rule(code))


@app.command()
def policy(
    pillar: Pillars = None, rule: Rules = None, skip_rule: SkipRules = None, no_search: NoSearch = None
) -> None:
    """Print the least IAM policy for a selection of rules, as JSON.

    Example: auditor policy --pillar security > auditor-policy.json
    """
    from auditor.catalogue import policy_json

    print_made(lambda: policy_json(rule or [], skip_rule or [], pillar or [], search=not no_search))


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
    flags = given(regions=region, exclude_regions=exclude_region)
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


app.add_typer(runs)


def main() -> None:
    """The entry point: Ctrl-C outside of a scan ends with 130, a closed pipe quietly."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        from auditor.console import drop_stdout

        drop_stdout()
        sys.exit(Exit.CLEAN)
    except Exception:  # noqa: BLE001 - the last line of defence
        # Nobody foresaw this: it must not look like findings, which end with 1.
        import traceback

        from auditor.console import note

        traceback.print_exc()
        note("this is a mistake in auditor itself: please report the lines above")
        sys.exit(Exit.BROKEN)
