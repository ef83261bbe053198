// As much of an S3 client as the tests need: signed requests, and presigned URLs.

import { createHash, createHmac } from "node:crypto";

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
const encode = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function signature({ secret, day, stamp, request }) {
  const scope = `${day}/us-east-1/s3/aws4_request`;
  const key = ["us-east-1", "s3", "aws4_request"].reduce((key, part) => hmac(key, part), hmac(`AWS4${secret}`, day));
  return hmac(key, ["AWS4-HMAC-SHA256", stamp, scope, sha256(request)].join("\n")).toString("hex");
}

function now() {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  return { stamp, day: stamp.slice(0, 8) };
}

/** Sends a signed request and gives its answer. `amz`: further headers, which S3 wants signed. */
export async function s3(origin, { id, secret }, method, path, { body = "", type, amz = {} } = {}) {
  const { stamp, day } = now();
  const host = new URL(origin).host;
  const headers = { host, "x-amz-content-sha256": sha256(body), "x-amz-date": stamp, ...amz };
  const signed = Object.keys(headers).sort();
  const names = signed.join(";");
  const lines = signed.map((name) => `${name}:${headers[name]}\n`);
  const request = [method, path, "", lines.join(""), names, sha256(body)].join("\n");
  const proof = signature({ secret, day, stamp, request });
  return fetch(origin + path, {
    method,
    body: method === "GET" ? undefined : body,
    headers: {
      ...headers,
      ...(type ? { "content-type": type } : {}),
      authorization: `AWS4-HMAC-SHA256 Credential=${id}/${day}/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=${proof}`,
    },
  });
}

/** A URL that anybody may open for five minutes. */
export function presign(origin, { id, secret }, path, query = {}) {
  const { stamp, day } = now();
  const all = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${id}/${day}/us-east-1/s3/aws4_request`,
    "X-Amz-Date": stamp,
    "X-Amz-Expires": "300",
    "X-Amz-SignedHeaders": "host",
    ...query,
  };
  const text = Object.entries(all)
    .map(([name, value]) => [encode(name), encode(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&");
  const request = ["GET", path, text, `host:${new URL(origin).host}\n`, "host", "UNSIGNED-PAYLOAD"].join("\n");
  return `${origin}${path}?${text}&X-Amz-Signature=${signature({ secret, day, stamp, request })}`;
}
