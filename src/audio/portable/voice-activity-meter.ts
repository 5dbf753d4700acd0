/** Places of a report. */
export const HOPS = 0
export const SPEECH_HOPS = 1
export const ENERGY = 2
export const REPORT_LENGTH = 3

/** One stream's voice activity, native or portable: both find speech in the same hops of 10 ms. */
export interface VoiceActivityMeter {
  /**
   * Takes 16 kHz mono LINEAR16, at any byte offset, and fills the report: how many hops these samples complete,
   * how many of those hold speech, and the sum of the squares of these samples.
   * @throws RangeError for half a sample, or a report of other than `REPORT_LENGTH` values
   */
  process(pcm: Uint8Array, report: Float64Array): void
}

/** Guards a meter's `process`: native code trusts what this lets through. */
export function checkVoiceActivity(pcm: Uint8Array, report: Float64Array): void {
  if (pcm.length % 2 !== 0) {
    throw new RangeError(`pcm must hold whole samples of 2 bytes; got ${pcm.length} bytes`)
  }
  if (report.length !== REPORT_LENGTH) {
    throw new RangeError(`report must hold ${REPORT_LENGTH} values; got ${report.length}`)
  }
}
