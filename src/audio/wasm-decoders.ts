import type { CodecReader } from './codec-audio.js'
import { CODECS, type Codec } from './codecs.js'
import { MpegReader, type MpegDecoder } from './mpeg-reader.js'
import { OggOpusReader, type OpusDecoder } from './ogg-opus-reader.js'

/** A compiled WebAssembly module; threads can hand it to each other. */
export type WasmModule = object

/** What the decoders of npm have in common, beside their names. */
interface DecoderClass {
  new (options?: object): { readonly ready: Promise<void> }
  /** What the first of them would compile; its package sets it for threads of its own. */
  module?: WasmModule | undefined
}

/** As far as it is used; the types of this project know no browser's interfaces. */
declare const WebAssembly: { compile: (bytes: Uint8Array) => Promise<WasmModule> }

/**
 * Opens the decoder of a codec on this thread.
 * @param channels of MPEG audio, by its first frame
 * @param module what `onCompiled` was told on another thread: to unpack and compile it takes half of the start
 * @param onCompiled hears what was compiled here, once
 */
export async function openCodecReader(
  codec: Codec,
  channels: number | undefined,
  module: WasmModule | undefined,
  onCompiled: (module: WasmModule) => void,
): Promise<CodecReader> {
  const { name, className } = CODECS[codec]
  const classes = (await import(name)) as Record<string, DecoderClass>
  const Decoder = classes[className]
  if (!Decoder) throw new Error(`${name} has no ${className}`)
  Decoder.module = module
  const takeCompiled = watchCompiler()
  const open = async (options?: object): Promise<unknown> => {
    const decoder = new Decoder(options)
    await decoder.ready
    const compiled = takeCompiled()
    if (compiled) onCompiled(compiled)
    return decoder
  }
  if (codec === 'mp3') return new MpegReader((await open()) as MpegDecoder, channels)
  return new OggOpusReader(
    async head => (await open({ ...head, channelMappingTable: head.channelMapping })) as OpusDecoder,
  )
}

/** The packages keep what they compile to themselves. @returns takes the latest module, once */
function watchCompiler(): () => WasmModule | undefined {
  let latest: WasmModule | undefined
  const { compile } = WebAssembly
  WebAssembly.compile = async bytes => (latest = await compile(bytes))
  return () => {
    const taken = latest
    latest = undefined
    return taken
  }
}
