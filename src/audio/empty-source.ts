import type { Readable } from 'node:stream'
import { SttError } from '../errors.js'

/*
 * Whoever names a source, a file or an address, means to have something of it: the download or the program before the
 * pipe has failed. What a program writes may well end before it began, as a call does that is hung up at once.
 */

/** A stream that a source is piped into. */
interface Taker {
  stats(): { readonly bytesIn: number }
  destroy(error: Error): void
}

export function emptySource(): SttError {
  return new SttError('STT_ERR_DECODE_NO_AUDIO', 'the source is empty: it ended without a byte')
}

/** Of a file that ends behind its header. */
export function noSamples(): SttError {
  return new SttError(
    'STT_ERR_DECODE_NO_AUDIO',
    'there is no audio in it: no sample stands behind its header',
  )
}

/** Fails the stream where the source ends without a byte. To be called before it is piped. */
export function refuseEmpty(source: Readable, taker: Taker): void {
  source.once('end', () => {
    if (taker.stats().bytesIn === 0) taker.destroy(emptySource())
  })
}
