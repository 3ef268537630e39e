"""What serves production: endpoints in service that are placed there, or nowhere."""

from collectors.model import Unread
from collectors.sagemaker.endpoints import Endpoint
from collectors.view import Region, index
from evaluators.environment import Environment, placed


def counts_as_production(endpoint: Endpoint) -> bool:
    """Whether it is placed in production, or nowhere. Raises `Unread` where its tags would decide."""
    where = placed(endpoint)
    if where.gap is not None:
        raise Unread(where.gap)
    return where.environment in (None, Environment.PRODUCTION)


def production_endpoints(region: Region) -> list[Endpoint]:
    """The endpoints in service, in all audited Regions, that count as production. Raises `Unread`."""
    return [
        endpoint
        for endpoint in region.everywhere(Endpoint)
        if endpoint.endpoint_status == "InService" and counts_as_production(endpoint)
    ]


@index
def production_here(region: Region) -> tuple[str, ...]:
    """The names of the endpoints in service in this one Region that count as production. Raises `Unread`."""
    return tuple(
        endpoint.name
        for endpoint in region.all(Endpoint)
        if endpoint.endpoint_status == "InService" and counts_as_production(endpoint)
    )
