/*
 * Ogg (RFC 3533): pages of a 27-byte header, a table of segment lengths and the segments. A logical stream begins
 * with a page that is marked so (BOS); several such pages in a row are streams that run beside one another (a video
 * and its sound), one behind others is a link of a chain: the next song of a radio station, a second file behind the
 * first.
 */

const CAPTURE = Buffer.from('OggS')
const VERSION = 0
const HEADER_BYTES = 27
const FLAGS_AT = 5
const BEGIN_OF_STREAM = 2
const OPUS_FAMILY_AT = 18

/** What an Ogg file holds, told by its first packet; 'other' for several streams at once and for all else. */
export type OggCodec = 'opus' | 'vorbis' | 'flac' | 'speex' | 'other'

const FIRST_PACKETS: readonly (readonly [begin: string, codec: OggCodec])[] = [
  ['OpusHead', 'opus'],
  ['\x01vorbis', 'vorbis'],
  ['\x7fFLAC', 'flac'],
  ['Speex   ', 'speex'],
]

/**
 * @param ended whether `head` is the whole file
 * @returns undefined while more bytes are needed
 */
export function oggCodec(head: Buffer, ended: boolean): OggCodec | undefined {
  if (head.length > CAPTURE.length && head[CAPTURE.length] !== VERSION) return 'other'
  const firstBytes = pageBytes(head, 0)
  if (firstBytes === undefined || head.length < firstBytes) return ended ? 'other' : undefined
  if (!startsStream(head, 0)) return 'other'
  const packet = head.toString('latin1', HEADER_BYTES + head[HEADER_BYTES - 1]!, firstBytes)
  const codec = FIRST_PACKETS.find(([begin]) => packet.startsWith(begin))?.[1] ?? 'other'
  if (codec === 'other' || (ended && head.length === firstBytes)) return codec
  if (head.length < firstBytes + HEADER_BYTES) return ended ? codec : undefined
  return startsStream(head, firstBytes) ? 'other' : codec
}

/** The channel mapping family of an Opus stream's first packet (RFC 7845 section 5.1.1). */
export function opusMappingFamily(head: Buffer): number | undefined {
  return head[HEADER_BYTES + head[HEADER_BYTES - 1]! + OPUS_FAMILY_AT]
}

/** Pages that follow one another in one link of a chain. */
export interface OggRun {
  /** Whether the link begins with them. */
  readonly startsLink: boolean
  readonly pages: Buffer[]
}

/** Whole pages out of chunks of any length; what lies between pages is dropped. */
export class OggPages {
  #rest: Buffer = Buffer.alloc(0)

  /** The pages that the chunk completes. */
  runs(chunk: Buffer): OggRun[] {
    const bytes = Buffer.concat([this.#rest, chunk])
    const runs: OggRun[] = []
    let at = bytes.indexOf(CAPTURE)
    while (at !== -1) {
      const length = pageBytes(bytes, at)
      if (length === undefined || at + length > bytes.length) break
      const startsLink = startsStream(bytes, at)
      const page = bytes.subarray(at, at + length)
      const run = runs.at(-1)
      if (run && !startsLink) run.pages.push(page)
      else runs.push({ startsLink, pages: [page] })
      at = bytes.indexOf(CAPTURE, at + length)
    }
    // The first letters of a page may be the last bytes.
    this.#rest = bytes.subarray(at === -1 ? -(CAPTURE.length - 1) : at)
    return runs
  }
}

/** How long the page at `at` is; undefined where its table has not come. */
function pageBytes(bytes: Buffer, at: number): number | undefined {
  const segments = bytes[at + HEADER_BYTES - 1]
  const table = at + HEADER_BYTES
  if (segments === undefined || bytes.length < table + segments) return undefined
  let length = HEADER_BYTES + segments
  for (let i = 0; i < segments; i++) length += bytes[table + i]!
  return length
}

function startsStream(bytes: Buffer, at: number): boolean {
  return bytes.subarray(at, at + 4).equals(CAPTURE) && (bytes[at + FLAGS_AT]! & BEGIN_OF_STREAM) !== 0
}
