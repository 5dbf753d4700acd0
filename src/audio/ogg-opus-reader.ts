import type { CodecAudio, CodecReader, Decoded } from './codec-audio.js'
import { OggPackets, type OggPacket } from './ogg-packets.js'
import { readOpusHead, type OpusHead } from './opus-head.js'

/** opus-decoder's class, as far as it is used. */
export interface OpusDecoder {
  readonly ready: Promise<void>
  decodeFrames(packets: readonly Uint8Array[]): Decoded
  free(): void
}

export type OpenOpusDecoder = (head: OpusHead) => Promise<OpusDecoder>

/** One link of a chain: a stream from its first packet to its last. */
interface Link {
  readonly head: OpusHead
  readonly decoder: OpusDecoder
  /** Samples heard so far. */
  heard: number
  /** The position of its first sample: not 0 where a recording of a running stream begins. */
  startGranule: number | undefined
}

const RATE = 48_000
const TAGS = 'OpusTags'
/** The decoder's own buffer, for each channel. */
const MAX_PACKET_BYTES = 3_840
/**
 * Which channel comes first, second, ... in every other kind of file: Vorbis's order has the middle between left and
 * right, and the low frequencies last (RFC 7845, section 5.1.1.2).
 */
const FROM_VORBIS_ORDER: Readonly<Record<number, readonly number[]>> = {
  3: [0, 2, 1],
  5: [0, 2, 1, 3, 4],
  6: [0, 2, 1, 5, 3, 4],
  7: [0, 2, 1, 6, 5, 3, 4],
  8: [0, 2, 1, 7, 5, 6, 3, 4],
}

/** A link of a chain that begins with something else. */
const NOT_OPUS: CodecAudio = {
  channels: [],
  sampleRateHertz: RATE,
  complaints: ['a stream in it is no Opus that can be decoded, and is left out'],
}

/** Opus in Ogg (RFC 7845), link after link, exact to the sample: what the first packet and the last page cut off is cut off. */
export class OggOpusReader implements CodecReader {
  readonly #open: OpenOpusDecoder
  readonly #packets = new OggPackets()
  #link: Link | undefined

  constructor(open: OpenOpusDecoder) {
    this.#open = open
  }

  async *decode(chunk: Buffer): AsyncIterable<CodecAudio> {
    let run: OggPacket[] = []
    for (const packet of this.#packets.read(chunk)) {
      if (packet.isFirst) {
        if (run.length > 0) yield this.#decode(run)
        run = []
        await this.#begin(packet)
        if (!this.#link) yield NOT_OPUS
        continue
      }
      if (!this.#link || isTags(packet)) continue
      run.push(packet)
      if (packet.endsPage) {
        yield this.#decode(run)
        run = []
      }
    }
    if (run.length > 0) yield this.#decode(run)
  }

  async #begin({ bytes }: OggPacket): Promise<void> {
    this.#link?.decoder.free()
    this.#link = undefined
    const head = readOpusHead(bytes)
    if (head) this.#link = { head, decoder: await this.#open(head), heard: 0, startGranule: undefined }
  }

  /** @param run packets of one page */
  #decode(run: readonly OggPacket[]): CodecAudio {
    const { head, decoder } = this.#link!
    const whole = run.filter(({ bytes }) => bytes.length <= MAX_PACKET_BYTES * head.channels)
    const decoded = decoder.decodeFrames(whole.map(({ bytes }) => bytes))
    const heard = this.#count(run.at(-1)!, decoded.samplesDecoded)
    const planes = decoded.channelData.map(plane => amplified(plane.subarray(0, heard), head.gain))
    const order = FROM_VORBIS_ORDER[head.channels]
    const oversized = run.length - whole.length
    return {
      channels: order?.map(from => planes[from]!) ?? planes,
      sampleRateHertz: RATE,
      complaints: [
        ...decoded.errors.map(({ message }) => message),
        ...Array<string>(oversized).fill('a packet is longer than any that holds audio'),
      ],
    }
  }

  /** @returns how many of the samples are to be heard */
  #count({ granule, endsPage, onLastPage }: OggPacket, samples: number): number {
    const link = this.#link!
    const { preSkip } = link.head
    if (!onLastPage) {
      link.heard += samples
      if (endsPage) link.startGranule ??= Math.max(0, granule - preSkip - link.heard)
      return samples
    }
    // Where the page ends before its last packet does, the rest fills the packet (section 4.5).
    const end = granule - preSkip - (link.startGranule ?? 0)
    const heard = Math.min(samples, Math.max(0, end - link.heard))
    link.heard += heard
    return heard
  }
}

function isTags({ bytes }: OggPacket): boolean {
  return bytes.toString('latin1', 0, TAGS.length) === TAGS
}

function amplified(plane: Float32Array, gain: number): Float32Array {
  return gain === 1 ? plane : plane.map(sample => sample * gain)
}
