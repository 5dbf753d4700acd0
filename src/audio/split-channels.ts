import { addAbortSignal, Readable, Writable } from 'node:stream'
import { blockAlign, bytesPerSample, checkPcmFormat, type PcmFormat } from './pcm-format.js'

/** Options of {@link splitChannels}. */
export interface SplitChannelsOptions {
  /** What the input holds. */
  format: PcmFormat
  /** Destroys the splitter and its outputs with an AbortError. */
  signal?: AbortSignal | undefined
}

/** Something that a listener should hear of and that does not end the stream. */
export interface SplitChannelsWarning {
  readonly code: 'STT_WARN_TORN_SAMPLE'
  readonly message: string
}

/** The samples of one channel. */
export interface ChannelOutput extends Readable {
  /** What the chunks hold: the input's format with one channel. */
  readonly format: PcmFormat
}

type Callback = (error?: Error | null) => void

/**
 * Interleaved PCM in, one stream for each channel out, for a session per speaker. Samples keep their encoding.
 *
 * ```js
 * const splitter = splitChannels({ format: { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 2 } })
 * const [agent, caller] = splitter.outputs
 * ```
 *
 * All outputs must be read: the slowest reader governs, and one that stops for ever stops the others too.
 * `resume()` an output whose audio is not wanted. Destroying the splitter or an output before its end destroys
 * them all, with the same error.
 * @throws TypeError, RangeError for a format out of range
 */
export function splitChannels(options: SplitChannelsOptions): ChannelSplitter {
  return new ChannelSplitter(options)
}

/**
 * The stream of {@link splitChannels}. It finishes when all its outputs have been read to their end. Emits
 * `warning` ({@link SplitChannelsWarning}) where the input ends inside a block of samples.
 */
export class ChannelSplitter extends Writable {
  // A chunk's callback waits in `#held` until each output has room for more. Bytes of a block that a chunk tore
  // apart wait in `#torn`.
  /** One for each channel, in the input's order. */
  readonly outputs: readonly ChannelOutput[]
  readonly #outputs: readonly Output[]
  readonly #sampleBytes: number
  readonly #torn: Buffer
  #tornBytes = 0
  #held: Callback | undefined
  #finish: Callback | undefined

  /** @throws TypeError, RangeError */
  constructor({ format, signal }: SplitChannelsOptions) {
    const given: unknown = format
    if (typeof given !== 'object' || given === null)
      throw new TypeError(`format must be a PcmFormat; got ${given === null ? 'null' : typeof given}`)
    checkPcmFormat(format, 'format')
    super()
    this.#sampleBytes = bytesPerSample(format.encoding)
    this.#torn = Buffer.alloc(blockAlign(format))
    const owner: Owner = {
      onRoom: () => this.#release(),
      onClose: (output, error) => this.#onClose(output, error),
    }
    const mono = { ...format, channels: 1 }
    this.#outputs = Array.from({ length: format.channels }, () => new Output(mono, owner))
    this.outputs = this.#outputs
    // Not through super(): a signal aborted already would call _destroy before the private fields exist.
    if (signal) addAbortSignal(signal, this)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    const block = this.#torn.length
    const rest = chunk.subarray(this.#mend(chunk))
    const whole = rest.length - (rest.length % block)
    this.#deliver(rest.subarray(0, whole))
    if (whole < rest.length) this.#tornBytes = rest.copy(this.#torn, 0, whole)
    // Only now: a reader that is handed data may ask for more at once, before the others have theirs.
    this.#held = callback
    this.#release()
  }

  override _final(callback: Callback): void {
    if (this.#tornBytes > 0) {
      const what = `${this.#tornBytes} of a block's ${this.#torn.length} bytes`
      const message = `the input ended inside a sample: its last ${what} were dropped`
      this.emit('warning', { code: 'STT_WARN_TORN_SAMPLE', message } satisfies SplitChannelsWarning)
    }
    this.#finish = callback
    for (const output of this.#outputs) output.push(null)
  }

  override _destroy(error: Error | null, callback: Callback): void {
    for (const output of this.#outputs) output.destroy(error ?? undefined)
    callback(error)
  }

  /** Completes the torn block with the first bytes of `chunk`; returns how many it took. */
  #mend(chunk: Buffer): number {
    if (this.#tornBytes === 0) return 0
    const taken = chunk.copy(this.#torn, this.#tornBytes)
    this.#tornBytes += taken
    if (this.#tornBytes === this.#torn.length) {
      this.#tornBytes = 0
      this.#deliver(this.#torn)
    }
    return taken
  }

  #deliver(blocks: Buffer): void {
    if (blocks.length === 0) return
    this.#outputs.forEach((output, channel) => {
      output.deliver(samplesOf(blocks, channel * this.#sampleBytes, this.#sampleBytes, this.#torn.length))
    })
  }

  /** Lets the writer go on once every reader takes more. */
  #release(): void {
    const held = this.#held
    if (!held || !this.#outputs.every(output => output.hasRoom)) return
    this.#held = undefined
    held()
  }

  #onClose(output: Output, error: Error | null): void {
    if (!output.readableEnded) this.destroy(error ?? undefined)
    else if (this.#outputs.every(({ readableEnded }) => readableEnded)) this.#finish?.()
  }
}

/** The splitter, as its outputs see it. */
interface Owner {
  onRoom(): void
  onClose(output: Output, error: Error | null): void
}

class Output extends Readable implements ChannelOutput {
  readonly format: PcmFormat
  readonly #owner: Owner
  #hasRoom = true

  constructor(format: PcmFormat, owner: Owner) {
    super()
    this.format = format
    this.#owner = owner
  }

  /** Whether it takes more. */
  get hasRoom(): boolean {
    return this.#hasRoom
  }

  deliver(samples: Buffer): void {
    this.#hasRoom = this.push(samples)
  }

  override _read(): void {
    this.#hasRoom = true
    this.#owner.onRoom()
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#owner.onClose(this, error)
    callback(error)
  }
}

/** The samples of one channel, copied: a chunk's owner may overwrite it. */
function samplesOf(blocks: Buffer, offset: number, sampleBytes: number, blockBytes: number): Buffer {
  const samples = Buffer.allocUnsafe((blocks.length / blockBytes) * sampleBytes)
  let to = 0
  for (let from = offset; from < blocks.length; from += blockBytes)
    for (let byte = 0; byte < sampleBytes; byte++) samples[to++] = blocks[from + byte]!
  return samples
}
