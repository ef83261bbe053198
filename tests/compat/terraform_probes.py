"""What Terraform's AWS provider asks of `aws_s3_bucket` and `aws_s3_object` while it creates, refreshes and destroys them."""

import os

import boto3
from botocore.exceptions import ClientError

from compat import FILES, check, equal, run

BUCKET = "compat-terraform"
s3 = boto3.client("s3")


def error(call, **kwargs):
    """The error code of a call, or its answer."""
    try:
        return call(**kwargs)
    except ClientError as failure:
        return failure.response["Error"]["Code"]


# The reads of a refresh in the provider's order, and what AWS says of a bucket that was only just made.
READS = [
    ("get_bucket_policy", "NoSuchBucketPolicy"),
    ("get_bucket_acl", "Grants"),
    ("get_bucket_cors", "NoSuchCORSConfiguration"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration"),
    ("get_bucket_versioning", None),
    ("get_bucket_accelerate_configuration", None),
    ("get_bucket_request_payment", "Payer"),
    ("get_bucket_logging", None),
    ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
    ("get_bucket_encryption", ("ServerSideEncryptionConfigurationNotFoundError", "ServerSideEncryptionConfiguration")),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ("get_bucket_location", "LocationConstraint"),
    ("get_bucket_tagging", "NoSuchTagSet"),
    ("get_bucket_notification_configuration", None),
    ("get_public_access_block", ("NoSuchPublicAccessBlockConfiguration", "PublicAccessBlockConfiguration")),
    ("get_bucket_ownership_controls", ("OwnershipControlsNotFoundError", "OwnershipControls")),
    ("get_bucket_policy_status", ("NoSuchBucketPolicy", "PolicyStatus")),
]


@check("plan: the bucket is not there yet")
def _():
    equal(error(s3.head_bucket, Bucket=BUCKET), "404", "HEAD")


@check("apply: create, and wait for it")
def _():
    s3.create_bucket(Bucket=BUCKET)
    s3.get_waiter("bucket_exists").wait(Bucket=BUCKET)
    equal(s3.head_bucket(Bucket=BUCKET)["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region"), "us-east-1", "region")


@check("refresh: each probe of a bucket says that nothing is configured, as AWS does")
def _():
    wrong = []
    for name, expected in READS:
        answer = error(getattr(s3, name), Bucket=BUCKET)
        allowed = expected if isinstance(expected, tuple) else (expected,)
        if isinstance(answer, str):
            right = answer in allowed
        else:
            fields = set(answer) - {"ResponseMetadata"}
            right = (expected is None and not fields) or bool(fields & set(allowed))
        if not right:
            wrong.append(f"{name}: {answer}")
    equal(wrong, [], "wrong answers")


@check("refresh: the same probes of a missing bucket say NoSuchBucket")
def _():
    wrong = [name for name, _ in READS if error(getattr(s3, name), Bucket="compat-nobody-made-this") != "NoSuchBucket"]
    equal(wrong, [], "wrong answers")


@check("apply: what cannot be configured is refused, not ignored")
def _():
    configuration = {"Status": "Enabled"}
    equal(error(s3.put_bucket_versioning, Bucket=BUCKET, VersioningConfiguration=configuration), "NotImplemented", "versioning")
    assert "Status" not in s3.get_bucket_versioning(Bucket=BUCKET)


@check("apply: lifecycle rules settle on the minimum size that the provider waits for")
def _():
    rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}
    s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, TransitionDefaultMinimumObjectSize="all_storage_classes_128K", LifecycleConfiguration={"Rules": [rule]}
    )
    answer = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)
    equal((answer["Rules"], answer["TransitionDefaultMinimumObjectSize"]), ([rule], "all_storage_classes_128K"), "rules")
    s3.delete_bucket_lifecycle(Bucket=BUCKET)


@check("apply and refresh an object")
def _():
    with open(os.path.join(FILES, "small.txt"), "rb") as file:
        s3.put_object(Bucket=BUCKET, Key="state/terraform.tfstate", Body=file, ContentType="application/json", ACL="private")
    head = s3.head_object(Bucket=BUCKET, Key="state/terraform.tfstate", ChecksumMode="ENABLED")
    equal((head["ContentLength"], head["ContentType"]), (13, "application/json"), "object")


@check("the S3 state backend with its lock file")
def _():
    lock = {"Bucket": BUCKET, "Key": "state/terraform.tfstate.tflock"}
    s3.put_object(**lock, Body=b'{"ID":"1"}', ContentType="application/json", IfNoneMatch="*")
    equal(error(s3.put_object, **lock, Body=b'{"ID":"2"}', IfNoneMatch="*"), "PreconditionFailed", "a second lock")
    equal(s3.get_object(**lock)["Body"].read(), b'{"ID":"1"}', "the lock")
    s3.delete_object(**lock)
    s3.put_object(**lock, Body=b'{"ID":"2"}', IfNoneMatch="*")
    s3.delete_object(**lock)


@check("destroy: force_destroy deletes every version, then the bucket")
def _():
    equal(error(s3.delete_bucket, Bucket=BUCKET), "BucketNotEmpty", "destroy")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        objects = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]
        gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects, "Quiet": True})
        equal(gone.get("Errors"), None, "errors")
    s3.delete_bucket(Bucket=BUCKET)
    s3.get_waiter("bucket_not_exists").wait(Bucket=BUCKET)


run()
