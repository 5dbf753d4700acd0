import { createRequire } from 'node:module'

/**
 * What decoders in process read: MPEG audio of all layers, and Opus in Ogg. Their kin for FLAC and Vorbis are not
 * used: at a damaged place the one drops all that follows without a word, the other throws, and ffmpeg does neither.
 */
export type Codec = 'mp3' | 'opus'

/** A WebAssembly decoder of npm, both of one family and one interface; optional dependencies. */
export interface CodecPackage {
  readonly name: string
  readonly className: string
}

export const CODECS: Readonly<Record<Codec, CodecPackage>> = {
  mp3: { name: 'mpg123-decoder', className: 'MPEGDecoder' },
  opus: { name: 'opus-decoder', className: 'OpusDecoder' },
}

const require = createRequire(import.meta.url)

/** Whether the package that decodes it is installed. */
export function hasCodec(codec: Codec): boolean {
  try {
    require.resolve(CODECS[codec].name)
    return true
  } catch {
    return false
  }
}
