"""Who is told of what changed: SNS, a Slack-compatible webhook, e-mail through SES.

Told is what happened to findings since the run before, from a severity on, and only where it is at least so much. A
message that does not arrive is tried again, and by the next run once more; it never fails the audit. Addresses of
webhooks are secrets: they come from variables, and stand in no message.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from auditor.feed_v1 import SEVERITIES, FindingV1, RunV1
from auditor.outputs.text import safe
from auditor.settings import Channel, EmailChannel, SNSChannel, WebhookChannel
from collectors.model import CollectorError

if TYPE_CHECKING:
    from collectors.session import Sessions

LISTED = 20
"""How many findings a message names; it says how many there are beside them."""
PAUSES = (1.0, 4.0, 15.0)
"""Seconds between the attempts of one run."""
TIMEOUT = 15.0

_SUBJECT = 100
"""SNS takes subjects of up to 100 characters."""


class DeliveryError(CollectorError):
    """A message that did not arrive; the text says why, without addresses or secrets."""


@dataclass(frozen=True, slots=True)
class Told:
    """What happened to a finding, for a message."""

    what: str
    finding: FindingV1


@dataclass(frozen=True, slots=True)
class Message:
    """A message in plain text, short enough for every channel, and its facts for machines."""

    subject: str
    text: str
    facts: Mapping[str, Any]


class UnusableError(DeliveryError):
    """A channel that cannot work before somebody mends its settings: trying again at once is no use."""


def channel_name(channel: Channel) -> str:
    """What a channel is called, and its deliveries are recorded under: its name, or where it leads."""
    match channel:
        case SNSChannel():
            where = "sns:" + channel.topic_arn.rpartition(":")[2]
        case WebhookChannel():
            where = "webhook:" + channel.url_env
        case EmailChannel():
            where = "email:" + ",".join(channel.recipients)
    return channel.name or where


def message(channel: Channel, run: RunV1, told: list[Told]) -> Message | None:
    """What a channel is told of a run; nothing where too little happened that it asked for."""
    reach = SEVERITIES[: SEVERITIES.index(channel.severity) + 1]
    mine = [each for each in told if each.what in channel.on and each.finding.severity in reach]
    if len(mine) < channel.at_least:
        return None
    mine.sort(
        key=lambda each: (
            channel.on.index(each.what),
            -each.finding.score,
            each.finding.rule,
            each.finding.id,
        )
    )
    counted = {what: sum(each.what == what for each in mine) for what in channel.on}
    summed = ", ".join(f"{number} {what}" for what, number in counted.items() if number)
    subject = f"auditor: {summed} in {run.account}"
    lines = [
        f"Account {run.account}, run {run.id}: {summed} (from severity {channel.severity} on).",
        f"Score {_interval(run)}; {'complete' if run.complete else 'not complete: something was not known'}.",
        "",
        *map(_line, mine[:LISTED]),
    ]
    if len(mine) > LISTED:
        lines.append(f"... and {len(mine) - LISTED} more.")
    facts = {
        "account": run.account,
        "run": run.id,
        "started": run.started.isoformat(),
        "complete": run.complete,
        "counts": counted,
        "findings": [
            {
                "what": each.what,
                "id": each.finding.id,
                "rule": each.finding.rule,
                "severity": each.finding.severity,
                "resource_arn": each.finding.resource_arn,
                "region": each.finding.region,
            }
            for each in mine[:LISTED]
        ],
    }
    return Message(subject[:_SUBJECT], "\n".join(lines), facts)


def _interval(run: RunV1) -> str:
    if run.score.low is None or run.score.high is None:
        return "none"
    low, high = int(run.score.low), int(run.score.high)
    return f"{low}" if low == high else f"{low}-{high}"


def _line(told: Told) -> str:
    finding = told.finding
    name = safe(finding.resource_name) or finding.resource_kind
    part = f" [{safe(finding.part)}]" if finding.part else ""
    why = safe(finding.why)
    return (
        f"{told.what}: {finding.severity} {finding.rule} {name[:120]}{part[:60]} "
        f"({finding.resource_kind}, {finding.region}): {why[:200]}"
    )


Post = Callable[[str, bytes], None]
"""Sends JSON to an address. Raises `DeliveryError`."""


def post(address: str, body: bytes) -> None:
    """Send JSON over HTTPS; redirects are not followed, since an address is a secret of one host."""
    if not address.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise UnusableError("the webhook's address does not begin with https://")
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310 - checked above
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise DeliveryError(f"the webhook answered {error.code}") from None
    except (OSError, ValueError, HTTPException) as error:
        # The error's own text may hold the address.
        raise DeliveryError(f"the webhook cannot be reached ({type(error).__name__})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def send(
    channel: Channel, told: Message, sessions: "Sessions", environ: Mapping[str, str] | None = None
) -> None:
    """Send one message. Raises `DeliveryError`, or `CollectorError` where AWS refuses."""
    match channel:
        case SNSChannel():
            attributes = {
                "run": {"DataType": "String", "StringValue": str(told.facts["run"]) or "-"},
                "account": {"DataType": "String", "StringValue": str(told.facts["account"])},
            }
            region = channel.topic_arn.split(":")[3]
            sessions.call(
                "sns",
                region,
                "Publish",
                {
                    "TopicArn": channel.topic_arn,
                    "Subject": _ascii(told.subject),
                    "Message": told.text,
                    "MessageAttributes": attributes,
                },
            )
        case WebhookChannel():
            address = (environ if environ is not None else os.environ).get(channel.url_env, "")
            if not address:
                raise UnusableError(f"the variable {channel.url_env} holds no address")
            post(address, json.dumps({"text": _slack(told.text)}).encode())
        case EmailChannel():
            region = channel.region or sessions.default_region
            content = {
                "Simple": {
                    "Subject": {"Data": told.subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": told.text, "Charset": "UTF-8"}},
                }
            }
            sessions.call(
                "sesv2",
                region,
                "SendEmail",
                {
                    "FromEmailAddress": channel.sender,
                    "Destination": {"ToAddresses": list(channel.recipients)},
                    "Content": content,
                },
            )


def _ascii(text: str) -> str:
    """SNS takes printable ASCII in subjects."""
    return text.encode("ascii", "replace").decode()


def _slack(text: str) -> str:
    """Slack reads `<...>` and `&` as mark-up: links and mentions in names stay text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
