import { parentPort, workerData } from 'node:worker_threads'
import { CODECS, type Codec } from './codecs.js'
import { OggPages } from './ogg-pages.js'

/*
 * The thread of one CodecDecoding: chunks in, samples out, one answer for each chunk. A thread of its own, because
 * these decoders block while they work, write to the console where a file is damaged, and may not come back from one.
 */

/** What a thread is started with. */
export interface CodecWorkerData {
  readonly codec: Codec
  /** Of MPEG audio, by its first frame: its decoder makes two of one. */
  readonly channels?: number | undefined
}

/** The answer to a chunk, or to null: the end. */
export interface CodecAnswer {
  /** Interleaved. */
  readonly samples: Float32Array
  /** 0 as long as there is none. */
  readonly channels: number
  readonly sampleRateHertz: number
  /** How many parts it could not decode, and what was wrong with the first. */
  readonly complaints: number
  readonly complaint?: string | undefined
}

/** What a thread says: first that it has loaded, then its answers. */
export type CodecMessage = 'loaded' | CodecAnswer

interface Decoded {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly sampleRate: number
  readonly errors: readonly { readonly message: string }[]
}

interface WasmDecoder {
  readonly ready: Promise<void>
  decode(bytes: Uint8Array): Decoded | Promise<Decoded>
  flush?(): Decoded | Promise<Decoded>
  free(): void
}

const { codec, channels } = workerData as CodecWorkerData
const { name, className } = CODECS[codec]
const module = (await import(name)) as Record<string, new () => WasmDecoder>
const pages = codec === 'opus' ? new OggPages() : undefined

let decoder = await open()
let isFirstLink = true
let pending = Promise.resolve()
tell('loaded')

function tell(message: CodecMessage, transferred: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transferred)
}

async function open(): Promise<WasmDecoder> {
  const Decoder = module[className]
  if (!Decoder) throw new Error(`${name} has no ${className}`)
  const opened = new Decoder()
  await opened.ready
  return opened
}

async function* decodeChunk(chunk: Buffer): AsyncGenerator<Decoded> {
  if (!pages) {
    yield await decoder.decode(chunk)
    return
  }
  for (const { startsLink, pages: run } of pages.runs(chunk)) {
    // These decoders stop at the end of the first link.
    if (startsLink && !isFirstLink) {
      yield* finish()
      decoder = await open()
    }
    if (startsLink) isFirstLink = false
    yield await decoder.decode(Buffer.concat(run))
  }
}

async function* finish(): AsyncGenerator<Decoded> {
  if (decoder.flush) yield await decoder.flush()
  decoder.free()
}

async function answer(chunk: Buffer | undefined): Promise<void> {
  const parts: Decoded[] = []
  for await (const part of chunk ? decodeChunk(chunk) : finish()) parts.push(part)
  const heard = parts.filter(({ samplesDecoded }) => samplesDecoded > 0)
  const errors = parts.flatMap(part => part.errors)
  const samples = interleave(heard)
  const message = {
    samples,
    channels: channelsOf(heard[0]),
    sampleRateHertz: heard[0]?.sampleRate ?? 0,
    complaints: errors.length,
    complaint: errors[0]?.message,
  }
  tell(message, [samples.buffer as ArrayBuffer])
}

function channelsOf(part: Decoded | undefined): number {
  return part ? (channels ?? part.channelData.length) : 0
}

/**
 * Which channel of Opus in Ogg comes first, second, ... in every other file: Vorbis has the middle between left and
 * right, and the low frequencies last (RFC 7845, section 5.1.1.2).
 */
const FROM_VORBIS_ORDER: Readonly<Record<number, readonly number[]>> = {
  3: [0, 2, 1],
  5: [0, 2, 1, 3, 4],
  6: [0, 2, 1, 5, 3, 4],
  7: [0, 2, 1, 6, 5, 3, 4],
  8: [0, 2, 1, 7, 5, 6, 3, 4],
}

function interleave(parts: readonly Decoded[]): Float32Array {
  const count = channelsOf(parts[0])
  const order = codec === 'opus' ? FROM_VORBIS_ORDER[count] : undefined
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.samplesDecoded * count, 0))
  const isMono = count === 1
  let start = 0
  for (const part of parts) {
    if (channelsOf(part) !== count || part.sampleRate !== parts[0]!.sampleRate)
      throw new Error('rate or channels change in the middle')
    for (let c = 0; c < count; c++) {
      const channel = isMono ? meanOf(part.channelData) : part.channelData[order?.[c] ?? c]!
      for (let i = 0, at = start + c; i < part.samplesDecoded; i++, at += count) samples[at] = channel[i]!
    }
    start += part.samplesDecoded * count
  }
  return samples
}

/** Of two that are the same it is each of them; where an mp3 goes on in stereo, both are heard. */
function meanOf([left, right]: readonly Float32Array[]): Float32Array {
  return right ? left!.map((sample, i) => (sample + right[i]!) / 2) : left!
}

parentPort?.on('message', (chunk: Uint8Array | null) => {
  // What it throws ends the thread with that error.
  pending = pending.then(() =>
    answer(chunk ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : undefined),
  )
})
