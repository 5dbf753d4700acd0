import type { WarnOfAudio } from './inspect-warning.js'
import { bytesPerSample, blockAlign, type PcmFormat } from './pcm-format.js'

/** How a container begins: a rare string to look for, where it stands in the header, and what must surround it. */
interface Signature {
  readonly container: string
  readonly mark: Buffer
  /** From the header's first byte to the mark. */
  readonly markOffset: number
  readonly fits: (bytes: Buffer, start: number) => boolean
}

/** The longest stretch that a signature looks at; less than this may be cut off at the end of what is searched. */
export const HEADER_BYTES = 24

const tag = (bytes: Buffer, at: number) => bytes.toString('latin1', at, at + 4)

/** Those that programs write in front of every chunk or file. Four bytes alone occur by chance, twelve do not. */
const SIGNATURES: readonly Signature[] = [
  {
    container: 'WAV',
    mark: Buffer.from('WAVE'),
    markOffset: 8,
    fits: (bytes, at) => ['RIFF', 'RIFX', 'RF64', 'BW64'].includes(tag(bytes, at)),
  },
  {
    container: 'AIFF',
    mark: Buffer.from('FORM'),
    markOffset: 0,
    fits: (bytes, at) => ['AIFF', 'AIFC'].includes(tag(bytes, at + 8)),
  },
  {
    container: 'AU',
    mark: Buffer.from('.snd'),
    markOffset: 0,
    // Offset of the samples, encoding, rate and channels, each within what the format allows.
    fits: (bytes, at) =>
      isWithin(bytes.readUInt32BE(at + 4), 24, 65_536) &&
      isWithin(bytes.readUInt32BE(at + 12), 1, 27) &&
      isWithin(bytes.readUInt32BE(at + 16), 4_000, 384_000) &&
      isWithin(bytes.readUInt32BE(at + 20), 1, 8),
  },
  {
    container: 'Ogg',
    mark: Buffer.from('OggS\0'),
    markOffset: 0,
    // Of a page's flags three are defined; the high half of its sequence number is 0 for the first hours.
    fits: (bytes, at) => bytes[at + 5]! <= 7 && bytes.readUInt16LE(at + 20) === 0,
  },
]

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most
}

/** Looks for the header of a file in the middle of samples: as when each chunk is a file of its own. */
export class HeaderCheck {
  readonly #format: PcmFormat
  readonly #warn: WarnOfAudio
  #isDone = false

  constructor(format: PcmFormat, warn: WarnOfAudio) {
    this.#format = format
    this.#warn = warn
  }

  /** @param start where `bytes` stand among the samples, in bytes */
  look(bytes: Buffer, start: number): void {
    for (const signature of SIGNATURES) {
      if (this.#isDone) return
      const at = indexOfHeader(bytes, signature)
      if (at >= 0) this.#found(signature.container, start + at)
    }
  }

  #found(container: string, positionBytes: number): void {
    this.#isDone = true
    const block = blockAlign(this.#format)
    const positionMs = Math.round((positionBytes / block / this.#format.sampleRateHertz) * 1_000)
    const shift = positionBytes % bytesPerSample(this.#format.encoding)
    this.#warn({
      code: 'STT_WARN_HEADER_IN_AUDIO',
      message:
        `the header of a file (${container}) stands among the samples, ${positionBytes} bytes or ${positionMs} ms ` +
        'after their beginning: it is read as audio. Were files joined, or is each chunk a file of its own? Send ' +
        'the samples of each without its header, or decode each by itself',
      evidence: { container, positionBytes, positionMs, bytesIntoSample: shift },
    })
  }
}

function indexOfHeader(bytes: Buffer, { mark, markOffset, fits }: Signature): number {
  for (let found = bytes.indexOf(mark); found >= 0; found = bytes.indexOf(mark, found + 1)) {
    const at = found - markOffset
    if (at >= 0 && at + HEADER_BYTES <= bytes.length && fits(bytes, at)) return at
  }
  return -1
}
