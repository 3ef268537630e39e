"""SageMaker: one module per family, its views first and the collector that fills them right below."""
