"""What the instances behind endpoints amount to in a month."""

from collections.abc import Iterable

from collectors.sagemaker.endpoints import Endpoint, Variant
from evaluators.money import HOURS, Usage


def hosting_usage(endpoint: Endpoint, variants: Iterable[Variant]) -> list[Usage]:
    """A month of the instances that run now behind some variants of an endpoint.

    A variant over several instance pools may run on any of them: it has no usage here, and neither
    has one without instances. Raises `Unread` where the configuration could not be read.
    """
    config = endpoint.config
    types = (
        {v.variant_name: v.instance_types for v in config.production_variants} if config is not None else {}
    )
    found = []
    for variant in variants:
        named = types.get(variant.variant_name, ())
        count = variant.current_instance_count or 0
        if len(named) == 1 and count:
            found.append(Usage("hosting", named[0], hours=HOURS, count=count))
    return found
