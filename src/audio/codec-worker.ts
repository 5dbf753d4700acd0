import { parentPort, workerData } from 'node:worker_threads'
import type { CodecAudio } from './codec-audio.js'
import type { Codec } from './codecs.js'
import { openCodecReader, type WasmModule } from './wasm-decoders.js'

/*
 * The thread of one CodecDecoding: chunks in, samples out, one answer for each chunk. A thread of its own, because
 * these decoders block while they work, write to the console where a file is damaged, and may not come back from one.
 */

/** What a thread is started with. */
export interface CodecWorkerData {
  readonly codec: Codec
  /** Of MPEG audio, by its first frame: its decoder makes two of one. */
  readonly channels?: number | undefined
  /** The decoder, compiled by a thread before this one. */
  readonly module?: WasmModule | undefined
}

/** The answer to a chunk, or to null: the end. */
export interface CodecAnswer {
  readonly kind: 'answer'
  /** Interleaved. */
  readonly samples: Float32Array
  /** 0 as long as there is none. */
  readonly channels: number
  readonly sampleRateHertz: number
  /** How many parts it could not decode, and what was wrong with the first. */
  readonly complaints: number
  readonly complaint?: string | undefined
}

/** What a thread says: that it has loaded, what it has compiled, and its answers. */
export type CodecMessage =
  { readonly kind: 'loaded' } | { readonly kind: 'compiled'; readonly module: WasmModule } | CodecAnswer

const { codec, channels, module } = workerData as CodecWorkerData
const reader = await openCodecReader(codec, channels, module, compiled =>
  tell({ kind: 'compiled', module: compiled }),
)
let pending = Promise.resolve()
tell({ kind: 'loaded' })

function tell(message: CodecMessage, transferred: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transferred)
}

async function answer(chunk: Uint8Array | null): Promise<void> {
  const parts: CodecAudio[] = []
  const bytes = chunk ?? new Uint8Array()
  for await (const part of reader.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
    parts.push(part)
  const heard = parts.filter(part => lengthOf(part) > 0)
  const complaints = parts.flatMap(part => part.complaints)
  const samples = interleave(heard)
  const message: CodecAnswer = {
    kind: 'answer',
    samples,
    channels: heard[0]?.channels.length ?? 0,
    sampleRateHertz: heard[0]?.sampleRateHertz ?? 0,
    complaints: complaints.length,
    complaint: complaints[0],
  }
  tell(message, [samples.buffer as ArrayBuffer])
}

function lengthOf({ channels: planes }: CodecAudio): number {
  return planes[0]?.length ?? 0
}

function interleave(parts: readonly CodecAudio[]): Float32Array {
  const count = parts[0]?.channels.length ?? 0
  const samples = new Float32Array(parts.reduce((sum, part) => sum + lengthOf(part) * count, 0))
  let start = 0
  for (const part of parts) {
    if (part.channels.length !== count || part.sampleRateHertz !== parts[0]!.sampleRateHertz)
      throw new Error('rate or channels change in the middle')
    for (const [c, plane] of part.channels.entries()) {
      for (let i = 0, at = start + c; i < plane.length; i++, at += count) samples[at] = plane[i]!
    }
    start += lengthOf(part) * count
  }
  return samples
}

parentPort?.on('message', (chunk: Uint8Array | null) => {
  // What it throws ends the thread with that error.
  pending = pending.then(() => answer(chunk))
})
