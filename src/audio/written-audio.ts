import { SttError } from '../errors.js'
import { encryptedAudio } from './ffmpeg-failure.js'
import { Mp4EncryptionScan } from './mp4-encryption.js'

/**
 * What may be written before the first sample comes, in bytes. ffmpeg has a bound for what it looks at, but none for
 * what it skips: padding, tags and null packets keep it reading for ever, and some of them in growing memory. The
 * index of a film and the largest cover art have a quarter of this.
 */
const MAX_UNANSWERED_BYTES = 64 * 1024 * 1024

/** Watches what is written to ffmpeg, for what ffmpeg does not notice by itself. */
export class WrittenAudio {
  readonly #encryption = new Mp4EncryptionScan()
  #unansweredBytes = 0
  #isAnswered = false

  /** @returns why no more should be written */
  push(chunk: Buffer): SttError | undefined {
    this.#encryption.push(chunk)
    if (this.#encryption.isEncrypted) return encryptedAudio()
    this.#unansweredBytes += chunk.length
    if (this.#isAnswered || this.#unansweredBytes <= MAX_UNANSWERED_BYTES) return undefined
    const why = `ffmpeg has found no audio in the first ${MAX_UNANSWERED_BYTES / 1024 / 1024} MiB of the stream`
    return new SttError('STT_ERR_DECODE', why)
  }

  /** Samples have come. */
  answered(): void {
    this.#isAnswered = true
  }
}
