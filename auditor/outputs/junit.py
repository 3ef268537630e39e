"""A run as JUnit XML, for what shows test results: a suite for each pillar.

What fails is a failed test, what is not known an error, what is accepted skipped; a rule that passes everywhere is one
passed test. So a run in which something is unknown is never green.
"""

from collections import defaultdict
from collections.abc import Iterator

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from auditor.feed_v1 import Feed, FindingV1, RuleV1
from auditor.outputs.text import plain, safe


def junit_chunks(feed: Feed) -> Iterator[bytes]:
    """The document. It is made in memory: a test report of a million cases is of use to nobody."""
    by_pillar: dict[str, list[FindingV1]] = defaultdict(list)
    for finding in feed.findings():
        by_pillar[finding.pillar].append(finding)
    document = JUnitXml("auditor")
    for pillar in feed.pillars:
        rules = [rule for rule in feed.rules if rule.pillar == pillar]
        document.add_testsuite(_suite(feed, pillar, rules, by_pillar[pillar]))
    document.update_statistics()
    yield document.tostring()
    yield b"\n"


def _suite(feed: Feed, pillar: str, rules: list[RuleV1], findings: list[FindingV1]) -> TestSuite:
    suite = TestSuite(pillar)
    suite.timestamp = feed.run.started.isoformat()
    suite.hostname = feed.run.account
    properties = Properties()
    for name, value in (("run", feed.run.id), ("complete", str(feed.run.complete).lower())):
        properties.add_property(Property(name, value))
    suite.append(properties)
    told = {finding.rule for finding in findings}
    cases = [_case(finding) for finding in findings]
    cases += [_passed(rule) for rule in rules if rule.code not in told and rule.verdicts.get("pass")]
    suite.add_testcases(cases)
    return suite


def _passed(rule: RuleV1) -> TestCase:
    number = rule.verdicts["pass"]
    return TestCase(f"{rule.title} ({number} pass)", classname=rule.code, time=0)


def _case(finding: FindingV1) -> TestCase:
    name = safe(finding.resource_name) or finding.resource_kind
    part = f" [{safe(finding.part)}]" if finding.part else ""
    case = TestCase(
        f"{name}{part} ({finding.resource_kind}, {finding.region})", classname=finding.rule, time=0
    )
    why = safe(finding.why)
    if finding.accepted is not None:
        case.result = [Skipped(f"accepted until {finding.accepted.expires}: {safe(finding.accepted.reason)}")]
    elif finding.verdict == "unknown":
        case.result = [Error(why, "unknown")]
    else:
        state = f"{finding.state}: " if finding.state else ""
        failure = Failure(f"{state}{finding.severity}: {why}", finding.severity)
        failure.text = _details(finding)
        case.result = [failure]
    return case


def _details(finding: FindingV1) -> str:
    lines = [finding.title, safe(finding.resource_arn)]
    lines += [f"{item.field}={plain(item.value)} {item.operation}".rstrip() for item in finding.evidence]
    lines += [f"{finding.remedy} ({finding.change})", safe(finding.command)]
    return "\n".join(line for line in lines if line)
