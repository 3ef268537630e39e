"""Feeds that every output format has to stand: the whole demo account, and one whose owner means ill."""

import functools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import msgspec

from auditor.commands import UNPACED
from auditor.demo.account import DemoAccount, build, demo_session, empty
from auditor.demo.company import ACCOUNT, PROD
from auditor.feed_v1 import Feed, FindingV1, State
from auditor.publish import feed_of
from auditor.report import make_report
from auditor.scan import Scan, run_scan
from auditor.settings import Accepted, Settings
from collectors.sample import NOW
from collectors.session import Sessions
from evaluators.rule import all_rules

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "'\"><svg/onload=alert(3)>",
    '=HYPERLINK("http://evil.example";"click")',
    "+SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "name\r\nX-Injected: yes",
    "| a | b |\n|---|---|\n[x](javascript:alert(4)) `tick` ``` ![i](http://evil.example/i.png)",
    "\u202egnp.exe\u202c",
    "{{7*7}} ${7*7} %(x)s {0}",
    "</script><!--]]>",
    "a\u0000b\u2028c\ud7ff\U0001f4a9",
    "::error::workflow command",
    "x" * 2000,
)
"""Terminal escapes, HTML, formulas, line breaks, Markdown, right-to-left, templates, and much of it."""


def hostile_account() -> DemoAccount:
    """Notebooks that carry every hostile text in their names, tags and settings."""
    account = empty(NOW)
    for number, text in enumerate(HOSTILE):
        name = f"{text[:200]}{number}"
        account.state.add(
            "NotebookInstance",
            PROD,
            {
                "NotebookInstanceArn": f"arn:aws:sagemaker:{PROD}:{ACCOUNT}:notebook-instance/{name}",
                "NotebookInstanceName": name,
                "NotebookInstanceStatus": "InService",
                "Url": text,
                "InstanceType": "ml.t3.medium",
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{number}",
                "CreationTime": NOW - timedelta(days=40),
                "LastModifiedTime": NOW - timedelta(days=40),
                "DirectInternetAccess": "Enabled",
                "VolumeSizeInGB": 20,
                "RootAccess": "Enabled",
                "PlatformIdentifier": "notebook-al2-v3",
                "DefaultCodeRepository": text,
                "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
            },
            {"Owner": text, text[:128] or "key": text, "Environment": "production"},
        )
    return account


def _feed(account: DemoAccount, settings: Settings) -> Feed:
    with demo_session(account) as session:
        snapshot = run_scan(
            Sessions(session), Scan(all_rules(), settings, {}, now=NOW, salt=b"test")
        ).snapshot
    return feed_of(make_report(snapshot, all_rules(), settings, {}))


@functools.cache
def demo_feed() -> Feed:
    """The demo account, scanned once a process; one finding of it is accepted."""
    accepted = Accepted(
        rule="SEC-003", resource="*demand-legacy", reason="=lab <b>network</b>", expires=NOW.date()
    )
    return _feed(build(NOW), Settings(rate_share=UNPACED, accepted=(accepted,)))


STATES: tuple[State, ...] = ("new", "open", "reopened", "unconfirmed")


@functools.cache
def stated_feed() -> Feed:
    """The demo account as a ledger tells it: every state, and three findings that were resolved."""
    feed = demo_feed()
    past = NOW - timedelta(days=30)

    def stated(number: int, finding: FindingV1) -> FindingV1:
        state: State | None = "accepted" if finding.accepted else STATES[number % len(STATES)]
        if finding.verdict == "unknown":
            state = "unconfirmed" if number % 2 and finding.resource_arn else None
        return msgspec.structs.replace(finding, state=state, first_seen=past, last_seen=NOW)

    found = [stated(number, finding) for number, finding in enumerate(feed.findings())]
    resolved = [msgspec.structs.replace(f, state="resolved", last_seen=past) for f in found[:3]]
    run = msgspec.structs.replace(feed.run, id="20261123T020000Z-7", changes={"new": 5, "resolved": 3})
    return replace(feed, run=run, findings=lambda: iter(found[3:]), resolved=lambda: iter(resolved))


@functools.cache
def hostile_feed() -> Feed:
    """The account of hostile names."""
    return _feed(hostile_account(), Settings(rate_share=UNPACED))


def many(number: int) -> Feed:
    """The demo's findings again and again, each on a resource of its own."""
    found = list(demo_feed().findings())

    def made() -> Iterator[FindingV1]:
        for index in range(number):
            one = found[index % len(found)]
            yield msgspec.structs.replace(
                one, id=f"{index:020x}", resource_name=f"{one.resource_name}-{index}"
            )

    return replace(demo_feed(), findings=made)
