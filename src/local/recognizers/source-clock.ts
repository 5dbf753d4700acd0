import { SAMPLES_PER_MS, STAMP_HOP_MS, StampReader } from '../stamp.js'

/** A stretch of a connection's audio, and where it stands in the source. In ms. */
export interface SourceSpan {
  sourceMs: number
  connectionMs: number
  durationMs: number
}

/** Tells the time of the source from the audio of one connection. */
export interface SourceClock {
  /** Where the next sample stands on the connection, in ms. */
  readonly connectionMs: number
  /** Goes on at another moment of the connection: what lies between is not heard. */
  seek(connectionMs: number): void
  push(pcm: Int16Array): SourceSpan[]
}

/** One connection carries the whole source from its beginning: both times are one. */
export class ConnectionClock implements SourceClock {
  connectionMs = 0

  seek(connectionMs: number): void {
    this.connectionMs = connectionMs
  }

  push(pcm: Int16Array): SourceSpan[] {
    const startMs = this.connectionMs
    const durationMs = pcm.length / SAMPLES_PER_MS
    this.connectionMs += durationMs
    return durationMs === 0 ? [] : [{ sourceMs: startMs, connectionMs: startMs, durationMs }]
  }
}

/** The audio carries the time of its source: whatever comes in between has none. */
export class StampClock implements SourceClock {
  readonly #reader = new StampReader()

  get connectionMs(): number {
    return this.#reader.position / SAMPLES_PER_MS
  }

  seek(connectionMs: number): void {
    this.#reader.seek(connectionMs * SAMPLES_PER_MS)
  }

  push(pcm: Int16Array): SourceSpan[] {
    return this.#reader.push(pcm).map(({ hop, at }) => ({
      sourceMs: hop * STAMP_HOP_MS,
      connectionMs: at / SAMPLES_PER_MS,
      durationMs: STAMP_HOP_MS,
    }))
  }
}
