// Archives that are not what they were.

/** One byte in the middle flipped: some sum must notice. */
export function spoil(archive) {
  const copy = Uint8Array.from(archive);
  const at = Math.floor(copy.length / 2);
  copy[at] ^= 0x20;
  return copy;
}
