// The AWS SDK for JavaScript v3 at its default settings: requests, lib-storage and presigned URLs.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const dns = require('node:dns');
const fs = require('node:fs');
const path = require('node:path');
const { Readable } = require('node:stream');
const sdk = require('@aws-sdk/client-s3');
const { Upload } = require('@aws-sdk/lib-storage');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const Bucket = 'compat-js';
const endpoint = new URL(process.env.AWS_ENDPOINT_URL);
const bigPath = path.join(process.env.COMPAT_FILES, 'big.bin');
const big = fs.readFileSync(bigPath);
const MIB = 1024 * 1024;
const s3 = new sdk.S3({});
const checks = [];

const check = (sentence, body) => checks.push([sentence, body]);
const bytes = async (answer) => Buffer.from(await answer.Body.transformToByteArray());
// `assert.deepEqual` would print 30 MiB.
const same = (a, b) => assert.ok(a.equals(b), `${a.length} bytes differ from ${b.length}`);
const code = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return error.name;
  }
  throw new Error('the call should have failed');
};

check('a bucket is made, found and listed', async () => {
  await s3.createBucket({ Bucket });
  await sdk.waitUntilBucketExists({ client: s3, maxWaitTime: 10 }, { Bucket });
  assert.ok((await s3.listBuckets({})).Buckets.some((b) => b.Name === Bucket));
});

check('put, head and get keep body, headers and metadata', async () => {
  const put = await s3.putObject({
    Bucket, Key: 'text', Body: 'grüße', Metadata: { a: '1' }, ContentType: 'text/x', CacheControl: 'no-cache',
  });
  assert.ok(put.ChecksumCRC32, 'the default checksum');
  const got = await s3.getObject({ Bucket, Key: 'text' });
  assert.equal(await got.Body.transformToString(), 'grüße');
  assert.deepEqual([got.Metadata, got.ContentType, got.CacheControl], [{ a: '1' }, 'text/x', 'no-cache']);
  assert.equal((await s3.headObject({ Bucket, Key: 'text' })).ETag, put.ETag);
});

check('bodies: empty, buffer, file stream, and a stream of known length', async () => {
  const bodies = { empty: '', buffer: big.subarray(0, 70000), file: fs.createReadStream(bigPath) };
  const expected = { empty: Buffer.alloc(0), buffer: big.subarray(0, 70000), file: big, stream: big.subarray(0, 200000) };
  for (const [Key, Body] of Object.entries(bodies)) await s3.putObject({ Bucket, Key, Body });
  const pieces = [big.subarray(0, 1000), big.subarray(1000, 150000), big.subarray(150000, 200000)];
  await s3.putObject({ Bucket, Key: 'stream', Body: Readable.from(pieces), ContentLength: 200000 });
  for (const [Key, body] of Object.entries(expected)) same(await bytes(await s3.getObject({ Bucket, Key })), body);
});

check('each checksum algorithm, sent and verified', async () => {
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']) {
    const field = `Checksum${ChecksumAlgorithm}`;
    const Key = `sum/${ChecksumAlgorithm}`;
    const put = await s3.putObject({ Bucket, Key, Body: big.subarray(0, 100000), ChecksumAlgorithm });
    const got = await s3.getObject({ Bucket, Key, ChecksumMode: 'ENABLED' });
    assert.equal(got[field], put[field]);
    same(await bytes(got), big.subarray(0, 100000));
    const streamed = await s3.putObject({ Bucket, Key, Body: fs.createReadStream(bigPath), ChecksumAlgorithm });
    assert.equal((await s3.headObject({ Bucket, Key, ChecksumMode: 'ENABLED' }))[field], streamed[field]);
  }
  const wrong = { Bucket, Key: 'sum/wrong', Body: 'body', ChecksumSHA256: Buffer.alloc(32).toString('base64') };
  assert.equal(await code(s3.putObject(wrong)), 'BadDigest');
});

check('lib-storage uploads 30 MiB in parts, from a buffer and from a stream', async () => {
  for (const [Key, Body] of [['up/buffer', big], ['up/stream', fs.createReadStream(bigPath)]]) {
    const done = await new Upload({ client: s3, params: { Bucket, Key, Body, Metadata: { m: 'v' } } }).done();
    assert.match(done.ETag, /-6"$/);
    const got = await s3.getObject({ Bucket, Key });
    same(await bytes(got), big);
    assert.deepEqual(got.Metadata, { m: 'v' });
  }
  const small = await new Upload({ client: s3, params: { Bucket, Key: 'up/small', Body: Readable.from(['a', 'b']) } }).done();
  assert.equal(small.ETag, `"${crypto.createHash('md5').update('ab').digest('hex')}"`);
});

check('lib-storage aborts without leaving an upload', async () => {
  const upload = new Upload({ client: s3, params: { Bucket, Key: 'up/aborted', Body: fs.createReadStream(bigPath) } });
  upload.on('httpUploadProgress', () => upload.abort());
  assert.equal(await code(upload.done()), 'AbortError');
  assert.equal(await code(s3.headObject({ Bucket, Key: 'up/aborted' })), 'NotFound');
  for (const left of (await s3.listMultipartUploads({ Bucket })).Uploads ?? []) {
    await s3.abortMultipartUpload({ Bucket, Key: left.Key, UploadId: left.UploadId });
  }
  assert.equal(((await s3.listMultipartUploads({ Bucket })).Uploads ?? []).length, 0);
});

check('a multipart upload by hand, with UploadPartCopy', async () => {
  const Key = 'by-hand';
  const { UploadId } = await s3.createMultipartUpload({ Bucket, Key });
  const one = await s3.uploadPart({ Bucket, Key, UploadId, PartNumber: 1, Body: big.subarray(0, 5 * MIB) });
  const CopySource = `${Bucket}/up/buffer`;
  const two = await s3.uploadPartCopy({ Bucket, Key, UploadId, PartNumber: 2, CopySource, CopySourceRange: `bytes=${5 * MIB}-${6 * MIB}` });
  const listed = await s3.listParts({ Bucket, Key, UploadId });
  assert.deepEqual(listed.Parts.map((p) => p.Size), [5 * MIB, MIB + 1]);
  const Parts = [
    { PartNumber: 1, ETag: one.ETag, ChecksumCRC32: one.ChecksumCRC32 },
    { PartNumber: 2, ETag: two.CopyPartResult.ETag, ChecksumCRC32: two.CopyPartResult.ChecksumCRC32 },
  ];
  await s3.completeMultipartUpload({ Bucket, Key, UploadId, MultipartUpload: { Parts } });
  same(await bytes(await s3.getObject({ Bucket, Key })), big.subarray(0, 6 * MIB + 1));
});

check('ranges and conditions', async () => {
  const ranged = await s3.getObject({ Bucket, Key: 'up/buffer', Range: 'bytes=5242870-5242890' });
  same(await bytes(ranged), big.subarray(5242870, 5242891));
  const { ETag } = await s3.headObject({ Bucket, Key: 'up/buffer' });
  const unchanged = await s3.getObject({ Bucket, Key: 'up/buffer', IfNoneMatch: ETag }).catch((error) => error);
  assert.equal(unchanged.$metadata.httpStatusCode, 304);
  assert.equal(await code(s3.putObject({ Bucket, Key: 'up/buffer', Body: 'x', IfNoneMatch: '*' })), 'PreconditionFailed');
  assert.equal(await code(s3.getObject({ Bucket, Key: 'nothing' })), 'NoSuchKey');
  assert.equal(await code(s3.getObject({ Bucket: 'compat-nobody-made-this', Key: 'x' })), 'NoSuchBucket');
});

check('odd keys, copied, listed in pages, and deleted', async () => {
  const keys = ['a b', 'a+b', 'a%20b', 'ü/日本 😀', "it's(a)*!", '<&>"', 'a//b', 'back\\slash', 'q?x=1#y', 'line\nbreak'];
  for (const key of keys) {
    await s3.putObject({ Bucket, Key: `odd/${key}`, Body: key });
    assert.equal(await (await s3.getObject({ Bucket, Key: `odd/${key}` })).Body.transformToString(), key);
    await s3.copyObject({ Bucket, Key: `odd-copy/${key}`, CopySource: `${Bucket}/${encodeURIComponent(`odd/${key}`)}` });
  }
  const listed = [];
  for await (const page of sdk.paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket, Prefix: 'odd-copy/', EncodingType: 'url' })) {
    listed.push(...page.Contents.map((c) => decodeURIComponent(c.Key.replaceAll('+', ' '))));
  }
  const expected = keys.map((key) => `odd-copy/${key}`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(listed, expected);
  // Not asked for in the encoded form, the names must come through XML as they are.
  const plain = await s3.listObjectsV2({ Bucket, Prefix: 'odd-copy/', Delimiter: '/' });
  assert.deepEqual(plain.Contents.map((c) => c.Key), expected.filter((key) => !key.slice(9).includes('/')));
  const Objects = keys.flatMap((key) => [{ Key: `odd/${key}` }, { Key: `odd-copy/${key}` }]);
  const gone = await s3.deleteObjects({ Bucket, Delete: { Objects } });
  assert.deepEqual([gone.Deleted.length, gone.Errors], [Objects.length, undefined]);
  assert.equal((await s3.listObjectsV2({ Bucket, Prefix: 'odd' })).KeyCount, 0);
});

check('presigned GET and PUT', async () => {
  const Key = 'pre signed/ü+&.txt';
  const put = await getSignedUrl(s3, new sdk.PutObjectCommand({ Bucket, Key, ContentType: 'text/x' }), { expiresIn: 60 });
  const stored = await fetch(put, { method: 'PUT', body: 'signed', headers: { 'content-type': 'text/x' } });
  assert.equal(stored.status, 200, await stored.text());
  const get = await getSignedUrl(s3, new sdk.GetObjectCommand({ Bucket, Key, ResponseContentType: 'text/y' }), { expiresIn: 60 });
  const answer = await fetch(get);
  assert.deepEqual([answer.status, answer.headers.get('content-type'), await answer.text()], [200, 'text/y', 'signed']);
  assert.equal((await fetch(get.replace(/.$/, (c) => (c === '0' ? '1' : '0')))).status, 403);
});

check('virtual-hosted requests, as for every endpoint that is a name', async () => {
  const lookup = dns.lookup;
  dns.lookup = (name, options, done) => lookup(name.endsWith('s3.test') ? '127.0.0.1' : name, options, done);
  try {
    const hosted = new sdk.S3({ endpoint: `${endpoint.protocol}//s3.test:${endpoint.port}` });
    const hosts = [];
    hosted.middlewareStack.add((next) => (args) => hosts.push(args.request.hostname) && next(args), { step: 'finalizeRequest' });
    await hosted.putObject({ Bucket, Key: 'by host/ü+.txt', Body: 'hosted' });
    assert.equal(hosts[0], `${Bucket}.s3.test`);
    assert.equal(await (await s3.getObject({ Bucket, Key: 'by host/ü+.txt' })).Body.transformToString(), 'hosted');
    await new Upload({ client: hosted, params: { Bucket, Key: 'by host/big', Body: fs.createReadStream(bigPath) } }).done();
    same(await bytes(await hosted.getObject({ Bucket, Key: 'by host/big' })), big);
    assert.equal((await hosted.listObjectsV2({ Bucket, Prefix: 'by host/' })).KeyCount, 2);
  } finally {
    dns.lookup = lookup;
  }
});

check('everything goes, and the bucket with it', async () => {
  for await (const page of sdk.paginateListObjectsV2({ client: s3 }, { Bucket })) {
    await s3.deleteObjects({ Bucket, Delete: { Objects: page.Contents.map(({ Key }) => ({ Key })) } });
  }
  await s3.deleteBucket({ Bucket });
  await sdk.waitUntilBucketNotExists({ client: s3, maxWaitTime: 10 }, { Bucket });
});

(async () => {
  let failures = 0;
  for (const [sentence, body] of checks) {
    const label = `${process.env.COMPAT_SCHEME} ${process.env.COMPAT_CLIENT}: ${sentence}`;
    try {
      await body();
      console.log(`ok ${label}`);
    } catch (error) {
      failures += 1;
      console.log(`FAILED ${label}`);
      for (const line of String(error.stack).split('\n').slice(0, 12)) console.log(`    ${line.slice(0, 600)}`);
    }
  }
  process.exit(failures ? 1 : 0);
})();
