"""boto3: the transfer manager, streams, ranges, paginators, conditions, checksums and presigned URLs, all at default settings."""

import base64
import concurrent.futures
import datetime
import hashlib
import io
import os
import socket
import ssl
import urllib.error
import urllib.request
import zlib

import boto3
import botocore.client
from botocore.exceptions import ClientError

from compat import ENDPOINT, FILES, check, equal, run

BUCKET = "compat-boto3"
BIG = os.path.join(FILES, "big.bin")
MIB = 1024 * 1024
s3 = boto3.client("s3")
with open(BIG, "rb") as file:
    BIG_BYTES = file.read()


def code(call, *args, **kwargs):
    """The error code that a call must raise."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call} should have failed")


def fetch(request):
    """What a plain HTTP client gets: status, headers and body. It trusts the same authority as boto3."""
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@check("a bucket is made, found and listed")
def _():
    s3.create_bucket(Bucket=BUCKET)
    s3.get_waiter("bucket_exists").wait(Bucket=BUCKET)
    assert BUCKET in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    equal(s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"], None, "location")
    equal(code(s3.head_bucket, Bucket="compat-nobody-made-this"), "404", "code of a missing bucket")


@check("put_object and get_object keep body, headers and metadata")
def _():
    expires = datetime.datetime(2031, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
    headers = {
        "ContentType": "text/x; charset=utf-8",
        "CacheControl": "no-store",
        "ContentDisposition": "inline",
        "ContentEncoding": "identity",
        "ContentLanguage": "en, de",
    }
    put = s3.put_object(Bucket=BUCKET, Key="full", Body=b"body", Expires=expires, Metadata={"a": "1", "b-c": "x  y"}, **headers)
    got = s3.get_object(Bucket=BUCKET, Key="full")
    equal(got["Body"].read(), b"body", "body")
    equal({name: got[name] for name in headers}, headers, "headers")
    equal(got["ETag"], '"' + hashlib.md5(b"body").hexdigest() + '"', "ETag")
    equal(put["ETag"], got["ETag"], "ETag of PUT")
    equal(got["Metadata"]["a"], "1", "metadata")
    head = s3.head_object(Bucket=BUCKET, Key="full")
    equal(head["ContentLength"], 4, "length")
    assert "2031" in str(head.get("ExpiresString") or head.get("Expires"))


@check("by default a CRC32 goes up, is stored, and is verified when it comes back")
def _():
    put = s3.put_object(Bucket=BUCKET, Key="default-sum", Body=b"sum me")
    assert put.get("ChecksumCRC32"), put
    got = s3.get_object(Bucket=BUCKET, Key="default-sum")
    assert got.get("ChecksumCRC32") == put["ChecksumCRC32"], got
    # Reading to the end makes botocore compare it.
    equal(got["Body"].read(), b"sum me", "body")


@check("every checksum algorithm, with a right and a wrong value")
def _():
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
        field = f"Checksum{algorithm}"
        put = s3.put_object(Bucket=BUCKET, Key=f"sum/{algorithm}", Body=io.BytesIO(BIG_BYTES[:100_000]), ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=BUCKET, Key=f"sum/{algorithm}", ChecksumMode="ENABLED")
        equal(head[field], put[field], field)
        equal(head["ChecksumType"], "FULL_OBJECT", "type")
        got = s3.get_object(Bucket=BUCKET, Key=f"sum/{algorithm}", ChecksumMode="ENABLED")
        equal(got["Body"].read(), BIG_BYTES[:100_000], "body")
        other = s3.put_object(Bucket=BUCKET, Key="sum/other", Body=b"other", ChecksumAlgorithm=algorithm)[field]
        refused = code(s3.put_object, Bucket=BUCKET, Key="sum/wrong", Body=b"body", **{field: other})
        equal(refused, "BadDigest", f"code of a wrong {algorithm}")
    equal(code(s3.head_object, Bucket=BUCKET, Key="sum/wrong"), "404", "code of what was refused")
    crc = zlib.crc32(BIG_BYTES[:100_000]).to_bytes(4, "big")
    equal(base64.b64decode(s3.head_object(Bucket=BUCKET, Key="sum/CRC32", ChecksumMode="ENABLED")["ChecksumCRC32"]), crc, "CRC32")


@check("upload_file and download_file of 30 MiB, in parts")
def _():
    s3.upload_file(BIG, BUCKET, "big", ExtraArgs={"Metadata": {"m": "v"}, "ContentType": "video/x"})
    s3.download_file(BUCKET, "big", "big.back")
    with open("big.back", "rb") as file:
        equal(hashlib.sha256(file.read()).digest(), hashlib.sha256(BIG_BYTES).digest(), "sha256")
    head = s3.head_object(Bucket=BUCKET, Key="big", ChecksumMode="ENABLED")
    digests = b"".join(hashlib.md5(BIG_BYTES[at : at + 8 * MIB]).digest() for at in range(0, len(BIG_BYTES), 8 * MIB))
    equal(head["ETag"], f'"{hashlib.md5(digests).hexdigest()}-4"', "ETag")
    equal((head["ContentLength"], head["Metadata"], head["ContentType"]), (30 * MIB, {"m": "v"}, "video/x"), "head")
    equal(head.get("ChecksumType"), "FULL_OBJECT" if "ChecksumCRC64NVME" in head else "COMPOSITE", "type of the checksum")
    equal(s3.list_objects_v2(Bucket=BUCKET, Prefix="big")["Contents"][0]["ETag"], head["ETag"], "ETag in the listing")


@check("upload_fileobj of a stream that cannot seek, and download_fileobj")
def _():
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.inner = io.BytesIO(BIG_BYTES)

        def readable(self):
            return True

        def read(self, size=-1):
            return self.inner.read(size)

    s3.upload_fileobj(Pipe(), BUCKET, "piped")
    target = io.BytesIO()
    s3.download_fileobj(BUCKET, "piped", target)
    assert target.getvalue() == BIG_BYTES
    with open(BIG, "rb") as file:
        s3.put_object(Bucket=BUCKET, Key="streamed", Body=file)
    body = s3.get_object(Bucket=BUCKET, Key="streamed")["Body"]
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(65536):
        digest.update(chunk)
    equal(digest.digest(), hashlib.sha256(BIG_BYTES).digest(), "sha256")


@check("a multipart upload with part checksums, parts listed, copied and completed twice")
def _():
    for algorithm, kind in (("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE"), ("CRC32C", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT")):
        field, key = f"Checksum{algorithm}", f"parts/{algorithm}"
        made = s3.create_multipart_upload(Bucket=BUCKET, Key=key, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        upload = made["UploadId"]
        equal((made.get("ChecksumAlgorithm"), made.get("ChecksumType")), (algorithm, kind), "what was begun")
        parts = []
        for number in (1, 2):
            body = BIG_BYTES[(number - 1) * 6 * MIB : number * 6 * MIB]
            part = s3.upload_part(
                Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm
            )
            parts.append({"PartNumber": number, "ETag": part["ETag"], field: part[field]})
        copied = s3.upload_part_copy(
            Bucket=BUCKET,
            Key=key,
            UploadId=upload,
            PartNumber=3,
            CopySource={"Bucket": BUCKET, "Key": "big"},
            CopySourceRange=f"bytes={12 * MIB}-{13 * MIB - 1}",
        )["CopyPartResult"]
        parts.append({"PartNumber": 3, "ETag": copied["ETag"], **({field: copied[field]} if field in copied else {})})
        pages = s3.get_paginator("list_parts").paginate(Bucket=BUCKET, Key=key, UploadId=upload, PaginationConfig={"PageSize": 2})
        listed = [part for page in pages for part in page["Parts"]]
        equal([part["Size"] for part in listed], [6 * MIB, 6 * MIB, MIB], "sizes of the parts")
        equal([part["ETag"] for part in listed], [part["ETag"] for part in parts], "ETags of the parts")
        arguments = {"Bucket": BUCKET, "Key": key, "UploadId": upload, "MultipartUpload": {"Parts": parts}}
        done = s3.complete_multipart_upload(**arguments)
        equal(s3.complete_multipart_upload(**arguments)["ETag"], done["ETag"], "ETag of the repeated completion")
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        equal((head["ETag"], head[field], head["ChecksumType"]), (done["ETag"], done[field], kind), f"HEAD of {algorithm}")
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == BIG_BYTES[: 13 * MIB]
    equal(s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []), [], "uploads left")


@check("the errors of a multipart upload")
def _():
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="bad")["UploadId"]
    arguments = {"Bucket": BUCKET, "Key": "bad", "UploadId": upload}
    etags = [s3.upload_part(**arguments, PartNumber=n, Body=b"too small")["ETag"] for n in (1, 2)]
    listed = [{"PartNumber": n + 1, "ETag": etag} for n, etag in enumerate(etags)]

    def complete(parts):
        return code(s3.complete_multipart_upload, **arguments, MultipartUpload={"Parts": parts})

    equal(complete(listed), "EntityTooSmall", "small parts")
    equal(complete(listed[::-1]), "InvalidPartOrder", "wrong order")
    equal(complete([{"PartNumber": 9, "ETag": etags[0]}]), "InvalidPart", "a part that is not there")
    equal(complete([{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}]), "InvalidPart", "another ETag")
    s3.abort_multipart_upload(**arguments)
    equal(code(s3.upload_part, **arguments, PartNumber=1, Body=b"x"), "NoSuchUpload", "a part after the abort")
    equal(code(s3.list_parts, **arguments), "NoSuchUpload", "the list after the abort")
    equal(code(s3.complete_multipart_upload, Bucket=BUCKET, Key="bad", UploadId="nonsense"), "MalformedXML", "an empty list")


@check("ranged reads")
def _():
    for text, start, end in (("bytes=0-0", 0, 1), ("bytes=8388600-8388620", 8388600, 8388621), ("bytes=-5", -5, None), ("bytes=31457000-", 31457000, None)):
        got = s3.get_object(Bucket=BUCKET, Key="big", Range=text)
        equal(got["Body"].read(), BIG_BYTES[start:end], text)
        equal(got["ResponseMetadata"]["HTTPStatusCode"], 206, "status")
        assert got["ContentRange"].endswith("/31457280"), got["ContentRange"]
    equal(code(s3.get_object, Bucket=BUCKET, Key="big", Range="bytes=31457280-"), "InvalidRange", "code")


@check("keys that clients, signers and XML treat in different ways")
def _():
    keys = ["a b", "a+b", "a%20b", "ü/日本/😀", "q?x=1&y#f", "it's \"quoted\"", "<&>", "back\\slash", "tilde~", "a//b", "/lead", "trail/"]
    keys += ["line\nbreak", "tab\there", "\x01\x1f\x7f", "dot/./dot", "dot/../dot", "x" * 1024, "((!*'()", "a:b@c=d;e,f", "%", "%zz"]
    keys += ["é", "e\u0301", "same", "same/under"]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key="odd/"[: 1024 - len(key.encode())] + key, Body=key.encode())
    names = ["odd/"[: 1024 - len(key.encode())] + key for key in keys]
    for name, key in zip(names, keys):
        equal(s3.get_object(Bucket=BUCKET, Key=name)["Body"].read(), key.encode(), name)
        s3.copy_object(Bucket=BUCKET, Key="odd-copy", CopySource={"Bucket": BUCKET, "Key": name})
        equal(s3.get_object(Bucket=BUCKET, Key="odd-copy")["Body"].read(), key.encode(), f"copy of {name}")
    for operation in ("list_objects_v2", "list_objects", "list_object_versions"):
        pages = s3.get_paginator(operation).paginate(Bucket=BUCKET, Prefix="odd/", PaginationConfig={"PageSize": 4})
        listed = [entry["Key"] for page in pages for entry in page.get("Contents", []) + page.get("Versions", [])]
        equal(listed, sorted((n for n in names if n.startswith("odd/")), key=str.encode), operation)
    # The answer of DeleteObjects names the keys, and neither AWS's nor any other XML of version 1.0 can name these to boto3.
    unspeakable = [name for name in names if "\x01" in name]
    for name in unspeakable:
        s3.delete_object(Bucket=BUCKET, Key=name)
    gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": name} for name in names if name not in unspeakable]})
    equal((len(gone["Deleted"]), gone.get("Errors")), (len(names) - len(unspeakable), None), "deleted")
    equal(s3.list_objects_v2(Bucket=BUCKET, Prefix="odd/")["KeyCount"], 0, "keys left")


@check("paginators over 1,100 keys, with a delimiter and without")
def _():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=BUCKET, Key=f"many/{n % 11:02}/{n:05}"), range(1100)))
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="many/"))
    equal([page["KeyCount"] for page in pages], [1000, 100], "pages")
    equal(len({entry["Key"] for page in pages for entry in page["Contents"]}), 1100, "keys")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="many/", Delimiter="/", PaginationConfig={"PageSize": 4})
    prefixes = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])]
    equal(prefixes, [f"many/{n:02}/" for n in range(11)], "prefixes")
    bucket = boto3.resource("s3").Bucket(BUCKET)
    equal(sum(1 for _ in bucket.objects.filter(Prefix="many/")), 1100, "keys of the resource")
    bucket.objects.filter(Prefix="many/").delete()
    equal(sum(1 for _ in bucket.objects.filter(Prefix="many/")), 0, "keys left")


@check("conditional writes: of 16 at once exactly one wins")
def _():
    def attempt(n):
        try:
            return s3.put_object(Bucket=BUCKET, Key="once", Body=str(n).encode(), IfNoneMatch="*")["ETag"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(16)))
    winners = [a for a in answers if a.startswith('"')]
    equal(len(winners), 1, "winners")
    assert set(answers) - set(winners) <= {"PreconditionFailed", "ConditionalRequestConflict"}, answers
    s3.put_object(Bucket=BUCKET, Key="once", Body=b"next", IfMatch=winners[0])
    equal(code(s3.put_object, Bucket=BUCKET, Key="once", Body=b"x", IfMatch=winners[0]), "PreconditionFailed", "an old ETag")
    equal(code(s3.put_object, Bucket=BUCKET, Key="nobody", Body=b"x", IfMatch=winners[0]), "NoSuchKey", "a missing key")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="once")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="once", UploadId=upload, PartNumber=1, Body=b"part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    arguments = {"Bucket": BUCKET, "Key": "once", "UploadId": upload, "MultipartUpload": parts}
    equal(code(s3.complete_multipart_upload, **arguments, IfNoneMatch="*"), "PreconditionFailed", "completion")
    s3.abort_multipart_upload(Bucket=BUCKET, Key="once", UploadId=upload)


@check("conditional reads and copies")
def _():
    head = s3.head_object(Bucket=BUCKET, Key="big")
    equal(code(s3.get_object, Bucket=BUCKET, Key="big", IfNoneMatch=head["ETag"]), "304", "If-None-Match")
    equal(code(s3.get_object, Bucket=BUCKET, Key="big", IfModifiedSince=head["LastModified"]), "304", "If-Modified-Since")
    equal(code(s3.get_object, Bucket=BUCKET, Key="big", IfMatch='"other"'), "PreconditionFailed", "If-Match")
    earlier = head["LastModified"] - datetime.timedelta(days=1)
    equal(code(s3.get_object, Bucket=BUCKET, Key="big", IfUnmodifiedSince=earlier), "PreconditionFailed", "If-Unmodified-Since")
    source = {"Bucket": BUCKET, "Key": "big"}
    equal(code(s3.copy_object, Bucket=BUCKET, Key="c", CopySource=source, CopySourceIfMatch='"no"'), "PreconditionFailed", "copy")
    equal(code(s3.copy_object, Bucket=BUCKET, Key="big", CopySource=source), "InvalidRequest", "a copy onto itself")


@check("copy: metadata kept or replaced, in one request and by part")
def _():
    source = {"Bucket": BUCKET, "Key": "big"}
    s3.copy_object(Bucket=BUCKET, Key="copied", CopySource=source)
    equal(s3.head_object(Bucket=BUCKET, Key="copied")["Metadata"], {"m": "v"}, "metadata kept")
    s3.copy_object(Bucket=BUCKET, Key="copied", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "w"})
    equal(s3.head_object(Bucket=BUCKET, Key="copied")["Metadata"], {"n": "w"}, "metadata replaced")
    s3.copy(source, BUCKET, "copied-by-part")
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=8 * MIB)
    s3.copy(source, BUCKET, "copied-by-part", Config=config)
    head = s3.head_object(Bucket=BUCKET, Key="copied-by-part")
    assert head["ETag"].endswith('-4"'), head["ETag"]
    assert s3.get_object(Bucket=BUCKET, Key="copied-by-part")["Body"].read() == BIG_BYTES


@check("presigned GET, HEAD, PUT, DELETE and upload of a part")
def _():
    # For us-east-1 boto3 still presigns with signature version 2.
    signer = boto3.client("s3", region_name="eu-central-1")

    def sign(operation, expires=60, **parameters):
        return signer.generate_presigned_url(operation, Params={"Bucket": BUCKET, **parameters}, ExpiresIn=expires)

    def send(method, url, body=None, headers=None):
        return fetch(urllib.request.Request(url, data=body, method=method, headers=headers or {}))

    key = "pre signed/ü + &.txt"
    equal(send("PUT", sign("put_object", Key=key), b"signed")[0], 200, "PUT")
    status, headers, body = send("GET", sign("get_object", Key=key, ResponseContentType="text/y", ResponseContentDisposition="attachment"))
    equal((status, body, headers["Content-Type"], headers["Content-Disposition"]), (200, b"signed", "text/y", "attachment"), "GET")
    equal(send("HEAD", sign("head_object", Key=key))[0], 200, "HEAD")
    typed = sign("put_object", Key=key, ContentType="text/z", Metadata={"k": "v"})
    equal(send("PUT", typed, b"x", {"Content-Type": "text/other", "x-amz-meta-k": "v"})[0], 403, "PUT with another type")
    equal(send("PUT", typed, b"x", {"Content-Type": "text/z", "x-amz-meta-k": "v"})[0], 200, "PUT with the signed type")
    equal(send("GET", sign("put_object", Key=key))[0], 403, "GET of a URL for PUT")
    equal(send("DELETE", sign("delete_object", Key=key))[0], 204, "DELETE")
    equal(send("GET", sign("get_object", Key=key))[0], 404, "GET of what is gone")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="pre-parts")["UploadId"]
    status, headers, _ = send("PUT", sign("upload_part", Key="pre-parts", UploadId=upload, PartNumber=1), b"one part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": headers["ETag"]}]}
    s3.complete_multipart_upload(Bucket=BUCKET, Key="pre-parts", UploadId=upload, MultipartUpload=parts)
    equal(s3.get_object(Bucket=BUCKET, Key="pre-parts")["Body"].read(), b"one part", "body")


@check("virtual-hosted requests and presigned URLs")
def _():
    port = int(ENDPOINT.rsplit(":", 1)[1].rstrip("/"))
    scheme = ENDPOINT.split(":", 1)[0]
    resolve = socket.getaddrinfo

    def to_loopback(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if name and name.endswith("s3.test") else host, *args, **kwargs)

    socket.getaddrinfo = to_loopback
    try:
        config = botocore.client.Config(s3={"addressing_style": "virtual"})
        where = {"endpoint_url": f"{scheme}://s3.test:{port}", "config": config}
        virtual = boto3.client("s3", **where)
        seen = []
        virtual.meta.events.register("before-send.s3", lambda request, **_: seen.append(request.url))
        virtual.put_object(Bucket=BUCKET, Key="by host/ü + &.txt", Body=b"hosted")
        assert seen[0].startswith(f"{scheme}://{BUCKET}.s3.test:{port}/by"), seen
        equal(s3.get_object(Bucket=BUCKET, Key="by host/ü + &.txt")["Body"].read(), b"hosted", "by path")
        virtual.upload_file(BIG, BUCKET, "by host/big")
        equal(virtual.head_object(Bucket=BUCKET, Key="by host/big")["ContentLength"], 30 * MIB, "length")
        equal([e["Key"] for e in virtual.list_objects_v2(Bucket=BUCKET, Prefix="by host/")["Contents"]], ["by host/big", "by host/ü + &.txt"], "keys")
        signer = boto3.client("s3", region_name="eu-central-1", **where)
        url = signer.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "by host/ü + &.txt"})
        equal(fetch(urllib.request.Request(url))[2], b"hosted", "presigned")
        virtual.create_bucket(Bucket="compat-boto3-hosted")
        virtual.delete_bucket(Bucket="compat-boto3-hosted")
        assert BUCKET in [b["Name"] for b in virtual.list_buckets()["Buckets"]]
    finally:
        socket.getaddrinfo = resolve


@check("errors have the codes that waiters and retries look for")
def _():
    equal(code(s3.get_object, Bucket=BUCKET, Key="nothing"), "NoSuchKey", "a missing key")
    equal(code(s3.head_object, Bucket=BUCKET, Key="nothing"), "404", "HEAD of a missing key")
    equal(code(s3.get_object, Bucket="compat-nobody-made-this", Key="x"), "NoSuchBucket", "a missing bucket")
    equal(code(s3.list_objects_v2, Bucket="compat-nobody-made-this"), "NoSuchBucket", "a listing of a missing bucket")
    equal(code(s3.delete_bucket, Bucket=BUCKET), "BucketNotEmpty", "a full bucket")
    wrong = boto3.client("s3", aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    equal(code(wrong.list_buckets), "SignatureDoesNotMatch", "a wrong secret")
    unknown = boto3.client("s3", aws_secret_access_key="wrong", aws_access_key_id="AKIANOBODY")
    equal(code(unknown.list_buckets), "InvalidAccessKeyId", "an unknown key")
    equal(code(s3.put_object, Bucket=BUCKET, Key="m", Metadata={"big": "x" * 2100}), "MetadataTooLarge", "large metadata")
    equal(code(s3.put_object, Bucket=BUCKET, Key="k" * 1025), "KeyTooLongError", "a long key")


@check("tags, CORS rules and lifecycle rules of a bucket come back as they were put")
def _():
    tags = [{"Key": "team", "Value": "red"}, {"Key": "größe", "Value": ""}]
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": tags})
    equal(sorted(tag["Key"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]), ["größe", "team"], "tags")
    s3.delete_bucket_tagging(Bucket=BUCKET)
    equal(code(s3.get_bucket_tagging, Bucket=BUCKET), "NoSuchTagSet", "code without tags")
    rules = [{"ID": "web", "AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"],
              "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": rules})
    equal(s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"], rules, "CORS rules")
    rules = [
        {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}},
        {"ID": "both", "Status": "Disabled", "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
         "Expiration": {"Days": 1}},
        {"ID": "parts", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    equal(s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"], rules, "lifecycle rules")
    s3.delete_bucket_lifecycle(Bucket=BUCKET)
    moved = {"ID": "t", "Status": "Enabled", "Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}
    refused = code(s3.put_bucket_lifecycle_configuration, Bucket=BUCKET, LifecycleConfiguration={"Rules": [moved]})
    equal(refused, "NotImplemented", "code of a transition")


@check("a browser of an allowed origin reads the answers, and its preflight is answered")
def _():
    url = f"{ENDPOINT}/{BUCKET}/full"
    asked = {"Origin": "https://www.example.com", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-amz-date"}
    status, headers, _ = fetch(urllib.request.Request(url, method="OPTIONS", headers=asked))
    equal((status, headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Headers"]), (200, asked["Origin"], "x-amz-date"), "preflight")
    status, headers, _ = fetch(urllib.request.Request(url, headers={"Origin": asked["Origin"]}))
    equal((status, headers["Access-Control-Allow-Origin"], headers["Access-Control-Expose-Headers"]), (403, asked["Origin"], "ETag"), "an error")
    s3.delete_bucket_cors(Bucket=BUCKET)
    equal(fetch(urllib.request.Request(url, method="OPTIONS", headers=asked))[0], 403, "without rules")


@check("get_object_attributes and a part by its number, of an object that was uploaded in parts")
def _():
    told = s3.get_object_attributes(Bucket=BUCKET, Key="big", ObjectAttributes=["ETag", "ObjectParts", "ObjectSize", "Checksum"])
    equal((told["ObjectSize"], told["ObjectParts"]["TotalPartsCount"]), (30 * MIB, 4), "attributes")
    equal([part["Size"] for part in told["ObjectParts"]["Parts"]], [8 * MIB] * 3 + [6 * MIB], "sizes")
    part = s3.get_object(Bucket=BUCKET, Key="big", PartNumber=4, ChecksumMode="ENABLED")
    equal(part["PartsCount"], 4, "parts")
    equal(part["Body"].read(), BIG_BYTES[24 * MIB :], "the last part")
    equal(code(s3.get_object, Bucket=BUCKET, Key="big", PartNumber=5), "InvalidPartNumber", "code of a part too many")


@check("generate_presigned_post: a form uploads what its policy allows, and nothing else")
def _():
    fields = {"Content-Type": "text/plain", "success_action_status": "201"}
    conditions = [{"Content-Type": "text/plain"}, {"success_action_status": "201"}, ["content-length-range", 1, 100]]
    # For us-east-1 alone boto3 signs forms in version 2 by default, as it does URLs.
    signer = boto3.client("s3", config=botocore.client.Config(signature_version="s3v4"))
    post = signer.generate_presigned_post(BUCKET, "form/${filename}", Fields=fields, Conditions=conditions, ExpiresIn=60)

    def send(content, **changes):
        boundary = "compat-boundary"
        parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in {**post["fields"], **changes}.items()]
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n{content}\r\n--{boundary}--\r\n')
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return fetch(urllib.request.Request(post["url"], data="".join(parts).encode(), headers=headers))

    status, _, answer = send("from a form")
    equal(status, 201, f"status ({answer})")
    assert b"<Key>form/a.txt</Key>" in answer, answer
    got = s3.get_object(Bucket=BUCKET, Key="form/a.txt")
    equal((got["Body"].read(), got["ContentType"]), (b"from a form", "text/plain"), "the object")
    equal(send("x" * 101)[0], 400, "status of a file that is too large")
    equal(send("x", **{"Content-Type": "text/html"})[0], 403, "status of another type")
    equal(send("x", key="elsewhere/a")[0], 403, "status of another key")


@check("everything goes, and the bucket with it")
def _():
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.object_versions.delete()
    equal(list(bucket.objects.all()), [], "keys left")
    bucket.delete()
    s3.get_waiter("bucket_not_exists").wait(Bucket=BUCKET)


run()
