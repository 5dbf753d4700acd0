import { LatencyHistogram, type LatencySummary } from './latency-histogram.js'
import { SendTimes } from './send-times.js'

/**
 * What one stream measures of itself, over all its connections. Pure: it is told what happened and when, and has no
 * clock of its own.
 *
 * A latency runs from the moment at which the audio of a result's end was first handed to the socket until the result
 * came. A result's end is the end of its last word; without word times it is the end of the newest frame of speech.
 * It is measured once: an interim that reaches no further than an earlier one tells nothing new.
 */
export interface StreamMetricsSnapshot {
  /** WebSocket messages to the service, over all connections. */
  messagesSent: number
  /** Their payload, in bytes. */
  bytesSent: number
  /** WebSocket messages from the service, over all connections. */
  messagesReceived: number
  /** Their payload, in bytes. */
  bytesReceived: number
  /** From audio to interim; absent until one is measured. */
  audioToInterim?: LatencySummary
  /** From audio to final; absent until one is measured. */
  audioToFinal?: LatencySummary
}

export class StreamMetrics {
  readonly #sendTimes = new SendTimes()
  readonly #audioToInterim = new LatencyHistogram()
  readonly #audioToFinal = new LatencyHistogram()
  /** Where the newest frame of speech ends, in ms of the source. */
  #speechEndMs = 0
  /** Where the furthest result ends, in ms of the source. */
  #interimEndMs = 0
  #messagesSent = 0
  #bytesSent = 0
  #messagesReceived = 0
  #bytesReceived = 0
  #skippedUntilMs = 0

  /** How far the source has been sent or left out, in ms. */
  get doneMs(): number {
    return Math.max(this.#sendTimes.newestMs, this.#skippedUntilMs)
  }

  /** A frame was handed to the socket; `endMs` on the source's clock. A replayed one changes nothing. */
  frameSent(endMs: number, voiced: boolean, nowMs: number): void {
    if (voiced && endMs > this.#sendTimes.newestMs) this.#speechEndMs = endMs
    this.#sendTimes.add(endMs, nowMs)
  }

  /** The audio up to `endMs` of the source will not be sent. */
  skipped(endMs: number): void {
    this.#skippedUntilMs = endMs
  }

  messageSent(bytes: number): void {
    this.#messagesSent++
    this.#bytesSent += bytes
  }

  messageReceived(bytes: number): void {
    this.#messagesReceived++
    this.#bytesReceived += bytes
  }

  /**
   * @param endMs end of the last word, on the source's clock; undefined without word times
   * @returns the latency in ms, undefined where there is none to measure
   */
  interim(endMs: number | undefined, nowMs: number): number | undefined {
    const reachedMs = this.#endOf(endMs)
    if (reachedMs <= this.#interimEndMs) return undefined
    this.#interimEndMs = reachedMs
    return this.#measure(this.#audioToInterim, reachedMs, nowMs)
  }

  /** As `interim`. Not for a promoted final, which is no answer of the service. */
  final(endMs: number | undefined, nowMs: number): number | undefined {
    const reachedMs = this.#endOf(endMs)
    const latencyMs = this.#measure(this.#audioToFinal, reachedMs, nowMs)
    this.#sendTimes.forgetUntil(reachedMs)
    return latencyMs
  }

  snapshot(): StreamMetricsSnapshot {
    const audioToInterim = this.#audioToInterim.summary()
    const audioToFinal = this.#audioToFinal.summary()
    return {
      messagesSent: this.#messagesSent,
      bytesSent: this.#bytesSent,
      messagesReceived: this.#messagesReceived,
      bytesReceived: this.#bytesReceived,
      ...(audioToInterim && { audioToInterim }),
      ...(audioToFinal && { audioToFinal }),
    }
  }

  /** Services round word times up, even past the last of the audio. */
  #endOf(endMs = this.#speechEndMs): number {
    return Math.min(endMs, this.#sendTimes.newestMs)
  }

  #measure(histogram: LatencyHistogram, endMs: number, nowMs: number): number | undefined {
    const sentAtMs = this.#sendTimes.at(endMs)
    if (sentAtMs === undefined) return undefined
    const latencyMs = Math.max(0, nowMs - sentAtMs)
    histogram.record(latencyMs)
    return latencyMs
  }
}
