"""S3 URIs: `s3://bucket/key`, as SageMaker names data and artifacts."""


def bucket_and_key(uri: str) -> tuple[str, str] | None:
    """The bucket and the key (or prefix) of a URI; `None` for what is no S3 URI with a bucket."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return (bucket, key) if scheme.lower() == "s3" and bucket else None


def buckets_in(*uris: str | None) -> frozenset[str]:
    """The buckets that some URIs name; an unset or foreign URI names none."""
    parsed = [bucket_and_key(uri) for uri in uris if uri]
    return frozenset(found[0] for found in parsed if found)
