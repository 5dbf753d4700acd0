/**
 * Writes `prefix`, the padded base64 (RFC 4648, section 4) of `pcm` and `suffix` into `output`.
 * @returns bytes written
 * @throws RangeError for an output that cannot hold them
 */
export type Base64Encoder = (
  prefix: Uint8Array,
  pcm: Uint8Array,
  suffix: Uint8Array,
  output: Uint8Array,
) => number

/** Characters of the base64 of so many bytes. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}

/** Guards an encoder: native code trusts what this lets through. */
export function checkBase64Output(
  prefix: Uint8Array,
  pcm: Uint8Array,
  suffix: Uint8Array,
  output: Uint8Array,
) {
  const bytes = prefix.length + base64Length(pcm.length) + suffix.length
  if (output.length < bytes) {
    throw new RangeError(`output must hold at least ${bytes} bytes; got ${output.length}`)
  }
}

/**
 * The TypeScript twin of native/base64. By way of a string, because Node's own encoder is native code too: five
 * times as fast as a loop over the bytes in JavaScript (0.4 and 2.2 us for 3200 bytes).
 */
export const portableEncodeBase64: Base64Encoder = (prefix, pcm, suffix, output) => {
  checkBase64Output(prefix, pcm, suffix, output)
  const base64 = bufferOf(pcm).toString('base64')
  output.set(prefix)
  bufferOf(output).write(base64, prefix.length, 'latin1')
  const end = prefix.length + base64.length
  output.set(suffix, end)
  return end + suffix.length
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
