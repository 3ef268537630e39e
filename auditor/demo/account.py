"""The demo account, ready to be scanned: Larkspur Analytics, in eu-west-1 and us-east-1.

    account = build(datetime(2026, 1, 15, tzinfo=UTC))
    with demo_session(account) as session:
        session.client("sagemaker").search(Resource="TrainingJob")

Every time in it is relative to the moment given. Each rule finds something good and something bad here, and the
cases that must not be judged at all; what is refused shows as unknown.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import boto3
import botocore.session
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.core.models import botocore_stubber

from auditor.demo import (
    automation,
    capacity,
    gaps,
    guardrails,
    identities,
    jobs,
    lineage,
    monitoring,
    origins,
    oversight,
    questions,
    registry,
    scaling,
    serving,
    spending,
    storage,
    studio,
    tracking,
    training,
    watch,
    workbench,
    workloads,
)
from auditor.demo.company import LAB, PROD
from auditor.demo.exemplary import capacity as exemplary_capacity
from auditor.demo.exemplary import estate, foundation, names, network
from auditor.demo.exemplary import monitoring as exemplary_monitoring
from auditor.demo.exemplary import oversight as exemplary_oversight
from auditor.demo.exemplary import serving as exemplary_serving
from auditor.demo.exemplary import studio as exemplary_studio
from auditor.demo.exemplary import watch as exemplary_watch
from auditor.demo.exemplary import work as exemplary_work
from auditor.demo.state import SAGEMAKER_KINDS, DemoState

REGIONS = (PROD, LAB)
DENIED = frozenset({"sns:GetTopicAttributes"})
"""What the demo's reader may not do, so that a scan shows what it could not judge."""

SEEDS = (
    identities,
    oversight,
    workbench,
    training,
    jobs,
    registry,
    serving,
    scaling,
    studio,
    guardrails,
    automation,
    monitoring,
    lineage,
    capacity,
    workloads,
    spending,
    tracking,
    watch,
    origins,
    questions,
)

EXEMPLARY = (
    foundation,
    network,
    exemplary_work,
    exemplary_serving,
    exemplary_monitoring,
    exemplary_studio,
    estate,
    exemplary_capacity,
    exemplary_watch,
    exemplary_oversight,
)

_RESOURCES = frozenset({*SAGEMAKER_KINDS, "Role", "Trail"})


def _nothing(_session: boto3.Session) -> None:
    """moto stays as empty as it starts."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Documents in `state`, and `fill`, which makes in moto what moto answers itself: S3 and ECR."""

    state: DemoState
    fill: Callable[[boto3.Session], None] = _nothing
    buckets: int = 0

    @property
    def resources(self) -> int:
        """How many resources a scan can find: SageMaker's, roles, trails and buckets."""
        sizes = self.state.size()
        return self.buckets + sum(sizes[kind] for kind in _RESOURCES)

    def install(self, session: boto3.Session | botocore.session.Session) -> None:
        """Let a session that the program makes itself, such as one of an assumed role, see the account."""
        gaps.install(session, self.state)


def build(now: datetime, *, denied: Iterable[str] = DENIED) -> DemoAccount:
    """Larkspur Analytics as it is at `now`, which has a zone; `denied` are services and "service:Operation"s."""
    state = DemoState(now, regions=REGIONS, denied=denied)
    for seed in SEEDS:
        seed.fill(state)
    storage.LARKSPUR.note(state)
    return DemoAccount(state, storage.LARKSPUR.fill, len(storage.LARKSPUR.buckets))


def exemplary(now: datetime) -> DemoAccount:
    """Alder Clinics at `now`, in one Region: an account in which no rule finds anything."""
    state = DemoState(now, regions=(names.REGION,))
    for seed in EXEMPLARY:
        seed.fill(state)
    foundation.STORAGE.note(state)
    return DemoAccount(state, foundation.STORAGE.fill, len(foundation.STORAGE.buckets))


def empty(now: datetime, *, denied: Iterable[str] = ()) -> DemoAccount:
    """An account without anything, for tests that add their own documents to its `state`."""
    return DemoAccount(DemoState(now, regions=REGIONS, denied=denied))


@contextmanager
def demo_session(account: DemoAccount, *, everywhere: bool = False) -> Iterator[boto3.Session]:
    """A session over the account, with fake credentials; nothing leaves this process.

    moto is one for the process: a session within another's block shares the buckets and images.
    Clients made from it work in any thread. With `everywhere`, every session that is made within the block sees
    the account; otherwise a session made elsewhere needs `account.install(session)`.
    """
    with mock_aws():
        session = _session()
        account.fill(session)
        account.install(session)
        if everywhere:
            with gaps.everywhere(account.state):
                yield session
        else:
            yield session


@contextmanager
def served(account: DemoAccount, *, port: int = 0) -> Iterator[str]:
    """Serve the account over HTTP; the address for AWS_ENDPOINT_URL comes back. Credentials may be any."""
    from auditor.demo import wire

    mock = mock_aws()
    mock.start()
    account.fill(_session())
    # The buckets stay when the mock ends, for the server, which is in this process, to answer from.
    mock.stop(remove_data=False)
    try:
        with wire.served(account.state, port=port) as address:
            yield address
    finally:
        if not botocore_stubber.enabled:
            BackendDict.reset()


def _session() -> boto3.Session:
    return boto3.Session(
        aws_access_key_id="demo",
        aws_secret_access_key="demo",  # noqa: S106 -- moto takes any
        region_name=PROD,
    )
