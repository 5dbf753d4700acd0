import { createRequire } from 'node:module'

/** What decoders in process read: MPEG audio of all layers, FLAC, Opus in Ogg. */
export type Codec = 'mp3' | 'flac' | 'opus'

/** A WebAssembly decoder of npm, all of one family and one interface; optional dependencies. */
export interface CodecPackage {
  readonly name: string
  readonly className: string
  /** Chunks below this are put together first: the parser of FLAC loses its place in very small ones. */
  readonly minChunkBytes: number
}

export const CODECS: Readonly<Record<Codec, CodecPackage>> = {
  mp3: { name: 'mpg123-decoder', className: 'MPEGDecoder', minChunkBytes: 1 },
  flac: { name: '@wasm-audio-decoders/flac', className: 'FLACDecoder', minChunkBytes: 1024 },
  opus: { name: 'ogg-opus-decoder', className: 'OggOpusDecoder', minChunkBytes: 1 },
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
