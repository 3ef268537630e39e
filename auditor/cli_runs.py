"""The commands around scheduled runs: the run itself, its history, what is sent and served, what deploys it."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.options import (
    AllowGaps,
    Color,
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
    Profile,
    Quiet,
    Regions,
    RoleARN,
    Rules,
    SkipRules,
    State,
    Verbose,
    given,
    print_made,
)

runs = typer.Typer()


@runs.command()
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

    flags = given(
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


@runs.command()
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
    flags = given(state=state)
    raise typer.Exit(compare(old, new, flags, config, severity, output, console, fail_on_new=fail_on_new))


@runs.command()
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

    raise typer.Exit(run(given(state=state), config, account, pillar, last, as_json=as_json))


@runs.command()
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
    raise typer.Exit(run(wanted, given(state=state), config, severity, output or [], console))


@runs.command()
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
    flags = given(state=state)
    raise typer.Exit(run(source, until, reason, file, flags, config, severity, rule or [], console))


@runs.command()
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

    raise typer.Exit(run(given(state=state, keep_days=keep_days), config))


@runs.command()
def serve(
    host: Annotated[str, typer.Option(help="Address; any but this machine's needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8420,
    token_env: Annotated[
        str | None, typer.Option(help="The variable that holds the token.", metavar="NAME")
    ] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Serve the report and the feed from the ledger, read-only (extra `serve`).

    Example: auditor serve --port 8420, then http://127.0.0.1:8420/ and /api/v1/findings
    """
    from auditor.past import serve as run

    raise typer.Exit(run(given(state=state), config, host, port, token_env))


push_app = typer.Typer(help="Send a run's findings elsewhere.", no_args_is_help=True, rich_markup_mode=None)
runs.add_typer(push_app, name="push")


@push_app.callback()
def push_root() -> None:
    """Send a run's findings elsewhere."""


@push_app.command("securityhub")
def push_securityhub(
    wanted: Annotated[
        str, typer.Argument(help="latest, previous, a number, a name or a day.", metavar="RUN")
    ] = "latest",
    profile: Profile = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Import a run's findings into AWS Security Hub; what the run resolved is archived as passed.

    Example: auditor push securityhub latest
    """
    from auditor.past import push as run

    raise typer.Exit(run(wanted, given(state=state, profile=profile), config))


deploy_app = typer.Typer(help="What runs auditor on AWS itself.", no_args_is_help=True, rich_markup_mode=None)
runs.add_typer(deploy_app, name="deploy")


@deploy_app.callback()
def deploy_root() -> None:
    """What runs auditor on AWS itself."""


@deploy_app.command("template")
def deploy_template(
    name: Annotated[str, typer.Argument(help="reader, schedule or fanout (CloudFormation); or grafana.")],
    no_search: NoSearch = None,
    cost_explorer: CostExplorer = None,
) -> None:
    """Print a CloudFormation template: the reader's role, a schedule, or one for many accounts.

    Example: auditor deploy template reader > reader.yaml
    """
    from auditor.deploy.templates import printed

    print_made(lambda: printed(name, search=not no_search, cost_explorer=bool(cost_explorer)))


@deploy_app.command("containerfile")
def deploy_containerfile() -> None:
    """Print the Containerfile of an image for ECS and Lambda.

    Example: auditor deploy containerfile > Containerfile
    """
    from auditor.deploy.templates import containerfile

    print_made(containerfile)


@runs.command()
def schema(
    shape: Annotated[str, typer.Argument(help="findings, rows, run, latest or diff.")],
) -> None:
    """The JSON Schema of what auditor writes: -o json, the feed's files, and diff -o json.

    Example: auditor schema rows
    """
    from auditor.schemas import schema_text

    print_made(lambda: schema_text(shape))
