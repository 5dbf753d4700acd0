import { mpegAudio } from './mpeg-audio.js'
import { oggCodec } from './ogg-pages.js'

/**
 * What a stream's first bytes say it is. `mp3` is MPEG audio of any layer, `aac` AAC in ADTS, `mp4` any ISO base
 * media or QuickTime file, `asf` Windows Media, `ogg` an Ogg file of several streams or of a codec without a name
 * here, `id3` an ID3v2 tag, behind which the file proper begins. `other` is for ffmpeg to recognise.
 */
export type Container =
  | 'wav'
  | 'rf64'
  | 'bw64'
  | 'w64'
  | 'aiff'
  | 'au'
  | 'caf'
  | 'flac'
  | 'mp3'
  | 'aac'
  | 'mp4'
  | 'ogg-opus'
  | 'ogg-vorbis'
  | 'ogg-flac'
  | 'ogg-speex'
  | 'ogg'
  | 'matroska'
  | 'amr'
  | 'asf'
  | 'id3'
  | 'other'

/** One known beginning: `?` stands for any byte, everything else for itself. */
const SIGNATURES: readonly (readonly [pattern: string, container: Container])[] = [
  ['RIFF????WAVE', 'wav'],
  ['RIFX????WAVE', 'wav'],
  ['RF64????WAVE', 'rf64'],
  ['BW64????WAVE', 'bw64'],
  ['riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb', 'w64'],
  ['FORM????AIFF', 'aiff'],
  ['FORM????AIFC', 'aiff'],
  ['.snd', 'au'],
  ['caff', 'caf'],
  ['fLaC', 'flac'],
  ['OggS', 'ogg'],
  ['\x1a\x45\xdf\xa3', 'matroska'],
  ['#!AMR', 'amr'],
  ['\x30\x26\xb2\x75\x8e\x66\xcf\x11', 'asf'],
  ['ID3', 'id3'],
  ['????ftyp', 'mp4'],
]

/** QuickTime writers older than `ftyp` begin with any of these boxes; other data may hold them by chance. */
const OTHER_MP4: typeof SIGNATURES = ['styp', 'moov', 'moof', 'mdat', 'wide', 'free', 'skip', 'pnot'].map(
  box => [`????${box}`, 'mp4'] as const,
)

const ANY = '?'.charCodeAt(0)

/**
 * Recognises a container by its content: from five bytes for most, a page for Ogg, two frames for MPEG audio.
 * @param ended whether `head` is the whole file
 * @returns undefined while more bytes are needed; never where it has `ended`
 */
export function sniff(head: Buffer, ended = false): Container | undefined {
  const signature = match(head, [...SIGNATURES, ...OTHER_MP4])
  if (signature === 'ogg') {
    const codec = oggCodec(head, ended)
    return codec && (codec === 'other' ? 'ogg' : `ogg-${codec}`)
  }
  if (signature !== 'other') return signature ?? (ended ? 'other' : undefined)
  const mpeg = mpegAudio(head)
  return typeof mpeg === 'object' ? mpeg.codec : (mpeg ?? (ended ? 'other' : undefined))
}

/**
 * The container whose header stands at the beginning of what was declared raw: only by signatures that samples do
 * not show by chance.
 * @returns undefined while more bytes are needed, 'other' for none
 */
export function sniffHeader(head: Buffer): Container | undefined {
  const found = match(head, SIGNATURES)
  if (found !== 'id3') return found
  if (head.length < ID3_HEADER_BYTES) return undefined
  return id3Bytes(head) === undefined ? 'other' : 'id3'
}

const ID3_HEADER_BYTES = 10
const ID3_FOOTER = 0x10

/**
 * How long the ID3v2 tags are that `head` begins with, their headers and footers included: most files have one.
 * @returns undefined where the ten bytes of a header are not all there, or are none
 */
export function id3Bytes(head: Buffer): number | undefined {
  let end = 0
  for (let bytes; (bytes = tagBytes(head.subarray(end))) !== undefined;) end += bytes
  return end > 0 ? end : undefined
}

function tagBytes(head: Buffer): number | undefined {
  if (head.length < ID3_HEADER_BYTES || head.toString('latin1', 0, 3) !== 'ID3') return undefined
  const sizes = head.subarray(6, ID3_HEADER_BYTES)
  if (head[3] === 0xff || head[4] === 0xff || sizes.some(byte => byte >= 0x80)) return undefined
  const size = sizes.reduce((sum, byte) => sum * 128 + byte, 0)
  return ID3_HEADER_BYTES + size + (head[5]! & ID3_FOOTER ? ID3_HEADER_BYTES : 0)
}

function match(head: Uint8Array, signatures: typeof SIGNATURES): Container | undefined {
  let undecided = false
  for (const [pattern, container] of signatures) {
    if (!agrees(head, pattern)) continue
    // Two may agree for as long as one of them is not whole: the earlier one has the say.
    if (head.length >= pattern.length) return undecided ? undefined : container
    undecided = true
  }
  return undecided ? undefined : 'other'
}

function agrees(head: Uint8Array, pattern: string): boolean {
  const length = Math.min(head.length, pattern.length)
  for (let i = 0; i < length; i++) {
    const wanted = pattern.charCodeAt(i)
    if (wanted !== ANY && wanted !== head[i]) return false
  }
  return true
}
