import {
  bitOfSample,
  SAMPLES_PER_MS,
  STAMP_HOP_MS,
  STAMP_HOP_SAMPLES,
  stampBits,
  StampReader,
  stampSample,
} from './stamp.js'
import { linear16Samples } from './audio-input.js'
import { checkScript, isSpoken, type Script } from './recognizers/script.js'
import { voiceSample } from './synthetic-voice.js'

/**
 * Audio for a script: inside the utterances a sound that voice activity detectors take for speech, outside them
 * silence of ±1 in 16 bits. Each 10 ms of it carries its own position in the source, so that
 * `scriptedRecognizer(script, { clock: 'stamps' })` hears the script by the time of the source over any number of
 * connections. The stamps live in the lowest two bits: they survive only where the samples pass unchanged.
 * @param durationMs how much of the source, a multiple of 10
 * @param fromMs where it begins, a multiple of 10; a long source can be made piece by piece. Default 0
 * @returns 16 kHz mono s16le, 32 bytes per ms
 * @throws TypeError, RangeError for a script that is not in order, or times that are no multiples of 10
 */
export function stampedAudio(script: Script, durationMs: number, fromMs = 0): Buffer {
  checkScript(script)
  checkHops('durationMs', durationMs)
  checkHops('fromMs', fromMs)
  const pcm = Buffer.allocUnsafe(durationMs * SAMPLES_PER_MS * 2)
  const firstHop = fromMs / STAMP_HOP_MS
  for (let hop = 0; hop < durationMs / STAMP_HOP_MS; hop++) {
    const bits = stampBits(firstHop + hop)
    const position = (firstHop + hop) * STAMP_HOP_SAMPLES
    bits.forEach((bit, i) => {
      const spoken = isSpoken(script, (position + i) / SAMPLES_PER_MS)
      const sample = stampSample(spoken ? voiceSample(position + i) : 0, bit)
      pcm.writeInt16LE(sample, (hop * STAMP_HOP_SAMPLES + i) * 2)
    })
  }
  return pcm
}

/** A stretch of audio that lies in the source as well, sample by sample. All in bytes of 16 kHz mono s16le. */
export interface StampedRun {
  /** Where it begins in the audio. */
  at: number
  /** Where it begins in the source. */
  sourceAt: number
  length: number
}

/**
 * What of its source some audio holds, e.g. what a server got over one connection, cut at any sample. What lies
 * between the runs was put there by somebody else. A run is known by its stamps, not compared: that is
 * for whoever has the source. A piece is found if it holds a whole hop of 10 ms; its rests on both sides belong
 * to it as far as their bits are the right ones.
 * @throws RangeError for half a sample
 */
export function stampedRuns(pcm: Uint8Array): StampedRun[] {
  if (pcm.length % 2 !== 0) {
    throw new RangeError(`pcm must hold whole samples of 2 bytes; got ${pcm.length} bytes`)
  }
  const samples = linear16Samples(pcm)
  const runs: { at: number; source: number; length: number }[] = []
  for (const { hop, at } of new StampReader().push(samples)) {
    const source = hop * STAMP_HOP_SAMPLES
    const last = runs.at(-1)
    if (last && last.at + last.length === at && last.source + last.length === source) {
      last.length += STAMP_HOP_SAMPLES
    } else {
      runs.push({ at, source, length: STAMP_HOP_SAMPLES })
    }
  }
  runs.forEach((run, index) => {
    const before = runs[index - 1]
    const room = run.at - (before ? before.at + before.length : 0)
    const torn = tornLength(samples, run.at - 1, run.source - 1, -1, room)
    run.at -= torn
    run.source -= torn
    run.length += torn
    const end = run.at + run.length
    const roomBehind = (runs[index + 1]?.at ?? samples.length) - end
    run.length += tornLength(samples, end, run.source + run.length, 1, roomBehind)
  })
  return runs.map(({ at, source, length }) => ({ at: at * 2, sourceAt: source * 2, length: length * 2 }))
}

/** How many samples, from this one on and in one direction, carry the bits of this place in the source. */
function tornLength(samples: Int16Array, at: number, source: number, step: 1 | -1, room: number): number {
  if (source < 0) return 0
  // What is whole is known already, so the rest lies in one hop.
  const bits = stampBits(Math.floor(source / STAMP_HOP_SAMPLES))
  const first = source % STAMP_HOP_SAMPLES
  let length = 0
  while (length < room && bitOfSample(samples[at + length * step]!) === bits[first + length * step]) length++
  return length
}

function checkHops(name: string, value: unknown): void {
  const expected = `${name} must be a multiple of ${STAMP_HOP_MS} ms`
  if (typeof value !== 'number') throw new TypeError(`${expected}; got ${typeof value}`)
  if (!Number.isInteger(value / STAMP_HOP_MS) || value < 0) throw new RangeError(`${expected}; got ${value}`)
}
