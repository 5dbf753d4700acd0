import { readAiffHeader } from '#dist/audio/aiff.js'
import { readAuHeader } from '#dist/audio/au.js'
import { readCafHeader } from '#dist/audio/caf.js'
import { chooseRoute } from '#dist/audio/decode-route.js'
import { HEAD_LIMIT_BYTES } from '#dist/audio/head.js'
import { mp4Layout } from '#dist/audio/mp4-layout.js'
import { OggPackets } from '#dist/audio/ogg-packets.js'
import { readOpusHead } from '#dist/audio/opus-head.js'
import { PCM_ENCODINGS } from '#dist/audio/pcm-format.js'
import type { PcmHeader } from '#dist/audio/pcm-reader.js'
import { sniff } from '#dist/audio/sniff.js'
import { readW64Header } from '#dist/audio/w64.js'
import { readWavHeader } from '#dist/audio/wav.js'
import { SttError } from '#dist/errors.js'

/** Whatever looks at the first bytes of a file: each answers undefined until it knows, and then for good. */
const READERS: Readonly<Record<string, (head: Buffer) => unknown>> = {
  sniff,
  chooseRoute: head => chooseRoute(head, false),
  mp4Layout,
  readWavHeader,
  readW64Header,
  readAiffHeader,
  readCafHeader,
  readAuHeader,
}

/** The same at the end of a file, where there is nothing left to wait for. */
const READERS_AT_THE_END: typeof READERS = {
  chooseRoute: head => chooseRoute(head, true),
  readWavHeader: head => readWavHeader(head, true),
}

const UNDECIDED = 'undefined'

/** As much as a stream may hold before it gives a header up. */
const longest = Buffer.alloc(HEAD_LIMIT_BYTES)

/**
 * Holds every reader to its rules: it throws nothing but an error of the input, tells of samples that can be, heeds
 * nothing but the bytes it is given and leaves them alone, and does not change its mind when more of them come. Packets
 * of Ogg are the same whatever the split.
 * @param prefixes lengths at which to ask for its mind before
 * @throws with the name of the reader and the rule that it broke
 */
export function checkRules(input: Buffer, prefixes: Iterable<number>): void {
  const lengths = [...prefixes].filter(length => length >= 0 && length < input.length)
  const elsewhere = surrounded(input)
  for (const [name, read] of Object.entries(READERS)) {
    const answer = answerOf(name, read, input)
    for (const length of lengths) {
      const earlier = answerOf(name, read, input.subarray(0, length))
      if (earlier !== UNDECIDED && earlier !== answer)
        throw new Error(
          `${name} changed its mind: ${earlier} after ${length} bytes, ${answer} after ${input.length}`,
        )
    }
    const again = answerOf(name, read, elsewhere)
    if (!elsewhere.equals(input)) throw new Error(`${name} wrote into its input`)
    if (again !== answer) throw new Error(`${name} said ${answer}, then ${again} of the same bytes elsewhere`)
  }
  for (const [name, read] of Object.entries(READERS_AT_THE_END)) answerOf(name, read, input)
  if (answerOf('chooseRoute', READERS['chooseRoute']!, input) === UNDECIDED) checkLimit(input)
  if (packetsOf(input, lengths) !== packetsOf(input, []))
    throw new Error('OggPackets heeds how the bytes are split')
}

function packetsOf(input: Buffer, splits: readonly number[]): string {
  const packets = new OggPackets()
  const ends = [...splits].sort((a, b) => a - b)
  return [...ends, input.length]
    .flatMap((end, i) => packets.read(input.subarray(i === 0 ? 0 : ends[i - 1], end)))
    .map(({ bytes, ...rest }) => JSON.stringify([bytes.toString('hex'), rest, readOpusHead(bytes)]))
    .join()
}

/** The same bytes in the middle of others, at an odd offset: what is read beyond them shows. */
function surrounded(input: Buffer): Buffer {
  const pool = Buffer.alloc(input.length + 64, 0xff)
  input.copy(pool, 3)
  return pool.subarray(3, 3 + input.length)
}

/** No stream waits for more than the limit. */
function checkLimit(input: Buffer): void {
  input.copy(longest)
  const answer = answerOf('chooseRoute', READERS['chooseRoute']!, longest)
  longest.fill(0, 0, input.length)
  if (answer === UNDECIDED) throw new Error(`chooseRoute wants more than ${HEAD_LIMIT_BYTES} bytes`)
}

/** As text, to be compared. */
function answerOf(name: string, read: (head: Buffer) => unknown, head: Buffer): string {
  let answer: unknown
  try {
    answer = read(head)
  } catch (error) {
    const isTyped = error instanceof SttError && /^STT_ERR_(DECODE|UNSUPPORTED_AUDIO)/.test(error.code)
    if (!isTyped) throw new Error(`${name} threw ${String(error)}`, { cause: error })
    return `${error.code}: ${error.message}`
  }
  for (const header of headersIn(answer)) {
    const wrong = wrongIn(header)
    if (wrong) throw new Error(`${name} told of ${wrong}: ${describe(answer)}`)
  }
  return describe(answer)
}

function headersIn(answer: unknown): PcmHeader[] {
  if (typeof answer !== 'object' || answer === null) return []
  return 'header' in answer
    ? [answer.header as PcmHeader]
    : 'dataOffset' in answer
      ? [answer as PcmHeader]
      : []
}

function wrongIn({ format, dataOffset, dataBytes }: PcmHeader): string | undefined {
  const { encoding, sampleRateHertz, channels } = format
  if (!PCM_ENCODINGS.includes(encoding)) return 'an unknown encoding'
  if (!isWhole(sampleRateHertz, 4_000, 384_000)) return 'an impossible rate'
  if (!isWhole(channels, 1, 8)) return 'an impossible number of channels'
  if (!isWhole(dataOffset, 1, 2 * HEAD_LIMIT_BYTES)) return 'samples that begin nowhere'
  if (dataBytes !== Infinity && !isWhole(dataBytes, 0, Number.MAX_SAFE_INTEGER)) return 'an impossible length'
  return undefined
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

/** JSON would make null of what is infinite. */
function describe(answer: unknown): string {
  if (answer === undefined) return UNDECIDED
  return JSON.stringify(answer, (_, value: unknown) => (value === Infinity ? 'Infinity' : value))
}
