/**
 * Whether an ISO base media file can be decoded while it streams by. Its index is the `moov` box, its samples
 * lie in `mdat`: with the index first (or fragmented: `moof`) a pipe will do, with the samples first only a file
 * that can be sought.
 */
export type Mp4Layout = 'streamable' | 'seek-only'

const SIZE_AND_TYPE = 8
const LARGE_SIZE = 8

/** Each look at a longer head begins anew: without a bound, empty boxes would cost a lot. */
const MAX_BOXES = 100

/**
 * Walks the top-level boxes of the first bytes of a file.
 * @returns undefined while neither box has come by; 'seek-only', which does for every file, where too many others have
 */
export function mp4Layout(head: Buffer): Mp4Layout | undefined {
  let at = 0
  for (let boxes = 0; at + SIZE_AND_TYPE <= head.length; boxes++) {
    if (boxes === MAX_BOXES) return 'seek-only'
    const type = head.toString('latin1', at + 4, at + 8)
    if (type === 'moov' || type === 'moof') return 'streamable'
    if (type === 'mdat') return 'seek-only'
    let size = head.readUInt32BE(at)
    // Size 1 announces 64 bits after the type; size 0, "to the end of the file", leaves nothing to come.
    if (size === 1) {
      if (at + SIZE_AND_TYPE + LARGE_SIZE > head.length) return undefined
      size = Number(head.readBigUInt64BE(at + SIZE_AND_TYPE))
    }
    // No boxes after all: ffmpeg will name what is wrong with it.
    if (size < SIZE_AND_TYPE) return 'streamable'
    at += size
  }
  return undefined
}
