// Whether a file is an encrypted archive, and what opens it, from its first bytes (https://age-encryption.org/v1).

export type Seal = "passphrase" | "identity";

const BINARY = "age-encryption.org/v1";
const ARMORED = "-----BEGIN AGE ENCRYPTED FILE-----";

/** `null` for a file that is not encrypted. */
export async function sealOf(file: File): Promise<Seal | null> {
  const head = latin(await file.slice(0, 1024).arrayBuffer());
  if (head.startsWith(BINARY)) return byHeader(head);
  if (!head.startsWith(ARMORED)) return null;
  const lines = head.slice(ARMORED.length).split(/\r?\n/).filter(Boolean);
  // Whole lines only: half of one is no base64.
  return byHeader(lines.slice(0, 3).map(decoded).join(""));
}

function byHeader(header: string): Seal {
  return header.includes("-> scrypt ") ? "passphrase" : "identity";
}

function latin(bytes: ArrayBuffer): string {
  return String.fromCharCode(...new Uint8Array(bytes));
}

function decoded(line: string): string {
  try {
    return atob(line);
  } catch {
    return "";
  }
}
