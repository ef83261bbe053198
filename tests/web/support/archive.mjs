// Archives that are not what they were.

import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One byte in the middle flipped: some sum must notice. */
export function spoil(archive) {
  const copy = Uint8Array.from(archive);
  const at = Math.floor(copy.length / 2);
  copy[at] ^= 0x20;
  return copy;
}

const OTHERS = ["config.yaml", "iam.json", "secrets.json"];

/** As if the archive had never had an at-rest key: whole, and signed by somebody else. */
export async function withoutKey(archive, id, reference) {
  const folder = await mkdtemp(join(tmpdir(), "dgp-archive-"));
  const path = (name) => join(folder, name);
  const read = async (name) => JSON.parse(await readFile(path(name), "utf8"));
  await writeFile(path("in.zip"), archive);
  execFileSync("unzip", ["-q", "in.zip"], { cwd: folder });
  const secrets = await read("secrets.json");
  delete secrets.encryption_keys[id];
  delete secrets.resolved[reference];
  await writeFile(path("secrets.json"), JSON.stringify(secrets));
  const { signature: _, ...manifest } = await read("manifest.json");
  for (const key of manifest.encryption_keys) if (key.id === id) key.included = false;
  manifest.files = await Promise.all(
    OTHERS.map(async (name) => {
      const content = await readFile(path(name));
      return { name, bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
    }),
  );
  const pair = generateKeyPairSync("ed25519");
  const signature = {
    alg: "ed25519",
    key: Buffer.from(pair.publicKey.export({ format: "jwk" }).x, "base64url").toString("base64"),
    value: sign(null, Buffer.from(canonical(manifest)), pair.privateKey).toString("base64"),
  };
  await writeFile(path("manifest.json"), JSON.stringify({ ...manifest, signature }));
  execFileSync("zip", ["-q", "-X", "out.zip", "manifest.json", ...OTHERS], { cwd: folder });
  const made = await readFile(path("out.zip"));
  await rm(folder, { recursive: true });
  return made;
}

/** RFC 8785 for what a manifest holds: texts, whole numbers, lists and objects. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${fields.join(",")}}`;
}
