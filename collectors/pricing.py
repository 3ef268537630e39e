"""AWS's list prices of the SageMaker instance types that were seen, from the Price List API or a cache."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collectors.collector import collects
from collectors.ec2 import named_instance_types
from collectors.model import GLOBAL, Document, Operation, Reading, Resource
from collectors.view import View, required

if TYPE_CHECKING:
    from collectors.reader import Reader

GET_PRODUCTS = Operation("pricing", "GetProducts", parameters=(("ServiceCode", "AmazonSageMaker"),))

_COMPONENTS = {
    "batchtransform": "transform",
    "cluster": "cluster",
    "hosting": "hosting",
    "notebook": "notebook",
    "processing": "processing",
    "studio-codeeditor": "studio",
    "studio-jupyterlab": "studio",
    "studio-notebook": "studio",
    "training": "training",
}
"""What the price list calls the uses of an instance type (`platoinstancetype`), and our names for them."""

VOLUMES = {"hosting-volume": "General Purpose-Hosting"}
"""Storage that is priced by a volume type instead of an instance type; others' names are not documented."""

_KEPT = ("instanceName", "platoinstancetype", "regionCode", "usagetype", "volumeType")


@dataclass(frozen=True, slots=True)
class Prices:
    """Where prices come from: documents by `REGION/TYPE` from earlier runs, and whether AWS is asked."""

    ask: bool = False
    cached: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListPrice:
    """A list price in `currency`, by the hour or by the gigabyte and month, and when AWS published it."""

    amount: float
    currency: str
    published: str


class Price(View, kind="price", listing=(GET_PRODUCTS,)):
    """What one instance type, or one type of volume, costs in a Region; its name is the type."""

    price_list = required(GET_PRODUCTS, "PriceList", list[str], [])

    @property
    def rates(self) -> dict[str, ListPrice]:
        """The on-demand price by component. One that the list gives two prices for has none here."""
        found: dict[str, set[ListPrice]] = {}
        for text in self.price_list:
            product = json.loads(text)
            component = component_of(product)
            if component:
                found.setdefault(component, set()).update(_on_demand(product))
        return {
            component: prices.pop()
            for component, prices in found.items()
            if len({(price.amount, price.currency) for price in prices}) == 1
        }


def component_of(product: Mapping[str, Any]) -> str | None:
    """Which use of an instance type, or which volume, a product of the price list is; `None` for others."""
    attributes = product.get("product", {}).get("attributes", {})
    volume = attributes.get("volumeType")
    if volume:
        return next((name for name, type_ in VOLUMES.items() if type_ == volume), None)
    return _COMPONENTS.get(str(attributes.get("platoinstancetype", "")).lower())


def _on_demand(product: Mapping[str, Any]) -> Iterator[ListPrice]:
    published = str(product.get("publicationDate", ""))[:10]
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            if dimension.get("unit") in ("Hrs", "GB-Mo"):
                for currency, amount in dimension.get("pricePerUnit", {}).items():
                    if float(amount) > 0:
                        yield ListPrice(float(amount), currency, published)


@collects(Price, last=True)
def prices(reader: "Reader") -> Iterator[Resource]:
    """One answer for each instance type that anything read here names, and each type of volume."""
    source = reader.caller.prices
    names = sorted({*named_instance_types(reader), *VOLUMES.values()})
    for name, reading in zip(
        names, reader.gather(lambda name: _priced(reader, source, name), names), strict=True
    ):
        if reading is not None:
            yield from reader.resource({GET_PRODUCTS: reading}, key=name, name=name)


def _priced(reader: "Reader", source: Prices, name: str) -> Reading:
    """The products of one type; `None` where it is not cached and AWS is not to be asked."""
    key = f"{reader.region.name}/{name}"
    if key in source.cached:
        return source.cached[key]
    if not source.ask:
        return None
    attribute = "volumeType" if name in VOLUMES.values() else "instanceName"
    found = reader.read(
        GET_PRODUCTS,
        region=GLOBAL,
        Filters=[
            {"Type": "TERM_MATCH", "Field": "regionCode", "Value": reader.region.name},
            {"Type": "TERM_MATCH", "Field": attribute, "Value": name},
        ],
        MaxResults=100,
    )
    return {"PriceList": _reduced(found.get("PriceList", []))} if isinstance(found, dict) else found


def _reduced(products: list[str]) -> list[str]:
    """The products with what a price needs: the list tells two kilobytes of each."""
    kept = []
    for text in products:
        product = json.loads(text)
        if component_of(product):
            attributes = product.get("product", {}).get("attributes", {})
            kept.append(
                json.dumps(
                    {
                        "product": {"attributes": {k: attributes[k] for k in _KEPT if k in attributes}},
                        "publicationDate": product.get("publicationDate", ""),
                        "terms": {"OnDemand": product.get("terms", {}).get("OnDemand", {})},
                    },
                    sort_keys=True,
                )
            )
    return kept
