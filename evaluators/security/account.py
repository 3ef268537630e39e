"""The account: its root user and its audit trail."""

from collections.abc import Iterable
from typing import Any

from collectors.cloudtrail import AdvancedSelector, EventDataStore, Trail
from collectors.iam import Account
from collectors.model import Reason, Unread
from collectors.sample import sample
from evaluators.controls import config_rule, lens, prowler, security_hub
from evaluators.rule import Change, Severity, Verdict, failed, given, not_applicable, passed, rule

_GOOD_ROOT = {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 1}


@rule(
    "SEC-050",
    Severity.CRITICAL,
    bad=[
        {"summary_map": {**_GOOD_ROOT, "AccountMFAEnabled": 0}},
        {"summary_map": {**_GOOD_ROOT, "AccountAccessKeysPresent": 1}},
        {"summary_map": {**_GOOD_ROOT, "AccountPasswordPresent": 0, "AccountAccessKeysPresent": 1}},
    ],
    good=[{"summary_map": _GOOD_ROOT}],
    exempt=[
        {"summary_map": {"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 0}}
    ],
    remedy="Turn on MFA for the root user and delete its access keys, or remove its credentials centrally.",
    change=Change.IN_PLACE,
    maps=[
        security_hub("IAM.4"),
        security_hub("IAM.6"),
        security_hub("IAM.9"),
        config_rule("root-account-mfa-enabled"),
        config_rule("iam-root-access-key-check"),
        config_rule("root-account-hardware-mfa-enabled"),
        prowler("iam_no_root_access_key"),
        prowler("iam_root_mfa_enabled"),
        lens("MLSEC03-BP01"),
    ],
)
def unprotected_root_user(account: Account) -> Verdict:
    """The root user should have MFA and no access keys.

    Root passes by every policy. Member accounts of an organisation can have their root credentials
    removed: then there is nothing to protect. GovCloud accounts have no root sign-in at the
    console, so that only keys count there.
    """
    summary = account.summary_map
    for name in ("AccountMFAEnabled", "AccountAccessKeysPresent"):
        if name not in summary:
            raise Unread(account.gap("iam:GetAccountSummary", Reason.MISSING, name))
    keys, mfa = summary["AccountAccessKeysPresent"], summary["AccountMFAEnabled"]
    shown = {name: value for name, value in sorted(summary.items()) if name in _GOOD_ROOT}
    if keys:
        return failed("the root user has access keys", SummaryMap=shown)
    if summary.get("AccountPasswordPresent") == 0:
        return not_applicable("the root user has no credentials", SummaryMap=shown)
    if account.region.partition == "aws-us-gov":
        return not_applicable("GovCloud accounts have no root sign-in", SummaryMap=shown)
    return passed(SummaryMap=shown) if mfa else failed("the root user has no MFA", SummaryMap=shown)


def _records_management(selectors: Iterable[AdvancedSelector]) -> set[str]:
    """Which management events advanced selectors record: `read`, `write`, or both."""
    kinds: set[str] = set()
    for selector in selectors:
        by_field = {item.field: item for item in selector.field_selectors}
        category = by_field.get("eventCategory")
        if category is None or category.equals != ["Management"]:
            continue
        read_only = by_field.get("readOnly")
        narrowed = set(by_field) - {"eventCategory", "readOnly", "eventSource"}
        # Leaving out kms.amazonaws.com or rdsdata.amazonaws.com is what the console offers.
        source = by_field.get("eventSource")
        if narrowed or (source is not None and (source.equals or source.starts_with)):
            continue
        if read_only is None or read_only.equals is None:
            kinds |= {"read", "write"}
        else:
            kinds.add("read" if read_only.equals == ["true"] else "write")
    return kinds


def management_events(trail: Trail) -> set[str]:
    """Which management events a trail records: `read`, `write`, or both."""
    kinds = _records_management(trail.advanced_event_selectors)
    for selector in trail.event_selectors:
        if selector.include_management_events is False:
            continue
        kinds |= {"All": {"read", "write"}, "ReadOnly": {"read"}, "WriteOnly": {"write"}}.get(
            selector.read_write_type or "All", set()
        )
    return kinds


_BOTH = {"read", "write"}
_MULTI: dict[str, Any] = {"is_multi_region_trail": True, "event_selectors": [{"read_write_type": "All"}]}
_ACCOUNT = sample(Account, "123456789012")


@rule(
    "SEC-054",
    Severity.HIGH,
    bad=[
        _ACCOUNT,
        given(_ACCOUNT, sample(Trail, "t", **{**_MULTI, "is_multi_region_trail": False})),
        given(_ACCOUNT, sample(Trail, "t", is_logging=False, **_MULTI)),
        given(
            _ACCOUNT,
            sample(
                Trail, "t", is_multi_region_trail=True, event_selectors=[{"read_write_type": "WriteOnly"}]
            ),
        ),
        given(
            _ACCOUNT,
            sample(
                Trail,
                "t",
                is_multi_region_trail=True,
                event_selectors=[{"read_write_type": "All", "include_management_events": False}],
            ),
        ),
    ],
    good=[
        given(_ACCOUNT, sample(Trail, "t", **_MULTI)),
        given(
            _ACCOUNT,
            sample(
                Trail,
                "org",
                arn="arn:aws:cloudtrail:eu-west-1:999988887777:trail/org",
                is_multi_region_trail=True,
                advanced_event_selectors=[
                    {"field_selectors": [{"field": "eventCategory", "equals": ["Management"]}]}
                ],
            ),
        ),
        given(
            _ACCOUNT,
            sample(
                EventDataStore,
                "lake",
                status="ENABLED",
                multi_region_enabled=True,
                advanced_event_selectors=[
                    {"field_selectors": [{"field": "eventCategory", "equals": ["Management"]}]}
                ],
            ),
        ),
    ],
    remedy="Create a multi-Region trail that records read and write management events.",
    command="aws cloudtrail create-trail --name account-trail --s3-bucket-name BUCKET --is-multi-region-trail "
    "--enable-log-file-validation --kms-key-id KEY",
    change=Change.IN_PLACE,
    maps=[
        security_hub("CloudTrail.1"),
        security_hub("CloudTrail.3"),
        config_rule("multi-region-cloudtrail-enabled"),
        prowler("cloudtrail_multi_region_enabled"),
        lens("MLSEC06-BP02"),
    ],
)
def unrecorded_management_events(account: Account) -> Verdict:
    """A multi-Region trail should record all management events.

    Without it nobody can say who changed a role, an endpoint or a bucket. An organisation's trail
    counts, and so does a CloudTrail Lake event data store that covers all Regions.
    """
    unread: Unread | None = None
    logging: dict[str, bool] = {}
    seen = 0
    for trail in account.region.all(Trail):
        seen += 1
        try:
            if not trail.is_multi_region_trail:
                continue
            if trail.is_logging and management_events(trail) >= _BOTH:
                return passed(f"trail {trail.name}", IsMultiRegionTrail=True, IsLogging=True)
            logging[trail.name] = trail.is_logging
        except Unread as gap:
            unread = gap
    for store in account.region.all(EventDataStore):
        whole = store.multi_region_enabled and store.status == "ENABLED"
        if whole and _records_management(store.advanced_event_selectors) >= _BOTH:
            return passed(f"event data store {store.name}", Status=store.status)
    if unread is not None:
        raise unread
    return failed(
        "no multi-Region trail logs all management events",
        IsLogging=dict(sorted(logging.items())[:10]),
        trails_seen=seen,
    )


@rule(
    "SEC-055",
    Severity.MEDIUM,
    bad=[
        {"log_file_validation_enabled": False, "kms_key_id": "k", "cloud_watch_logs_log_group_arn": "g"},
        {"log_file_validation_enabled": True, "cloud_watch_logs_log_group_arn": "g"},
        {"log_file_validation_enabled": True, "kms_key_id": "k"},
    ],
    good=[{"log_file_validation_enabled": True, "kms_key_id": "k", "cloud_watch_logs_log_group_arn": "g"}],
    exempt=[sample(Trail, "org", arn="arn:aws:cloudtrail:eu-west-1:999988887777:trail/org")],
    remedy="Turn on log file validation, encrypt with a KMS key, and send the trail to CloudWatch Logs.",
    command="aws cloudtrail update-trail --name {arn} --enable-log-file-validation --kms-key-id KEY",
    change=Change.IN_PLACE,
    maps=[
        security_hub("CloudTrail.2"),
        security_hub("CloudTrail.4"),
        security_hub("CloudTrail.5"),
        config_rule("cloud-trail-log-file-validation-enabled"),
        config_rule("cloud-trail-encryption-enabled"),
        config_rule("cloud-trail-cloud-watch-logs-enabled"),
        prowler("cloudtrail_log_file_validation_enabled"),
        prowler("cloudtrail_kms_encryption_enabled"),
        lens("MLSEC06-BP02"),
    ],
)
def forgeable_trail(trail: Trail) -> Verdict:
    """Trails should validate and encrypt their log files and feed CloudWatch Logs.

    Validation shows when a log file was changed or removed, so that a trail without it is a high
    finding; a KMS key keeps its readers few; log groups let alarms watch it. A missing log group alone
    is one severity lower. A trail of the organisation's account is judged there.
    """
    if trail.owner_account != trail.region.account:
        return not_applicable("the trail belongs to another account")
    missing = {
        "LogFileValidationEnabled": not trail.log_file_validation_enabled,
        "KmsKeyId": not trail.kms_key_id,
        "CloudWatchLogsLogGroupArn": not trail.cloud_watch_logs_log_group_arn,
    }
    figures: dict[str, Any] = {
        "LogFileValidationEnabled": trail.log_file_validation_enabled,
        "KmsKeyId": trail.kms_key_id,
        "CloudWatchLogsLogGroupArn": trail.cloud_watch_logs_log_group_arn,
    }
    if not any(missing.values()):
        return passed(**figures)
    says = {
        "LogFileValidationEnabled": "its log files are not validated",
        "KmsKeyId": "they are not encrypted with a KMS key",
        "CloudWatchLogsLogGroupArn": "it does not feed CloudWatch Logs",
    }
    only_logs = [name for name, lacks in missing.items() if lacks] == ["CloudWatchLogsLogGroupArn"]
    return failed(
        "; ".join(says[name] for name, lacks in missing.items() if lacks),
        lowered=1 if only_logs else 0,
        why_lowered="only the log group is missing",
        raised=Severity.HIGH if missing["LogFileValidationEnabled"] else None,
        **figures,
    )
