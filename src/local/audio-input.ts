import { once } from 'node:events'
import type { Transform } from 'node:stream'
import type { PcmFormat } from '../audio/pcm-format.js'
import { resample } from '../audio/resample.js'

/** A client's LINEAR16 bytes, cut anywhere, as 16 kHz mono samples. */
export interface AudioInput {
  push(bytes: Buffer): Promise<Int16Array>
  /** What the filter still held. */
  end(): Promise<Int16Array>
  close(): void
}

export function audioInput(format: PcmFormat): AudioInput {
  const asIs = format.sampleRateHertz === 16_000 && format.channels === 1
  return asIs ? new SameRateInput() : new ResampledInput(format)
}

class SameRateInput implements AudioInput {
  #carried = Buffer.alloc(0)

  push(bytes: Buffer): Promise<Int16Array> {
    const whole = this.#carried.length === 0 ? bytes : Buffer.concat([this.#carried, bytes])
    this.#carried = Buffer.from(whole.subarray(whole.length - (whole.length % 2)))
    return Promise.resolve(linear16Samples(whole))
  }

  end(): Promise<Int16Array> {
    return Promise.resolve(new Int16Array(0))
  }

  close(): void {
    this.#carried = Buffer.alloc(0)
  }
}

class ResampledInput implements AudioInput {
  readonly #stage: Transform
  #ready: Buffer[] = []

  constructor(format: PcmFormat) {
    this.#stage = resample({ format })
    // Taking what is ready as it comes keeps a long chunk from waiting for room on the readable side.
    this.#stage.on('readable', () => this.#take())
    // A failure reaches push() through the write's callback; the stream still wants a listener.
    this.#stage.on('error', () => {})
  }

  async push(bytes: Buffer): Promise<Int16Array> {
    await new Promise<void>((resolve, reject) => {
      this.#stage.write(bytes, error => (error ? reject(error) : resolve()))
    })
    return this.#drain()
  }

  async end(): Promise<Int16Array> {
    const ended = once(this.#stage, 'end')
    this.#stage.end()
    this.#take()
    await ended
    return this.#drain()
  }

  close(): void {
    this.#stage.destroy()
  }

  #drain(): Int16Array {
    this.#take()
    const bytes = Buffer.concat(this.#ready)
    this.#ready = []
    return linear16Samples(bytes)
  }

  #take(): void {
    for (let chunk: unknown; (chunk = this.#stage.read()) !== null;) this.#ready.push(chunk as Buffer)
  }
}

/** Copies whole samples out of bytes that may stand at an odd address. */
export function linear16Samples(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length >> 1)
  new Uint8Array(samples.buffer).set(bytes.subarray(0, samples.byteLength))
  return samples
}
