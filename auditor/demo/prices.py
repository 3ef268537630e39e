"""The demo account's price list: made-up prices in the form of AWS's own, so that arithmetic shows."""

import json
from collections.abc import Mapping
from typing import Any

from auditor.demo.shapes import Document
from auditor.demo.state import DemoState

_HOURLY = {
    "ml.c5.2xlarge": 0.40,
    "ml.c5.xlarge": 0.20,
    "ml.c7g.large": 0.09,
    "ml.c7i.xlarge": 0.22,
    "ml.g4dn.xlarge": 0.75,
    "ml.g5.12xlarge": 7.20,
    "ml.g5.2xlarge": 1.50,
    "ml.g5.xlarge": 1.40,
    "ml.g6.12xlarge": 5.60,
    "ml.g6.xlarge": 1.00,
    "ml.inf2.xlarge": 0.90,
    "ml.m4.xlarge": 0.26,
    "ml.m5.2xlarge": 0.50,
    "ml.m5.4xlarge": 1.00,
    "ml.m5.large": 0.125,
    "ml.m5.xlarge": 0.25,
    "ml.m7i.2xlarge": 0.48,
    "ml.m7i.4xlarge": 0.96,
    "ml.m7i.large": 0.12,
    "ml.m7i.xlarge": 0.24,
    "ml.p3.2xlarge": 4.00,
    "ml.p4d.24xlarge": 38.00,
    "ml.t2.medium": 0.06,
    "ml.t3.large": 0.11,
    "ml.t3.medium": 0.055,
    "ml.t3.xlarge": 0.22,
    "ml.trn1.2xlarge": 1.60,
}
"""US dollars an hour; the second Region costs a tenth less. Types that are not here have no price."""

_USES = {
    "Hosting": "Host",
    "Training": "Train",
    "Processing": "Processing",
    "Notebook": "Notebk",
    "BatchTransform": "Tsform",
    "Studio-JupyterLab": "Studio_JupyterLab",
    "Cluster": "Cluster",
}


def get_products(state: DemoState, _region: str, parameters: Mapping[str, Any]) -> Document:
    """The answer of GetProducts to the filters by Region and instance name, or by volume type."""
    wanted = {condition["Field"]: condition["Value"] for condition in parameters.get("Filters", ())}
    region = wanted.get("regionCode", "")
    factor = 1.0 if region == state.regions[0] else 0.9
    name = wanted.get("instanceName")
    if name in _HOURLY:
        found = [
            _product(
                region,
                {"instanceName": name, "platoinstancetype": use},
                f"{code}:{name}",
                "Hrs",
                factor * _HOURLY[name],
            )
            for use, code in _USES.items()
        ]
        return {"FormatVersion": "aws_v1", "PriceList": found}
    if wanted.get("volumeType") == "General Purpose-Hosting":
        attributes = {"volumeType": "General Purpose-Hosting"}
        found = [_product(region, attributes, "Host:VolumeUsage.gp2", "GB-Mo", factor * 0.15)]
        return {"FormatVersion": "aws_v1", "PriceList": found}
    return {"FormatVersion": "aws_v1", "PriceList": []}


def _product(region: str, attributes: Mapping[str, str], usage: str, unit: str, price: float) -> str:
    dimension = {"unit": unit, "pricePerUnit": {"USD": f"{price:.10f}"}, "beginRange": "0", "endRange": "Inf"}
    return json.dumps(
        {
            "product": {"attributes": {**attributes, "regionCode": region, "usagetype": usage}},
            "publicationDate": "2026-01-05T00:00:00Z",
            "terms": {
                "OnDemand": {"SKU.JRTCKXETXF": {"priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": dimension}}}
            },
        }
    )
