"""Endpoints of the demo account: one as it should be, one for each way to go wrong, and those apart."""

from auditor.demo.company import (
    KEYS,
    LAB,
    PROD,
    ago,
    arn,
    network,
    role,
    tags,
)
from auditor.demo.hosting import Load, capture, capture_config, config, endpoint, live, observe, variant
from auditor.demo.shapes import Document
from auditor.demo.state import DemoState, Series


def _good_endpoint(state: DemoState) -> None:
    config(
        state,
        PROD,
        "churn-realtime-7",
        19,
        [variant("AllTraffic", "churn-realtime-v7", "ml.c7i.xlarge", 2)],
        KmsKeyId=KEYS["data"],
        DataCaptureConfig=capture_config(20, KmsKeyId=KEYS["data"]),
    )
    endpoint(
        state,
        PROD,
        "churn-realtime",
        340,
        modified=19,
        config_name="churn-realtime-7",
        running=[live("AllTraffic", 3)],
        held=tags("churn", latency_slo_ms="150"),
        DataCaptureConfig=capture("Started", 20, KmsKeyId=KEYS["data"]),
        LastDeploymentConfig={
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 600,
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30},
                },
                "TerminationWaitInSeconds": 600,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-realtime-5xx"}]},
        },
    )
    day = (400, 300, 260, 240, 260, 400, 900, 1800, 2600, 2900, 3000, 2900)
    load = Load(hourly=day + day[::-1], cpu=210, memory=48, latency=(38, 84), errors=0.0004)
    observe(state, PROD, "churn-realtime", "AllTraffic", load)


def _saturated(state: DemoState) -> None:
    """One busy instance under another variant name, changed all at once, with errors and no one to tell."""
    config(state, PROD, "fraud-scoring-3", 12, [variant("blue", "fraud-scoring-v3", "ml.c7i.xlarge", 1)])
    endpoint(
        state,
        PROD,
        "fraud-scoring",
        200,
        modified=12,
        config_name="fraud-scoring-3",
        running=[live("blue", 1)],
        held=tags("fraud", latency_slo_ms="50"),
        LastDeploymentConfig={
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
            }
        },
    )
    load = Load(hourly=(1400, 1500, 1600, 1500), cpu=396, memory=71, latency=(44, 210), errors=0.031)
    observe(state, PROD, "fraud-scoring", "blue", load)


def _gpu(state: DemoState) -> None:
    """A GPU that ranks a little, scaled between two and two, on an instance type with its own encrypted disk."""
    config(
        state,
        PROD,
        "search-ranking-12",
        31,
        [variant("ranker", "search-ranker-v12", "ml.g6.xlarge", 2)],
        DataCaptureConfig=capture_config(5),
    )
    endpoint(
        state,
        PROD,
        "search-ranking",
        150,
        modified=31,
        config_name="search-ranking-12",
        running=[live("ranker", 2)],
        held=tags("search"),
        DataCaptureConfig=capture("Stopped", 0),
        LastDeploymentConfig={
            "RollingUpdatePolicy": {
                "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                "WaitIntervalInSeconds": 300,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "search-ranking-rollback"}]},
        },
    )
    load = Load(hourly=(500, 900, 700), cpu=60, memory=26, gpu=6, gpu_memory=14, latency=(22, 41))
    observe(state, PROD, "search-ranking", "ranker", load)
    config(
        state,
        PROD,
        "search-embedding-4",
        60,
        [variant("embedder", "search-ranker-v12", "ml.g6.xlarge", 2)],
        KmsKeyId=KEYS["data"],
    )
    endpoint(
        state,
        PROD,
        "search-embedding",
        60,
        config_name="search-embedding-4",
        running=[live("embedder", 2)],
        held=tags("search"),
    )
    busy = Load(hourly=(4000, 9000, 7000), cpu=120, memory=44, gpu=71, gpu_memory=66, latency=(9, 18))
    observe(state, PROD, "search-embedding", "embedder", busy)


def _oversized(state: DemoState) -> None:
    config(
        state,
        PROD,
        "demand-forecast-2",
        58,
        [variant("AllTraffic", "demand-forecast-v2", "ml.m7i.4xlarge", 4)],
        KmsKeyId=KEYS["legacy"],
    )
    endpoint(
        state,
        PROD,
        "demand-forecast",
        58,
        config_name="demand-forecast-2",
        running=[live("AllTraffic", 4)],
        held=tags("demand"),
        FailureReason="The update to configuration demand-forecast-3 failed: the image could not be pulled.",
    )
    load = Load(hourly=(40, 60, 90, 60), cpu=110, memory=9, latency=(60, 95))
    observe(state, PROD, "demand-forecast", "AllTraffic", load)


def _idle(state: DemoState) -> None:
    """Nobody has called the old churn model for weeks; its hosts still report."""
    config(state, PROD, "churn-legacy-1", 400, [variant("AllTraffic", "churn-legacy-v1", "ml.m4.xlarge", 2)])
    endpoint(
        state,
        PROD,
        "churn-legacy",
        400,
        config_name="churn-legacy-1",
        running=[live("AllTraffic", 2)],
        held={"Env": "prod", "Owner": "", "Project": "churn"},
    )
    observe(state, PROD, "churn-legacy", "AllTraffic", Load())


def _special(state: DemoState) -> None:
    """What must not be judged like an endpoint on instances: serverless, asynchronous, many models, components."""
    serverless = {"MemorySizeInMB": 4096, "MaxConcurrency": 10}
    held = {"VariantName": "AllTraffic", "ModelName": "fraud-serverless-v1", "ServerlessConfig": serverless}
    config(state, PROD, "fraud-light-1", 49, [{**held, "InitialVariantWeight": 1.0}])
    endpoint(
        state,
        PROD,
        "fraud-light",
        49,
        config_name="fraud-light-1",
        running=[{"VariantName": "AllTraffic", "CurrentWeight": 1.0, "CurrentServerlessConfig": serverless}],
        held=tags("fraud"),
    )
    asynchronous = {"OutputConfig": {"S3OutputPath": "s3://sagemaker-eu-west-1-123456789012/ocr-results/"}}
    config(
        state,
        PROD,
        "document-ocr-2",
        47,
        [variant("AllTraffic", "document-ocr-v2", "ml.g6.xlarge", 1)],
        AsyncInferenceConfig=asynchronous,
    )
    endpoint(
        state,
        PROD,
        "document-ocr",
        47,
        config_name="document-ocr-2",
        running=[live("AllTraffic", 0)],
        held=tags("fraud"),
        AsyncInferenceConfig=asynchronous,
    )
    backlog = Series(ago(state, days=14), state.now, 3600, ((0.0, 12.0), (3.0, 12.0)))
    state.metric(PROD, "AWS/SageMaker", "ApproximateBacklogSize", {"EndpointName": "document-ocr"}, backlog)
    config(
        state,
        PROD,
        "search-markets-1",
        88,
        [variant("AllTraffic", "search-markets", "ml.m7i.2xlarge", 2)],
        KmsKeyId=KEYS["data"],
    )
    endpoint(
        state,
        PROD,
        "search-markets",
        88,
        config_name="search-markets-1",
        running=[live("AllTraffic", 2)],
        held=tags("search"),
    )
    load = Load(hourly=(300, 500), cpu=330, memory=55)
    observe(state, PROD, "search-markets", "AllTraffic", load)
    _components(state)


def _components(state: DemoState) -> None:
    managed = {"Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 4}
    held: Document = {
        "VariantName": "shared",
        "InstanceType": "ml.g6.12xlarge",
        "InitialInstanceCount": 2,
        "ManagedInstanceScaling": managed,
    }
    config(
        state,
        PROD,
        "ranker-shared-1",
        24,
        [held],
        ExecutionRoleArn=role("ml-inference"),
        VpcConfig=network(PROD),
        EnableNetworkIsolation=True,
    )
    endpoint(
        state,
        PROD,
        "ranker-shared",
        24,
        config_name="ranker-shared-1",
        running=[live("shared", 2, ManagedInstanceScaling=managed)],
        held=tags("search"),
    )
    for name in ("ranker-en", "ranker-de"):
        document = {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn(PROD, f"inference-component/{name}"),
            "EndpointName": "ranker-shared",
            "EndpointArn": arn(PROD, "endpoint/ranker-shared"),
            "VariantName": "shared",
            "InferenceComponentStatus": "InService",
            "Specification": {
                "ModelName": "ranker-component-model",
                "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 8192},
            },
            "RuntimeConfig": {"DesiredCopyCount": 2, "CurrentCopyCount": 2},
            "CreationTime": ago(state, days=24),
            "LastModifiedTime": ago(state, days=24),
        }
        state.add("InferenceComponent", PROD, document, tags("search"))
        calls = Series(ago(state, days=14), state.now, 3600, ((1.0, 800.0), (1.0, 1200.0)))
        state.metric(PROD, "AWS/SageMaker", "Invocations", {"InferenceComponentName": name}, calls)


def _others(state: DemoState) -> None:
    """A failed one, a laboratory's demo, a standby and one that nobody tagged; and configurations without one."""
    config(
        state,
        PROD,
        "churn-candidate-8",
        1,
        [variant("AllTraffic", "churn-candidate-v8", "ml.c7i.xlarge", 2)],
        KmsKeyId=KEYS["data"],
    )
    endpoint(
        state,
        PROD,
        "churn-candidate",
        1,
        config_name="churn-candidate-8",
        running=[live("AllTraffic", 0)],
        status="Failed",
        held=tags("churn", "staging"),
        FailureReason="The primary container did not pass the ping health check.",
    )
    for number in (1, 2, 3, 4):
        gone = [variant("AllTraffic", f"retired-ranker-v{number}", "ml.m5.xlarge", 1)]
        config(state, PROD, f"retired-ranker-{number}", 320 - 20 * number, gone)
    config(
        state, PROD, "churn-realtime-1", 200, [variant("AllTraffic", "churn-legacy-v1", "ml.m5.xlarge", 1)]
    )
    config(
        state, PROD, "churn-realtime-8", 3, [variant("AllTraffic", "churn-candidate-v8", "ml.c7i.xlarge", 2)]
    )
    config(
        state,
        LAB,
        "llm-chat-1",
        21,
        [variant("AllTraffic", "llm-chat-jumpstart", "ml.g6.12xlarge", 1)],
    )
    endpoint(
        state,
        LAB,
        "llm-chat",
        21,
        config_name="llm-chat-1",
        running=[live("AllTraffic", 1)],
        held=tags("research", "sandbox"),
    )
    load = Load(hourly=(20, 4, 0), cpu=90, memory=40, gpu=2, gpu_memory=380)
    observe(state, LAB, "llm-chat", "AllTraffic", load)
    config(state, LAB, "nlp-standby-2", 205, [variant("AllTraffic", "nlp-standby-v2", "ml.m7i.large", 1)])
    endpoint(
        state,
        LAB,
        "nlp-standby",
        205,
        config_name="nlp-standby-2",
        running=[live("AllTraffic", 1)],
        held=tags("research", dr_standby="eu-west-1"),
    )
    observe(state, LAB, "nlp-standby", "AllTraffic", Load())
    config(state, LAB, "ner-1", 149, [variant("main", "ner-v1", "ml.t2.medium", 1)])
    endpoint(state, LAB, "ner", 149, config_name="ner-1", running=[live("main", 1)])
    load = Load(hourly=(12, 9, 4), cpu=22, memory=37)
    observe(state, LAB, "ner", "main", load)


def fill(state: DemoState) -> None:
    """Add the endpoints with their configurations and metrics."""
    for seed in (_good_endpoint, _saturated, _gpu, _oversized, _idle, _special, _others):
        seed(state)
