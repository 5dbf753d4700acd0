/** What a decoder of npm makes of some bytes. */
export interface Decoded {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly sampleRate: number
  readonly errors: readonly { readonly message: string }[]
}

/** Samples, channel by channel, all of one length. */
export interface CodecAudio {
  readonly channels: readonly Float32Array[]
  readonly sampleRateHertz: number
  /** What was wrong with the parts that could not be decoded. */
  readonly complaints: readonly string[]
}

/** Reads one kind of file, in chunks of any length. */
export interface CodecReader {
  decode(chunk: Buffer): AsyncIterable<CodecAudio> | Iterable<CodecAudio>
}
