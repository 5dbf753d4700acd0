import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { SttError } from '../errors.js'
import { checkContainerFormat } from './container-format.js'
import type { CodecAnswer, CodecMessage, CodecWorkerData } from './codec-worker.js'
import { CODECS, type Codec } from './codecs.js'
import type { Callback, Decoding, DecodingSink } from './decoding.js'
import type { PcmFormat } from './pcm-format.js'
import type { WasmModule } from './wasm-decoders.js'

/** What one message to the thread holds: bounds the samples that one answer brings. */
const SLICE_BYTES = 4096
/** How many slices the thread may have before it: it works on one while the answer to another is taken. */
const SLICES_AHEAD = 2
/** How long a thread may take to load before it is ended all the same, in ms. */
const LOAD_GRACE_MS = 5_000

/** What threads have compiled, for those that come after. */
const COMPILED = new Map<Codec, WasmModule>()

/** In process, by a WebAssembly decoder on a thread of its own. */
export class CodecDecoding implements Decoding {
  readonly #codec: Codec
  readonly #sink: DecodingSink
  readonly #stallTimeoutMs: number
  readonly #worker: Worker
  /** The thread has loaded, or is gone. */
  readonly #loaded: Promise<unknown>
  #format: PcmFormat | undefined
  #complaints = 0
  #complaint = ''
  /** The rest of the chunk that was written, and who waits for it to be gone. */
  #unsent: Buffer = Buffer.alloc(0)
  #written: Callback | undefined
  #underWay = 0
  #ended = false
  #paused = false
  #closed = false
  #watch: NodeJS.Timeout | undefined

  /** @param stallTimeoutMs how long the thread may owe an answer, in ms */
  constructor(data: CodecWorkerData, stallTimeoutMs: number, sink: DecodingSink) {
    this.#codec = data.codec
    this.#sink = sink
    this.#stallTimeoutMs = stallTimeoutMs
    this.#worker = new Worker(new URL('codec-worker.js', import.meta.url), {
      workerData: { ...data, module: COMPILED.get(data.codec) } satisfies CodecWorkerData,
      // What the program was started with (loaders, the inspector) is not for this thread.
      execArgv: [],
      // Taken and thrown away: a library writes nothing to the console, whatever its decoders do.
      stdout: true,
      stderr: true,
    })
    this.#worker.stdout.resume()
    this.#worker.stderr.resume()
    this.#loaded = Promise.race([once(this.#worker, 'message'), once(this.#worker, 'exit')]).catch(() => {})
    this.#worker.on('message', (message: CodecMessage) => {
      if (message.kind === 'answer') this.#onAnswer(message)
      else if (message.kind === 'compiled') COMPILED.set(data.codec, message.module)
    })
    this.#worker.on('error', cause => this.#fail(`failed: ${cause.message}`, cause))
    this.#worker.on('exit', code => this.#fail(`ended by itself, with code ${code}`))
  }

  write(chunk: Buffer, callback: Callback): void {
    this.#unsent = chunk
    this.#written = callback
    this.#advance()
  }

  end(callback: Callback): void {
    this.#ended = true
    this.#post(null)
    callback()
  }

  resume(): void {
    this.#paused = false
    this.#advance()
  }

  async close(): Promise<void> {
    this.#settle()
    this.#release()
    await this.#untilLoaded()
    await this.#worker.terminate()
  }

  /** A thread that is ended while it loads leaves the files of its modules open. */
  #untilLoaded(): Promise<void> {
    return new Promise(done => {
      const timer = setTimeout(done, LOAD_GRACE_MS)
      void this.#loaded.then(() => {
        clearTimeout(timer)
        done()
      })
    })
  }

  #advance(): void {
    if (this.#closed) return
    while (this.#unsent.length > 0 && this.#underWay < SLICES_AHEAD && !this.#paused) {
      const slice = new Uint8Array(this.#unsent.subarray(0, SLICE_BYTES))
      this.#unsent = this.#unsent.subarray(slice.length)
      this.#post(slice)
    }
    if (this.#unsent.length === 0) this.#release()
  }

  /** Whoever waits for a write to be taken waits no more. */
  #release(): void {
    const written = this.#written
    this.#written = undefined
    written?.()
  }

  #post(slice: Uint8Array<ArrayBuffer> | null): void {
    this.#underWay++
    this.#worker.postMessage(slice, slice ? [slice.buffer] : [])
    this.#guard()
  }

  #onAnswer({ samples, channels, sampleRateHertz, complaints, complaint }: CodecAnswer): void {
    if (this.#closed) return
    this.#underWay--
    this.#guard()
    this.#complaints += complaints
    this.#complaint ||= complaint ?? ''
    if (samples.length > 0 && !this.#deliver(samples, channels, sampleRateHertz)) return
    if (this.#ended && this.#underWay === 0) this.#finish()
    else this.#advance()
  }

  /** @returns whether it goes on */
  #deliver(samples: Float32Array, channels: number, sampleRateHertz: number): boolean {
    try {
      const format = (this.#format ??= checkContainerFormat(
        { encoding: NATIVE_F32, sampleRateHertz, channels },
        this.#codec,
      ))
      if (format.channels !== channels || format.sampleRateHertz !== sampleRateHertz) {
        const change = `${format.sampleRateHertz} Hz and ${format.channels} channels become ${sampleRateHertz} Hz and ${channels}`
        const remedy = "the option decoder: 'ffmpeg' converts it"
        throw new SttError(
          'STT_ERR_UNSUPPORTED_AUDIO',
          `the audio changes in the middle: ${change}; ${remedy}`,
        )
      }
      const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
      if (!this.#sink.samples(bytes, format)) this.#paused = true
      return true
    } catch (error) {
      this.#settle()
      this.#sink.fail(error as SttError)
      return false
    }
  }

  #finish(): void {
    if (!this.#format) {
      this.#fail('found no audio')
      return
    }
    this.#settle()
    if (this.#complaints > 0) {
      const what = `${this.#complaints} parts of the ${this.#codec} audio could not be decoded`
      this.#sink.warn({ code: 'STT_WARN_DAMAGED', message: `${what}; the first: ${this.#complaint}` })
    }
    this.#worker.terminate().then(
      () => this.#sink.end(),
      () => this.#sink.end(),
    )
  }

  #fail(how: string, cause?: unknown): void {
    if (this.#closed) return
    this.#settle()
    const message = `the ${this.#codec} decoder (${CODECS[this.#codec].name}) ${how}; the option decoder: 'ffmpeg' may do better`
    this.#sink.fail(new SttError('STT_ERR_DECODE', message, { cause }))
  }

  /** The clock runs while the thread owes an answer. */
  #guard(): void {
    clearTimeout(this.#watch)
    if (this.#underWay === 0) return
    this.#watch = setTimeout(
      () => this.#fail(`has made no progress for ${this.#stallTimeoutMs} ms`),
      this.#stallTimeoutMs,
    )
  }

  #settle(): void {
    this.#closed = true
    clearTimeout(this.#watch)
  }
}

/** A Float32Array holds what this machine's byte order is. */
const NATIVE_F32 = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'f32le' : 'f32be'
