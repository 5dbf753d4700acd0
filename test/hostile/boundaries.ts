/**
 * Where the parts of a file begin: a file that was cut off, by a crash or a lost connection, ends anywhere, but a
 * reader's mistakes show where one part is whole and the next is missing. Each walker reads just enough of its format.
 */
export type Boundaries = (file: Buffer) => number[]

/** Ids of four characters and sizes of 32 bits behind a header of twelve bytes; payloads padded to two. */
export const riffChunks: Boundaries = file => iffChunks(file, 12, 8, 2, at => file.readUInt32LE(at + 4))

export const aiffChunks: Boundaries = file => iffChunks(file, 12, 8, 2, at => file.readUInt32BE(at + 4))

export const cafChunks: Boundaries = file =>
  iffChunks(file, 8, 12, 1, at => Number(file.readBigInt64BE(at + 4)))

export const wave64Chunks: Boundaries = file =>
  iffChunks(file, 40, 24, 8, at => Number(file.readBigInt64LE(at + 16)) - 24)

function iffChunks(
  file: Buffer,
  from: number,
  headerBytes: number,
  align: number,
  size: (at: number) => number,
): number[] {
  const found = [4, from - 4]
  for (let at = from; at + headerBytes <= file.length;) {
    found.push(at, at + 4, at + headerBytes)
    at = Math.ceil((at + headerBytes + size(at)) / align) * align
    found.push(at - align)
  }
  return within(file, found)
}

/** Six words. */
export const auWords: Boundaries = file => within(file, [4, 8, 12, 16, 20, 24])

const MP4_PARENTS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'moof', 'traf', 'mvex', 'udta'])

export const mp4Boxes: Boundaries = file => {
  const found: number[] = []
  const walk = (from: number, to: number) => {
    for (let at = from; at + 8 <= to;) {
      const end = at + Math.max(8, file.readUInt32BE(at))
      found.push(at, at + 8)
      if (MP4_PARENTS.has(file.toString('latin1', at + 4, at + 8))) walk(at + 8, Math.min(end, to))
      at = end
    }
  }
  walk(0, file.length)
  return within(file, found)
}

/** Pages: a header of 27 bytes, the table of their segments, the segments. */
export const oggPages: Boundaries = file => {
  const found: number[] = []
  for (let at = 0; at + 27 <= file.length;) {
    const segments = at + 27 + (file[at + 26] ?? 0)
    const end = file.subarray(at + 27, segments).reduce((sum, length) => sum + length, segments)
    found.push(at, at + 27, segments, end)
    at = end
  }
  return within(file, found)
}

/** Blocks of metadata, then frames; what looks like a frame's beginning inside one does no harm here. */
export const flacBlocks: Boundaries = file => {
  const found = [4]
  let at = 4
  for (let isLast = false; !isLast && at + 4 <= file.length;) {
    isLast = ((file[at] ?? 0) & 0x80) !== 0
    found.push(at + 4)
    at += 4 + file.readUIntBE(at + 1, 3)
    found.push(at)
  }
  for (; at + 2 <= file.length; at++) if ((file.readUInt16BE(at) & 0xfffe) === 0xfff8) found.push(at, at + 2)
  return within(file, found)
}

/** In kbit/s, of layer III: MPEG-1, then MPEG-2 and 2.5. */
const MP3_BITRATES = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const
const MP3_RATES = [44_100, 48_000, 32_000] as const

/** The ID3 tag, then frames. */
export const mp3Frames: Boundaries = file => {
  const found: number[] = []
  let at = 0
  if (file.toString('latin1', 0, 3) === 'ID3') {
    at = 10 + [6, 7, 8, 9].reduce((sum, i) => sum * 128 + (file[i] ?? 0), 0)
    found.push(3, 10)
  }
  while (at + 4 <= file.length) {
    const word = file.readUInt32BE(at)
    const version = (word >>> 19) & 3
    const isFirst = version === 3
    const kbits = MP3_BITRATES[isFirst ? 0 : 1][(word >>> 12) & 15] ?? 0
    const hertz = (MP3_RATES[(word >>> 10) & 3] ?? 0) / (isFirst ? 1 : version === 2 ? 2 : 4)
    const length = Math.floor(((isFirst ? 144 : 72) * kbits * 1000) / hertz) + ((word >>> 9) & 1)
    found.push(at, at + 4)
    if (!(length > 4)) break
    at += length
  }
  return within(file, found)
}

export const adtsFrames: Boundaries = file => {
  const found: number[] = []
  for (let at = 0; at + 7 <= file.length;) {
    found.push(at, at + 7)
    at += Math.max(7, (file.readUInt32BE(at + 3) >>> 13) & 0x1fff)
  }
  return within(file, found)
}

/** Segment, Tracks, TrackEntry, Cluster, and the EBML header. */
const EBML_PARENTS = new Set([0x18538067, 0x1654ae6b, 0xae, 0x1f43b675, 0x1a45dfa3])

export const ebmlElements: Boundaries = file => {
  const found: number[] = []
  /** How many bytes a number takes that begins with this one: the first set bit tells. */
  const width = (at: number) => Math.clz32(file[at] ?? 0) - 23
  const walk = (from: number, to: number) => {
    for (let at = from; at + 2 <= to;) {
      const sizeAt = at + width(at)
      const sizeBytes = width(sizeAt)
      if (sizeAt - at > 4 || sizeBytes > 8 || sizeAt + sizeBytes > to) break
      const id = file.readUIntBE(at, sizeAt - at)
      const size = Number(
        BigInt.asUintN(7 * sizeBytes, BigInt(`0x${file.toString('hex', sizeAt, sizeAt + sizeBytes)}`)),
      )
      const body = sizeAt + sizeBytes
      const end = size === 2 ** (7 * sizeBytes) - 1 ? to : Math.min(to, body + size)
      found.push(at, body)
      if (EBML_PARENTS.has(id)) walk(body, end)
      at = end
    }
  }
  walk(0, file.length)
  return within(file, found)
}

/** Objects with GUIDs; those of the header stand inside it, thirty bytes on. */
export const asfObjects: Boundaries = file => {
  const found: number[] = []
  const walk = (from: number, to: number) => {
    for (let at = from; at + 24 <= to;) {
      const end = at + Math.max(24, Number(file.readBigUInt64LE(at + 16)))
      found.push(at, at + 16, at + 24)
      if (at === 0) walk(30, Math.min(end, to))
      at = end
    }
  }
  walk(0, file.length)
  return within(file, found)
}

/** Frames of one length behind a magic word. */
export function equalFrames(magicBytes: number, frameBytes: number): Boundaries {
  return file => {
    const found = [magicBytes]
    for (let at = magicBytes; at < file.length; at += frameBytes) found.push(at)
    return within(file, found)
  }
}

function within(file: Buffer, found: number[]): number[] {
  return [...new Set(found)].filter(at => at > 0 && at < file.length).sort((a, b) => a - b)
}
