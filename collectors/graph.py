"""The workload graph: what each resource refers to, and what refers to it.

Edges are read from the raw documents. AWS names one resource in another's document by the other's
own name or ARN (`EndpointConfigName`, `RoleArn`), so what a key refers to follows from the views
themselves: the member that holds a kind's name or ARN is called the same wherever it is named. A few
references are spelt otherwise; they stand in `_SPELLINGS`. Two edges are in no document: the training
job that wrote an artifact is found by the artifact's address, and a log group by its name.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collectors.collector import all_collectors
from collectors.model import GLOBAL, Gap, Snapshot
from collectors.s3_uri import bucket_and_key
from collectors.view import Region, View

_SPELLINGS: Mapping[str, str] = {
    "AlarmActions": "sns-topic",
    "DestinationS3Uri": "bucket",
    "ExecutionRole": "iam-role",
    "ExecutionRoleArn": "iam-role",
    "Image": "container-image",
    "ImageUri": "container-image",
    "KmsKeyId": "kms-key",
    "LifecycleConfigArn": "studio-lifecycle-config",
    "LifecycleConfigArns": "studio-lifecycle-config",
    "ModelPackageName": "model-package",
    "OutputDataConfigKmsKeyId": "kms-key",
    "RoleArn": "iam-role",
    "SecurityGroupIds": "security-group",
    "SecurityGroups": "security-group",
    "SourceModelPackageArn": "model-package",
    "SubnetId": "subnet",
    "Subnets": "subnet",
    "TrainingImage": "container-image",
    "TuningJobArn": "tuning-job",
    "VolumeKmsKeyId": "kms-key",
}
"""Keys that refer to a kind in words other than those in which the kind names itself."""

_PLAIN = frozenset({"Arn", "Id", "Name", "arn", "id", "name", ""})
"""Members that hold many kinds' names: they tell nothing about what is named."""

_WHOLE = frozenset(
    {
        "domain",
        "endpoint",
        "endpoint-config",
        "iam-role",
        "model",
        "notebook-instance-lifecycle-config",
        "pipeline",
        "studio-lifecycle-config",
    }
)
"""Kinds of which all there are is read: what is named and not among them is gone, or was not read."""

_SCALED = {"endpoint": "endpoint", "inference-component": "inference-component"}
_DEPTH = 6
"""How far a chain goes: endpoint, configuration, model, package, training job, data."""


Reference = tuple[str, tuple[str, ...], str]
"""The key that names something, the kinds that it may be, and the name or ARN."""


@dataclass(frozen=True, slots=True)
class Node:
    """A resource in the graph: kind, id, name and Region."""

    kind: str
    id: str
    name: str
    region: str

    @property
    def text(self) -> str:
        """`endpoint churn-realtime`."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Edge:
    """One resource names another under a key. A target that was not read has a gap, one that is gone has none."""

    source: Node
    key: str
    target: Node
    exists: bool
    gap: Gap | None = None


def node_of(view: View) -> Node:
    """The node of a resource."""
    return Node(view.kind, view.id, view.name, view.region.name)


class Graph:
    """The graph of one account in a snapshot. Edges are made when they are asked for."""

    def __init__(self, snapshot: Snapshot, account: str) -> None:
        self.root = Region(snapshot, account, GLOBAL)
        self.views = {collector.view.kind: collector.view for collector in all_collectors()}
        self._keys = _keys(self.views)
        self._writers: dict[str, View] | None = None

    def places(self) -> list[Region]:
        """Every Region, the global one last."""
        return [*self.root.audited(), self.root]

    def resources(self) -> Iterator[View]:
        """Every resource that stands for something in the account."""
        for region in self.places():
            for view in self.views.values():
                if view.is_global == (region.name == GLOBAL) and view.type:
                    yield from region.known(view)

    def named(self, text: str) -> list[View]:
        """The resources with this ARN or name, or `kind/name`."""
        kind, _, name = text.partition("/")
        found = []
        for region in self.places():
            for view in self.views.values():
                if view.is_global != (region.name == GLOBAL) or not view.type:
                    continue
                keys = (text, name) if kind == view.kind else (text,)
                held = [region.snapshot.find(view.kind, region.account, region.name, key) for key in keys]
                found += [view(resource, region) for resource in held[-1:] if resource is not None]
        return found

    def outgoing(self, view: View) -> list[Edge]:
        """What a resource refers to, each target once, in the order of its documents."""
        source = node_of(view)
        edges: dict[tuple[str, str], Edge] = {}
        for operation in sorted(view.readings):
            document = view.readings[operation]
            if isinstance(document, dict):
                for key, kinds, value in self._references(document):
                    edge = self._edge(view, source, key, kinds, value)
                    if edge is not None and (edge.target.kind, edge.target.id) != (source.kind, source.id):
                        edges.setdefault((edge.target.kind, edge.target.id), edge)
        return list(edges.values())

    def incoming(self, view: View) -> list[Edge]:
        """What refers to a resource. Looks through the whole account."""
        wanted = {view.id.encode(), view.name.encode()}
        found = []
        for other in self.resources():
            text = bytes(other.resource.documents)
            if other.id != view.id and any(name and name in text for name in wanted):
                found += [edge for edge in self.outgoing(other) if edge.target.id == view.id and edge.exists]
        return found

    def chains(self, kind: str = "endpoint") -> dict[str, tuple[Node, ...]]:
        """The shortest way from a resource of a kind to every resource behind it, by id."""
        start = self.views[kind]
        chains: dict[str, tuple[Node, ...]] = {}
        queue = deque(view for region in self.root.audited() for view in region.known(start))
        for view in queue:
            chains.setdefault(view.id, (node_of(view),))
        while queue:
            view = queue.popleft()
            chain = chains[view.id]
            if len(chain) >= _DEPTH:
                continue
            for edge in self.outgoing(view):
                if edge.exists and edge.target.id not in chains:
                    chains[edge.target.id] = (*chain, edge.target)
                    target = self._find(view.region, edge.target.kind, edge.target.id)
                    if target is not None:
                        queue.append(target)
        return chains

    def _references(self, value: Any, key: str = "") -> Iterator[Reference]:
        """All that a document refers to."""
        if isinstance(value, dict):
            name, given = value.get("Name"), value.get("Value")
            if isinstance(name, str) and isinstance(given, str) and name in self._keys:
                # A metric's dimension, such as EndpointName.
                yield name, self._keys[name], given
            for member, inner in value.items():
                yield from self._references(inner, member)
        elif isinstance(value, list):
            for inner in value:
                yield from self._references(inner, key)
        elif isinstance(value, str) and value:
            yield from self._reference(key, value)

    def _reference(self, key: str, value: str) -> Iterator[Reference]:
        if value.startswith("s3://"):
            parsed = bucket_and_key(value)
            yield key, ("model-artifact",), value
            if parsed:
                yield key, ("bucket",), parsed[0]
            if key != "S3ModelArtifacts":
                yield key, ("training-job",), value
        elif key == "ResourceId" and value.split("/", maxsplit=1)[0] in _SCALED:
            yield key, (_SCALED[value.split("/", maxsplit=1)[0]],), value.split("/")[1]
        elif key == "ModelPackageName" and not value.startswith("arn:"):
            # A version's own document has its group's name here.
            return
        elif key in self._keys:
            yield key, self._keys[key], value

    def _edge(self, view: View, source: Node, key: str, kinds: tuple[str, ...], value: str) -> Edge | None:
        kind = kinds[0]
        by_address = value.startswith("s3://")
        if kind == "training-job" and by_address:
            writer = self._writer(value)
            return Edge(source, key, node_of(writer), True) if writer is not None else None
        targets = (self._find(view.region, each, value) for each in kinds)
        target = next((found for found in targets if found is not None), None)
        if target is not None:
            return Edge(source, key, node_of(target), True)
        if by_address or kind not in _WHOLE or not self._is_own(value):
            return None
        home = self.root if self.views[kind].is_global else view.region
        gap = home.snapshot.listing_gap(kind, home.account, home.name)
        return Edge(source, key, Node(kind, value, value.rpartition("/")[2], home.name), False, gap)

    def _is_own(self, value: str) -> bool:
        """Whether an ARN is of this account; a name always is."""
        return not value.startswith("arn:") or value.split(":")[4] == self.root.account

    def find(self, node: Node) -> View | None:
        """The resource of a node."""
        return self._find(self.root.sibling(node.region), node.kind, node.id)

    def _find(self, region: Region, kind: str, key: str) -> View | None:
        view = self.views.get(kind)
        if view is None:
            return None
        home = self.root if view.is_global else region
        found = home.snapshot.find(kind, home.account, home.name, key)
        return view(found, home) if found is not None else None

    def _writer(self, address: str) -> View | None:
        """The training job that wrote an artifact to this address."""
        if self._writers is None:
            self._writers = {}
            for region in self.root.audited():
                for job in region.known(self.views["training-job"]):
                    for document in job.readings.values():
                        if isinstance(document, dict):
                            written = (document.get("ModelArtifacts") or {}).get("S3ModelArtifacts")
                            if written:
                                self._writers[written] = job
        return self._writers.get(address)


def _keys(views: Mapping[str, type[View]]) -> dict[str, tuple[str, ...]]:
    """Kinds by the member that names them, wherever that member stands; a few share one."""
    found: dict[str, tuple[str, ...]] = {}
    for kind, view in views.items():
        for path in {view.name_path, view.arn_path} - _PLAIN if view.type else ():
            found[path] = (*found.get(path, ()), kind)
    return {**found, **{key: (kind,) for key, kind in _SPELLINGS.items()}}
