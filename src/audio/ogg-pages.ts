/*
 * Ogg (RFC 3533): pages of a 27-byte header, a table of segment lengths and the segments. A logical stream begins
 * with a page that is marked so (BOS); several such pages in a row are streams that run beside one another (a video
 * and its sound), one behind others is a link of a chain: the next song of a radio station, a second file behind the
 * first.
 */

/** Where things stand in a page's header, and the flags there. */
export const OGG_PAGE = {
  CAPTURE: Buffer.from('OggS'),
  FLAGS_AT: 5,
  GRANULE_AT: 6,
  SERIAL_AT: 14,
  SEQUENCE_AT: 18,
  SEGMENTS_AT: 26,
  HEADER_BYTES: 27,
  CONTINUED: 1,
  BEGIN_OF_STREAM: 2,
  END_OF_STREAM: 4,
} as const

const { CAPTURE, FLAGS_AT, SEGMENTS_AT, HEADER_BYTES, BEGIN_OF_STREAM } = OGG_PAGE
const VERSION = 0
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
  const packet = head.toString('latin1', HEADER_BYTES + head[SEGMENTS_AT]!, firstBytes)
  const codec = FIRST_PACKETS.find(([begin]) => packet.startsWith(begin))?.[1] ?? 'other'
  if (codec === 'other' || (ended && head.length === firstBytes)) return codec
  if (head.length < firstBytes + HEADER_BYTES) return ended ? codec : undefined
  return startsStream(head, firstBytes) ? 'other' : codec
}

/** The channel mapping family of an Opus stream's first packet (RFC 7845 section 5.1.1). */
export function opusMappingFamily(head: Buffer): number | undefined {
  return head[HEADER_BYTES + head[SEGMENTS_AT]! + OPUS_FAMILY_AT]
}

/** How long the page at `at` is; undefined where its table has not come. */
function pageBytes(bytes: Buffer, at: number): number | undefined {
  const segments = bytes[at + SEGMENTS_AT]
  const table = at + HEADER_BYTES
  if (segments === undefined || bytes.length < table + segments) return undefined
  let length = HEADER_BYTES + segments
  for (let i = 0; i < segments; i++) length += bytes[table + i]!
  return length
}

function startsStream(bytes: Buffer, at: number): boolean {
  return bytes.subarray(at, at + 4).equals(CAPTURE) && (bytes[at + FLAGS_AT]! & BEGIN_OF_STREAM) !== 0
}
