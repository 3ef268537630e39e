"""MLflow tracking servers, which are billed by the hour. MLflow apps are serverless and have none."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from collectors.collector import collects
from collectors.model import Operation, Resource
from collectors.sagemaker.search import described
from collectors.view import View, optional, required

if TYPE_CHECKING:
    from collectors.reader import Reader

LIST = Operation("sagemaker", "ListMlflowTrackingServers", result="TrackingServerSummaries[]")
DESCRIBE = Operation("sagemaker", "DescribeMlflowTrackingServer")


class MlflowTrackingServer(
    View,
    kind="mlflow-tracking-server",
    type="AWS::SageMaker::MlflowTrackingServer",
    listing=(LIST,),
    name="TrackingServerName",
    arn="TrackingServerArn",
    tagged=True,
):
    """An MLflow tracking server; `is_active` is AWS's word on whether anything uses it."""

    tracking_server_status = required(LIST, "TrackingServerStatus", str, "Created")
    is_active = required(LIST, "IsActive", str, "Active")
    last_modified_time = required(
        LIST, "LastModifiedTime", datetime, datetime.fromisoformat("2026-11-19T06:00:00+00:00")
    )
    tracking_server_size = required(DESCRIBE, "TrackingServerSize", str, "Small")
    automatic_model_registration = optional(DESCRIBE, "AutomaticModelRegistration", bool)


@collects(MlflowTrackingServer)
def mlflow_tracking_servers(reader: "Reader") -> Iterator[Resource]:
    """Every tracking server; its size is in its Describe alone."""
    yield from described(reader, LIST, reader.list(LIST), DESCRIBE, "TrackingServerName")
