"""Quotas, load and the sizes of what serves, good and bad."""

from collections.abc import Mapping
from datetime import datetime

from auditor.demo.company import LAB, PROD, SUBNETS, VPCS, ago, arn, deep_learning, role, tags, xgboost
from auditor.demo.hosting import Load, config, endpoint, live, observe, variant
from auditor.demo.oversight import ONCALL
from auditor.demo.shapes import Document
from auditor.demo.state import ACCOUNT, DemoState, Series

_OFFERED = {
    PROD: (
        "c7g.large",
        "c7i.xlarge",
        "g4dn.xlarge",
        "g6.xlarge",
        "g6.12xlarge",
        "inf2.xlarge",
        "m7i.2xlarge",
    ),
    LAB: ("c7g.large", "g6.12xlarge", "m7i.large", "t2.medium"),
}
_ZONES = {PROD: ("euw1-az1", "euw1-az2", "euw1-az3"), LAB: ("use1-az1", "use1-az2")}

_QUOTAS = {
    PROD: {
        "ml.c7g.large": 10,
        "ml.c7i.xlarge": 8,
        "ml.g4dn.xlarge": 4,
        "ml.g6.xlarge": 12,
        "ml.g6.12xlarge": 4,
        "ml.inf2.xlarge": 2,
        "ml.m4.xlarge": 10,
        "ml.m7i.2xlarge": 6,
        "ml.m7i.4xlarge": 4,
    },
    LAB: {"ml.g6.12xlarge": 2, "ml.m7i.large": 8, "ml.t2.medium": 20},
}


def _model(state: DemoState, name: str, days: float, image: str, data: str, held: Mapping[str, str]) -> None:
    document = {
        "ModelName": name,
        "ModelArn": arn(PROD, f"model/{name}"),
        "CreationTime": ago(state, days=days),
        "ExecutionRoleArn": role("ml-inference"),
        "EnableNetworkIsolation": False,
        "PrimaryContainer": {"Image": image, "Mode": "SingleModel", "ModelDataUrl": data},
    }
    state.add("Model", PROD, document, held)


def _tickets(state: DemoState) -> None:
    """One model on two kinds of hardware: an older GPU with a disk that fills up, and Inferentia."""
    held = tags("platform")
    data = "s3://larkspur-fraud-artifacts/models/ocr-v2/model.tar.gz"
    image = deep_learning(PROD, "huggingface-pytorch-inference:2.6.0-gpu-py312")
    _model(state, "ticket-triage-v2", 95, image, data, held)
    neuron = deep_learning(PROD, "huggingface-pytorch-inference-neuronx:2.1.2-py310-sdk2.20.0")
    _model(state, "ticket-triage-neuron-v2", 95, neuron, data, held)
    config(
        state,
        PROD,
        "ticket-triage-2",
        94,
        [
            variant("gpu", "ticket-triage-v2", "ml.g4dn.xlarge", 2),
            variant("inferentia", "ticket-triage-neuron-v2", "ml.inf2.xlarge", 2),
        ],
    )
    endpoint(
        state,
        PROD,
        "ticket-triage",
        94,
        config_name="ticket-triage-2",
        running=[live("gpu", 2), live("inferentia", 2)],
        held=held,
    )
    gpu = Load(hourly=(700, 900), cpu=90, memory=41, gpu=52, gpu_memory=61, disk=83)
    observe(state, PROD, "ticket-triage", "gpu", gpu)
    observe(state, PROD, "ticket-triage", "inferentia", Load(hourly=(650, 850), cpu=85, memory=38))


def _small(state: DemoState) -> None:
    """Three countries with an endpoint each, on Graviton; the third is called at night and not at all by day."""
    day = (0,) * 7 + (20, 30, 40, 40, 30, 30, 40, 40, 30, 20) + (0,) * 7
    night = (0, 0, 260, 240, *(0,) * 20)
    for country, hourly in (
        ("dk", tuple(n or 4 for n in day)),
        ("no", tuple(n or 3 for n in day)),
        ("se", night),
    ):
        name = f"demand-{country}"
        data = "s3://larkspur-churn-data/models/batch-v1/model.tar.gz"
        _model(state, f"{name}-v1", 72, xgboost(PROD), data, tags("demand", "staging"))
        config(state, PROD, f"{name}-1", 71, [variant("AllTraffic", f"{name}-v1", "ml.c7g.large", 1)])
        endpoint(
            state,
            PROD,
            name,
            71,
            config_name=f"{name}-1",
            running=[live("AllTraffic", 1)],
            held=tags("demand", "staging"),
        )
        observe(state, PROD, name, "AllTraffic", Load(hourly=hourly, cpu=14, memory=31, days=30))


def _queue(state: DemoState) -> None:
    """A queue that tells of its errors, and whose instances wait all day for the mail of the morning."""
    output = {
        "S3OutputPath": "s3://sagemaker-eu-west-1-123456789012/invoices/",
        "S3FailurePath": "s3://sagemaker-eu-west-1-123456789012/invoices-failed/",
        "NotificationConfig": {"ErrorTopic": ONCALL},
    }
    config(
        state,
        PROD,
        "invoice-reader-1",
        66,
        [variant("AllTraffic", "fraud-serverless-v1", "ml.c7i.xlarge", 2)],
        AsyncInferenceConfig={"OutputConfig": output},
    )
    endpoint(
        state,
        PROD,
        "invoice-reader",
        66,
        config_name="invoice-reader-1",
        running=[live("AllTraffic", 2)],
        held=tags("fraud"),
        AsyncInferenceConfig={"OutputConfig": output},
    )
    observe(state, PROD, "invoice-reader", "AllTraffic", Load(cpu=30, memory=33), invocations=False)
    start = ago(state, days=15)
    for name, waits in (("ApproximateBacklogSize", 9.0), ("ApproximateAgeOfOldestRequest", 240.0)):
        sizes = [(waits if hour in (6, 7) else 0.0, 12.0) for hour in range(24)]
        queue = Series(start, state.now, 3600, tuple(sizes))
        state.metric(PROD, "AWS/SageMaker", name, {"EndpointName": "invoice-reader"}, queue)


def _serverless(state: DemoState) -> None:
    """One that is about right, and one that holds far more concurrency than anybody asks for, and is refused more."""
    size = {"MemorySizeInMB": 2048, "MaxConcurrency": 20, "ProvisionedConcurrency": 10}
    held = {"VariantName": "AllTraffic", "ModelName": "fraud-serverless-v1", "ServerlessConfig": size}
    config(state, PROD, "returns-scoring-1", 33, [{**held, "InitialVariantWeight": 1.0}])
    running = {"VariantName": "AllTraffic", "CurrentWeight": 1.0, "CurrentServerlessConfig": size}
    endpoint(
        state,
        PROD,
        "returns-scoring",
        33,
        config_name="returns-scoring-1",
        running=[running],
        held=tags("fraud"),
    )
    start = ago(state, days=15).replace(minute=0, second=0, microsecond=0)

    def keep(name: str, namespace: str, metric: str, *values: tuple[float, float]) -> None:
        dimensions = {"EndpointName": name, "VariantName": "AllTraffic"}
        state.metric(PROD, namespace, metric, dimensions, Series(start, state.now, 3600, values))

    for name, memory, reached in (("fraud-light", 58.0, 0.4), ("returns-scoring", 62.0, 1.0)):
        keep(name, "AWS/SageMaker", "Invocations", (1, 40), (1, 25), (1, 10))
        keep(name, "/aws/sagemaker/Endpoints", "MemoryUtilization", (memory, 40), (memory - 8, 25))
        keep(name, "AWS/SageMaker", "ServerlessConcurrentExecutionsUtilization", (0.1, 30), (reached, 1))
        keep(name, "AWS/SageMaker", "ModelLatency", (42_000.0, 40), (61_000.0, 25))
    keep("returns-scoring", "AWS/SageMaker", "ServerlessProvisionedConcurrencyUtilization", (0.1, 40))


def _component(state: DemoState) -> None:
    """A language that nobody searches in, on a single copy."""
    document: Document = {
        "InferenceComponentName": "ranker-fi",
        "InferenceComponentArn": arn(PROD, "inference-component/ranker-fi"),
        "EndpointName": "ranker-shared",
        "EndpointArn": arn(PROD, "endpoint/ranker-shared"),
        "VariantName": "shared",
        "InferenceComponentStatus": "InService",
        "Specification": {
            "ModelName": "ranker-component-model",
            "ComputeResourceRequirements": {
                "MinMemoryRequiredInMb": 8192,
                "NumberOfAcceleratorDevicesRequired": 1.0,
            },
        },
        "RuntimeConfig": {"DesiredCopyCount": 1, "CurrentCopyCount": 1},
        "CreationTime": ago(state, days=22),
        "LastModifiedTime": ago(state, days=22),
    }
    state.add("InferenceComponent", PROD, document, tags("search"))
    load = Load(cpu=420, memory=44, gpu=130, gpu_memory=180)
    observe(state, PROD, "ranker-shared", "shared", load, invocations=False)


def _zones(state: DemoState) -> None:
    """Production lies in two zones; the laboratory's only subnet is in one."""
    for region, names in SUBNETS.items():
        listed = [
            {
                "SubnetId": name,
                "SubnetArn": arn(region, f"subnet/{name}", "ec2"),
                "VpcId": VPCS[region],
                "MapPublicIpOnLaunch": region == LAB,
                "State": "available",
                "CidrBlock": f"10.20.{16 * number}.0/20",
                "AvailabilityZone": f"{region}{'abc'[number]}",
                "AvailabilityZoneId": _ZONES[region][number],
                "OwnerId": ACCOUNT,
            }
            for number, name in enumerate(names)
        ]
        state.answer("ec2:DescribeSubnets", {"Subnets": listed}, region=region)


def _limits(state: DemoState) -> None:
    """What the account may run in each Region, and where EC2 has it."""
    for region, quotas in _QUOTAS.items():
        listed = [_quota(region, number, name, value) for number, (name, value) in enumerate(quotas.items())]
        state.answer("service-quotas:ListServiceQuotas", {"Quotas": listed}, region=region)
        offered = [
            {"InstanceType": name, "LocationType": "availability-zone-id", "Location": zone}
            for name in _OFFERED[region]
            for zone in _ZONES[region]
        ]
        state.answer("ec2:DescribeInstanceTypeOfferings", {"InstanceTypeOfferings": offered}, region=region)


def _quota(region: str, number: int, instance_type: str, value: float) -> Document:
    code = f"L-{number:08X}"
    return {
        "ServiceCode": "sagemaker",
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": arn(region, f"sagemaker/{code}", "servicequotas"),
        "QuotaCode": code,
        "QuotaName": f"{instance_type} for endpoint usage",
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def _tests(state: DemoState) -> None:
    """The ranker was load-tested; a benchmark of last year is too old."""
    job = {
        "JobName": "search-ranker-sizing",
        "JobDescription": "Before the winter season",
        "JobType": "Advanced",
        "JobArn": arn(PROD, "inference-recommendations-job/search-ranker-sizing"),
        "RoleArn": role("ml-inference"),
        "Status": "COMPLETED",
        "CreationTime": ago(state, days=33),
        "CompletionTime": ago(state, days=32.9),
        "LastModifiedTime": ago(state, days=32.9),
        "InputConfig": {"ModelName": "search-ranker-v12"},
    }
    state.add("InferenceRecommendationsJob", PROD, job, tags("search"))
    _benchmarks(state, ago(state, days=400))


def _compilers(state: DemoState) -> None:
    """A model that was compiled for the edge, and one that was quantized."""
    compiled = {
        "CompilationJobName": "churn-edge-neo",
        "CompilationJobArn": arn(PROD, "compilation-job/churn-edge-neo"),
        "CompilationJobStatus": "COMPLETED",
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        "CreationTime": ago(state, days=140),
        "LastModifiedTime": ago(state, days=140),
        "FailureReason": "",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://larkspur-churn-data/compiled/model-ml_c5.tar.gz"},
        "RoleArn": role("ml-training"),
        "InputConfig": {
            "S3Uri": "s3://larkspur-churn-data/models/churn-v6/model.tar.gz",
            "Framework": "XGBOOST",
        },
        "OutputConfig": {"S3OutputLocation": "s3://larkspur-churn-data/compiled/", "TargetDevice": "ml_c5"},
    }
    state.add("CompilationJob", PROD, compiled, tags("churn"))
    optimized = {
        "OptimizationJobName": "chat-quantized",
        "OptimizationJobArn": arn(LAB, "optimization-job/chat-quantized"),
        "OptimizationJobStatus": "COMPLETED",
        "CreationTime": ago(state, days=25),
        "LastModifiedTime": ago(state, days=25),
        "ModelSource": {"SageMakerModel": {"ModelName": "llm-chat-jumpstart"}},
        "DeploymentInstanceType": "ml.g6.12xlarge",
        "OptimizationConfigs": [
            {"ModelQuantizationConfig": {"OverrideEnvironment": {"OPTION_QUANTIZE": "awq"}}}
        ],
        "OutputConfig": {"S3OutputLocation": "s3://larkspur-research-data/quantized/"},
        "RoleArn": role("ml-research"),
        "StoppingCondition": {"MaxRuntimeInSeconds": 7200},
    }
    state.add("OptimizationJob", LAB, optimized, tags("research", "sandbox"))


def _benchmarks(state: DemoState, moment: datetime) -> None:
    name = "demand-forecast-launch"
    summary: Document = {
        "AIBenchmarkJobName": name,
        "AIBenchmarkJobArn": arn(PROD, f"ai-benchmark-job/{name}"),
        "AIBenchmarkJobStatus": "Completed",
        "CreationTime": moment,
        "EndTime": moment,
        "AIWorkloadConfigName": "forecasts",
    }
    state.answer("sagemaker:ListAIBenchmarkJobs", {"AIBenchmarkJobs": [summary]}, region=PROD)
    state.answer("sagemaker:ListAIBenchmarkJobs", {"AIBenchmarkJobs": []}, region=LAB)
    details = {
        **{key: value for key, value in summary.items() if key != "AIWorkloadConfigName"},
        "AIWorkloadConfigIdentifier": "forecasts",
        "BenchmarkTarget": {"Endpoint": {"Identifier": "demand-forecast"}},
        "OutputConfig": {"S3OutputLocation": "s3://larkspur-demand-forecasts/benchmarks/"},
        "RoleArn": role("ml-inference"),
    }
    state.answer("sagemaker:DescribeAIBenchmarkJob", details, region=PROD, when={"AIBenchmarkJobName": name})


def fill(state: DemoState) -> None:
    """Add them to the account."""
    for seed in (_tickets, _small, _queue, _serverless, _component, _zones, _limits, _tests, _compilers):
        seed(state)
