"""S3 on the emulator keeps what deployments and backups put there, as AWS's does."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def s3(emulator: RunningEmulator) -> Any:
    return emulator.client("s3")


@pytest.fixture
def bucket(s3: Any, name: str) -> str:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


def refused(call: Any, **given: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refusal:
        call(**given)
    answer: Any = refusal.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.aws(
    "S3",
    "PutObject",
    "With If-None-Match * only the first write of a key is taken, with If-Match only one that has seen what is there; else it is PreconditionFailed.",  # noqa: E501
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
)
def test_a_conditional_write_is_taken_once(s3: Any, bucket: str) -> None:
    given = {"Bucket": bucket, "Key": "state"}
    first = s3.put_object(**given, Body=b"1", IfNoneMatch="*")["ETag"]

    assert refused(s3.put_object, **given, Body=b"2", IfNoneMatch="*") == (
        "PreconditionFailed",
        412,
    )
    s3.put_object(**given, Body=b"3", IfMatch=first)
    assert refused(s3.put_object, **given, Body=b"4", IfMatch=first) == ("PreconditionFailed", 412)
    assert s3.get_object(**given)["Body"].read() == b"3"


@pytest.mark.aws(
    "S3",
    "PutObject",
    "With If-Match on a key that is not there it is NoSuchKey.",
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
)
def test_a_write_over_nothing_is_refused(s3: Any, bucket: str) -> None:
    given = {"Bucket": bucket, "Key": "none", "Body": b"1", "IfMatch": '"' + "0" * 32 + '"'}

    assert refused(s3.put_object, **given) == ("NoSuchKey", 404)


@pytest.mark.aws(
    "S3",
    "GetObject, HeadObject, DeleteObject",
    "A missing object is NoSuchKey or NoSuchBucket (404 at a HEAD); deleting it succeeds.",
    "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
)
def test_a_missing_object_is_named(s3: Any, bucket: str) -> None:
    given = {"Bucket": bucket, "Key": "none"}

    assert refused(s3.get_object, **given) == ("NoSuchKey", 404)
    assert refused(s3.head_object, **given) == ("404", 404)
    assert refused(s3.get_object, Bucket=f"{bucket}-none", Key="x") == ("NoSuchBucket", 404)
    assert s3.delete_object(**given)["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.aws(
    "S3",
    "CreateBucket, DeleteBucket",
    "One's own again is BucketAlreadyOwnedByYou; one that is not empty, BucketNotEmpty.",
    "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
)
def test_a_bucket_is_made_once_and_deleted_empty(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    where = {"LocationConstraint": "eu-west-1"}

    made = refused(s3.create_bucket, Bucket=bucket, CreateBucketConfiguration=where)

    assert made == ("BucketAlreadyOwnedByYou", 409)
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
