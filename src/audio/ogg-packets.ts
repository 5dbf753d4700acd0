import { OGG_PAGE } from './ogg-pages.js'

/** A packet of one logical stream, and what its page says of it (RFC 3533, sections 5 and 6). */
export interface OggPacket {
  readonly bytes: Buffer
  /** It is the first of its stream. */
  readonly isFirst: boolean
  /** Where its page ends, in the codec's units. */
  readonly granule: number
  /** Its page completes no packet after it. */
  readonly endsPage: boolean
  /** Nothing of its stream follows its page. */
  readonly onLastPage: boolean
}

interface Page {
  readonly flags: number
  /** How many packets it completes. */
  readonly completes: number
  readonly granule: number
}

const FULL_SEGMENT = 255
/** What is longer, comments with pictures in them, is dropped. */
const MAX_PACKET_BYTES = 1024 * 1024
const NOTHING = Buffer.alloc(0)

/**
 * Packets out of an Ogg file in chunks of any length, each as soon as its last byte is there: a page may hold a
 * second of audio. Of a chain, every link is read; of streams beside one another, the one that began last. What lies
 * between pages is dropped, and so is a packet whose rest is missing.
 */
export class OggPackets {
  #rest: Buffer = NOTHING
  #page: Page | undefined
  /** Lengths of the page's segments that have not been read yet. */
  #segments: number[] = []
  #completed = 0
  /** The beginning of a packet that goes on in the next segment. */
  #parts: Buffer[] = []
  #partsBytes = 0
  #serial: number | undefined
  #sequence = 0
  /** The page is another stream's, or the segments go on with a packet whose beginning is lost. */
  #skipsPage = false
  #skipsPacket = false
  #isFirst = false

  /** @returns the packets that the chunk completes */
  read(chunk: Buffer): OggPacket[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const packets: OggPacket[] = []
    while (this.#segments.length > 0 || this.#openPage()) {
      const length = this.#segments[0]
      if (length === undefined) continue
      if (this.#rest.length < length) break
      this.#segments.shift()
      const segment = this.#rest.subarray(0, length)
      this.#rest = this.#rest.subarray(length)
      const packet = this.#skipsPage ? undefined : this.#take(segment)
      if (packet) packets.push(packet)
    }
    return packets
  }

  /** @returns false where its header is not there yet */
  #openPage(): boolean {
    const at = this.#rest.indexOf(OGG_PAGE.CAPTURE)
    // The first letters of a page may be the last bytes.
    this.#rest = this.#rest.subarray(at === -1 ? Math.max(0, this.#rest.length - 3) : at)
    const segments = this.#rest[OGG_PAGE.SEGMENTS_AT]
    if (at === -1 || segments === undefined) return false
    const headerBytes = OGG_PAGE.HEADER_BYTES + segments
    if (this.#rest.length < headerBytes) return false
    const header = this.#rest.subarray(0, headerBytes)
    this.#rest = this.#rest.subarray(headerBytes)
    this.#segments = [...header.subarray(OGG_PAGE.HEADER_BYTES)]
    this.#begin(header)
    return true
  }

  #begin(header: Buffer): void {
    const flags = header[OGG_PAGE.FLAGS_AT]!
    const serial = header.readUInt32LE(OGG_PAGE.SERIAL_AT)
    if ((flags & OGG_PAGE.BEGIN_OF_STREAM) !== 0) {
      this.#serial = serial
      this.#sequence = header.readUInt32LE(OGG_PAGE.SEQUENCE_AT)
      this.#dropPacket()
      this.#isFirst = true
    }
    this.#skipsPage = serial !== this.#serial
    if (this.#skipsPage) return
    const sequence = header.readUInt32LE(OGG_PAGE.SEQUENCE_AT)
    const isContinued = (flags & OGG_PAGE.CONTINUED) !== 0
    const isNext = sequence === this.#sequence
    this.#sequence = (sequence + 1) >>> 0
    // A packet goes on only in the page right behind its own, and only where that says so.
    if (!isNext || !isContinued) this.#dropPacket()
    this.#skipsPacket = isContinued && this.#parts.length === 0
    this.#completed = 0
    this.#page = {
      flags,
      completes: this.#segments.filter(length => length < FULL_SEGMENT).length,
      granule: Number(header.readBigInt64LE(OGG_PAGE.GRANULE_AT)),
    }
  }

  /** @returns the packet that the segment completes */
  #take(segment: Buffer): OggPacket | undefined {
    const goesOn = segment.length === FULL_SEGMENT
    if (!goesOn) this.#completed++
    if (this.#skipsPacket) {
      this.#skipsPacket = goesOn
      return undefined
    }
    this.#parts.push(segment)
    this.#partsBytes += segment.length
    if (this.#partsBytes > MAX_PACKET_BYTES) {
      this.#dropPacket()
      this.#skipsPacket = goesOn
    }
    if (goesOn || this.#parts.length === 0) return undefined
    const { flags, completes, granule } = this.#page!
    const packet = {
      bytes: this.#parts.length === 1 ? segment : Buffer.concat(this.#parts),
      isFirst: this.#isFirst,
      granule,
      endsPage: this.#completed === completes,
      onLastPage: (flags & OGG_PAGE.END_OF_STREAM) !== 0,
    }
    this.#dropPacket()
    this.#isFirst = false
    return packet
  }

  #dropPacket(): void {
    this.#parts = []
    this.#partsBytes = 0
  }
}
