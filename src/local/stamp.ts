/**
 * Stamps say where in its source a piece of audio stands. Each hop of 10 ms carries its number in the lowest two
 * bits of its samples, and nothing else of the sample is needed to read it:
 *
 *     sample = multiple of 4, plus 1 for a 0 bit or minus 1 for a 1 bit
 *     hop    = 32 bits of sync, 32 bits of number, 32 bits of check; each of the last 64 is followed by its inverse
 *
 * So every stamped sample is odd, and zeros that somebody put between are none. No payload has more than two equal
 * bits in a row, so the sync word stands at the start of a hop only, and reading may begin at any sample.
 */
export const STAMP_HOP_MS = 10
export const STAMP_HOP_SAMPLES = 160
export const SAMPLES_PER_MS = STAMP_HOP_SAMPLES / STAMP_HOP_MS

const SYNC = 0xff00ff00 | 0
const SYNC_BITS = 32
const FIELD_BITS = 32
const PAYLOAD_BITS = STAMP_HOP_SAMPLES - SYNC_BITS

/** The 160 bits of a hop, one for each sample. */
export function stampBits(hop: number): Uint8Array {
  const bits = new Uint8Array(STAMP_HOP_SAMPLES)
  for (let i = 0; i < SYNC_BITS; i++) bits[i] = bitOf(SYNC, i)
  for (let i = 0; i < PAYLOAD_BITS / 2; i++) {
    const bit = i < FIELD_BITS ? bitOf(hop, i) : bitOf(checkOf(hop), i - FIELD_BITS)
    bits[SYNC_BITS + 2 * i] = bit
    bits[SYNC_BITS + 2 * i + 1] = 1 - bit
  }
  return bits
}

/** A sample of the source with its bit of the stamp; it moves by 4 steps of 32 768 at most. */
export function stampSample(sample: number, bit: number): number {
  return (sample & ~3) + (bit === 1 ? -1 : 1)
}

/** The bit of a stamped sample; undefined where it has none. */
export function bitOfSample(sample: number): number | undefined {
  return sample & 1 ? (sample >> 1) & 1 : undefined
}

/** A whole hop that was found in the audio. */
export interface StampedHop {
  /** Its number in the source. */
  hop: number
  /** Its first sample, counted in the audio that was read. */
  at: number
}

/** Finds whole hops in audio of any cut. */
export class StampReader {
  #position = 0
  #lastBits = 0
  /** Bits of the payload that have come; undefined before a sync word. */
  #payloadBits: number | undefined
  #bit = 0
  #hop = 0
  #check = 0

  /** Number of samples read or skipped. */
  get position(): number {
    return this.#position
  }

  /** Goes on at another sample of the audio; a hop that is cut by it is not found. */
  seek(position: number): void {
    if (position === this.#position) return
    this.#position = position
    this.#lose()
  }

  push(pcm: Int16Array): StampedHop[] {
    const found: StampedHop[] = []
    for (const sample of pcm) {
      this.#position++
      const bit = bitOfSample(sample)
      if (bit === undefined) this.#lose()
      else if (this.#take(bit)) found.push({ hop: this.#hop, at: this.#position - STAMP_HOP_SAMPLES })
    }
    return found
  }

  #lose(): void {
    this.#lastBits = 0
    this.#payloadBits = undefined
  }

  /** Whether this bit completes a hop. */
  #take(bit: number): boolean {
    this.#lastBits = (this.#lastBits << 1) | bit
    if (this.#lastBits === SYNC) {
      this.#payloadBits = 0
      return false
    }
    if (this.#payloadBits === undefined) return false
    const index = this.#payloadBits++
    if (index % 2 === 0) {
      this.#bit = bit
      return false
    }
    if (bit === this.#bit) {
      this.#payloadBits = undefined
      return false
    }
    if (index < 2 * FIELD_BITS) this.#hop = ((this.#hop << 1) | this.#bit) >>> 0
    else this.#check = ((this.#check << 1) | this.#bit) >>> 0
    if (this.#payloadBits < PAYLOAD_BITS) return false
    this.#payloadBits = undefined
    return this.#check === checkOf(this.#hop)
  }
}

/** A multiplicative hash: two halves of different hops do not pass for a third. */
function checkOf(hop: number): number {
  return Math.imul(hop ^ (hop >>> 15), 0x9e3779b1) >>> 0
}

/** Highest bit first. */
function bitOf(word: number, index: number): number {
  return (word >>> (31 - index)) & 1
}
