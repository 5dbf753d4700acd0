import type { Dice } from '../chaos/dice.js'

/** Headers mostly end before this, in bytes; damage there does more than in the samples. */
const HEADER_BYTES = 160

/** What sizes and counts are when they are wrong. */
const EXTREMES = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
] as const

/** A copy with one to sixteen bits flipped and, now and then, something worse. */
export function damaged(file: Buffer, dice: Dice): Buffer {
  let copy = Buffer.from(file)
  const place = () => dice.int(0, (dice.chance(0.6) ? Math.min(HEADER_BYTES, copy.length) : copy.length) - 1)
  for (let flips = dice.scale(1, 16); flips > 0; flips--) {
    const at = place()
    copy[at] = (copy[at] ?? 0) ^ (1 << dice.int(0, 7))
  }
  if (dice.chance(0.2) && copy.length >= 4) {
    const at = Math.min(place(), copy.length - 4)
    const value = dice.pick(EXTREMES)
    if (dice.chance(0.5)) copy.writeUInt32LE(value, at)
    else copy.writeUInt32BE(value, at)
  }
  if (dice.chance(0.1)) {
    const from = place()
    const to = from + dice.scale(1, 400)
    const rest = copy.subarray(dice.chance(0.5) ? to : from)
    copy = Buffer.concat([copy.subarray(0, to), rest])
  }
  if (dice.chance(0.1)) copy = copy.subarray(0, dice.int(1, copy.length))
  return copy
}

/** In pieces of any length. */
export function split(file: Buffer, dice: Dice): Buffer[] {
  const chunks: Buffer[] = []
  const longest = dice.scale(16, 65_536)
  for (let at = 0; at < file.length;) {
    const length = dice.int(1, longest)
    chunks.push(file.subarray(at, at + length))
    at += length
  }
  return chunks
}
