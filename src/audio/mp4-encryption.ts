import type { FileHandle } from 'node:fs/promises'

/** A box begins with 32 bits of size and its type; where the size is 1, it follows in 64 bits. */
const HEADER_BYTES = 8
const LARGE_HEADER_BYTES = 16
/** How an encrypted audio track begins in the index: its type, six reserved bytes, the number of its data reference. */
const ENCRYPTED_ENTRY = Buffer.from('enca\0\0\0\0\0\0\0\x01', 'latin1')
/** Real files have a handful of boxes before their index. */
const MAX_BOXES = 1_000
const READ_BYTES = 64 * 1024

/**
 * Finds whether the audio of an ISO base media file is encrypted (Common Encryption, ISO/IEC 23001-7). ffmpeg does not
 * say so: without the key it decodes the encrypted bytes, to noise or to errors that tell nothing. Looks into the first
 * index (the box `moov`) only, and keeps none of it. What is no such file is not encrypted.
 */
export class Mp4EncryptionScan {
  #isEncrypted = false
  #isDone = false
  #boxes = 0
  /** The header of the next box, while it is incomplete. */
  #header = Buffer.alloc(0)
  /** Of the current box, still to come. */
  #boxBytes = 0
  #inIndex = false
  /** The last bytes of the index so far: the entry may lie across two chunks. */
  #tail = Buffer.alloc(0)

  get isEncrypted(): boolean {
    return this.#isEncrypted
  }

  /** How many of the next bytes may be left out; Infinity for all. */
  get idleBytes(): number {
    if (this.#isDone) return Infinity
    return this.#inIndex ? 0 : this.#boxBytes
  }

  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0 && !this.#isDone;) {
      rest = rest.subarray(this.#boxBytes > 0 ? this.#takeBox(rest) : this.#takeHeader(rest))
    }
  }

  /** So many of `idleBytes` have gone by. */
  skip(bytes: number): void {
    this.#boxBytes -= bytes
  }

  #takeBox(bytes: Buffer): number {
    const box = bytes.subarray(0, this.#boxBytes)
    this.#boxBytes -= box.length
    if (this.#inIndex) {
      const seen = Buffer.concat([this.#tail, box])
      this.#isEncrypted = seen.includes(ENCRYPTED_ENTRY)
      this.#isDone = this.#isEncrypted || this.#boxBytes === 0
      this.#tail = seen.subarray(1 - ENCRYPTED_ENTRY.length)
    }
    return box.length
  }

  #takeHeader(bytes: Buffer): number {
    const before = this.#header.length
    this.#header = Buffer.concat([this.#header, bytes.subarray(0, LARGE_HEADER_BYTES - before)])
    const header = this.#header
    if (header.length < HEADER_BYTES) return bytes.length
    const isLarge = header.readUInt32BE(0) === 1
    const headerBytes = isLarge ? LARGE_HEADER_BYTES : HEADER_BYTES
    if (header.length < headerBytes) return bytes.length
    const size = isLarge ? Number(header.readBigUInt64BE(HEADER_BYTES)) : header.readUInt32BE(0)
    this.#header = Buffer.alloc(0)
    this.#boxBytes = size - headerBytes
    this.#inIndex = header.toString('latin1', 4, 8) === 'moov'
    this.#boxes += 1
    // Size 0 is "to the end of the file"; less than a header, and it is no box at all.
    this.#isDone = size < headerBytes || this.#boxes > MAX_BOXES
    return headerBytes - before
  }
}

/** Whether the audio of this file is encrypted, see {@link Mp4EncryptionScan}. Leaves the file's position alone. */
export async function isEncryptedMp4(file: FileHandle, signal: AbortSignal): Promise<boolean> {
  const scan = new Mp4EncryptionScan()
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (let at = 0; Number.isSafeInteger(at) && !signal.aborted;) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, at)
    if (bytesRead === 0) break
    scan.push(buffer.subarray(0, bytesRead))
    const idle = scan.idleBytes
    scan.skip(idle)
    at += bytesRead + idle
  }
  return scan.isEncrypted
}
