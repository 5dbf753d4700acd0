import type { CodecAudio, CodecReader, Decoded } from './codec-audio.js'

/** mpg123-decoder's class, as far as it is used. */
export interface MpegDecoder {
  readonly ready: Promise<void>
  decode(bytes: Uint8Array): Decoded
}

/** MPEG audio of all layers. */
export class MpegReader implements CodecReader {
  readonly #decoder: MpegDecoder
  readonly #isMono: boolean

  /** @param channels by the first frame: the decoder makes two of one */
  constructor(decoder: MpegDecoder, channels: number | undefined) {
    this.#decoder = decoder
    this.#isMono = channels === 1
  }

  *decode(chunk: Buffer): Iterable<CodecAudio> {
    const { channelData, sampleRate, errors } = this.#decoder.decode(chunk)
    yield {
      channels: this.#isMono ? [meanOf(channelData)] : channelData,
      sampleRateHertz: sampleRate,
      complaints: errors.map(({ message }) => message),
    }
  }
}

/** Of two that are the same it is each of them; where an mp3 goes on in stereo, both are heard. */
function meanOf([left, right]: readonly Float32Array[]): Float32Array {
  return right ? left!.map((sample, i) => (sample + right[i]!) / 2) : left!
}
