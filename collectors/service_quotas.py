"""What the account may use: SageMaker's quotas on the instances behind endpoints, as applied to it."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.view import Region, View, index, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation(
    "service-quotas",
    "ListServiceQuotas",
    result="Quotas[]",
    parameters=(("ServiceCode", "sagemaker"),),
    action="servicequotas:ListServiceQuotas",
)
"""What applies to the account. AWS's defaults are another call and are never asked for: they are not its own."""

_OF_ENDPOINTS = re.compile(r"(?P<type>ml\.\S+) for endpoint usage", re.IGNORECASE)


class EndpointQuota(View, kind="endpoint-quota", listing=(LIST,), name="QuotaName", arn="QuotaArn"):
    """How many instances of one type may serve endpoints in a Region. The type is in the name alone."""

    quota_name = required(LIST, "QuotaName", str, "ml.m5.xlarge for endpoint usage")
    quota_code = optional(LIST, "QuotaCode", str)
    value = required(LIST, "Value", float, 4.0)
    adjustable = optional(LIST, "Adjustable", bool)


@index
def quotas_by_type(region: Region) -> Mapping[str, EndpointQuota]:
    """The quota of each type (`ml.m5.xlarge`) that the list names. Raises `Unread` unless it is whole."""
    found: dict[str, EndpointQuota] = {}
    for quota in region.all(EndpointQuota):
        named = _OF_ENDPOINTS.fullmatch(quota.quota_name)
        if named is not None:
            found[named["type"].lower()] = quota
    return found


@collects(EndpointQuota)
def endpoint_quotas(reader: "Reader") -> Iterator[Resource]:
    """The quotas on endpoints' instances, out of some thousands that the list has of SageMaker."""
    for document in reader.list(LIST):
        if _OF_ENDPOINTS.fullmatch(document.get("QuotaName", "")):
            yield from reader.resource({LIST: document})
