import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { bytesPerSample, PCM_ENCODINGS, type PcmFormat } from '#dist/audio/pcm-format.js'
import { resample } from '#dist/audio/resample.js'
import { splitChannels, type ChannelSplitter, type SplitChannelsWarning } from '#dist/audio/split-channels.js'
import { chunksOf, seededRandom } from './fixtures/chunks.js'

const STEREO: PcmFormat = { encoding: 's16le', sampleRateHertz: 8_000, channels: 2 }
const SURROUND: PcmFormat = { encoding: 's24be', sampleRateHertz: 48_000, channels: 3 }

/** Bytes that look random, the same on every machine. */
function noise(length: number): Buffer {
  const random = seededRandom(length)
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}

/** What one channel of `input` is, sample by sample. */
function channelOf(input: Buffer, { encoding, channels }: PcmFormat, channel: number): Buffer {
  const bytes = bytesPerSample(encoding)
  const samples: Buffer[] = []
  for (let at = channel * bytes; at + bytes <= input.length; at += channels * bytes)
    samples.push(input.subarray(at, at + bytes))
  return Buffer.concat(samples)
}

async function split(format: PcmFormat, chunks: Iterable<Buffer>): Promise<Buffer[]> {
  const splitter = splitChannels({ format })
  const outputs = splitter.outputs.map(output => buffer(output))
  await pipeline(Readable.from(chunks), splitter)
  return Promise.all(outputs)
}

const settle = async (turns = 20) => {
  for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve))
}

/** The code or message of the error with which each part ended, 'close' without one, 'open' when it has not. */
function fatesOf(splitter: ChannelSplitter): () => string[] {
  const fates = [splitter, ...splitter.outputs].map(stream => {
    let fate = 'open'
    stream.on('error', error => (fate = error.message))
    stream.on('close', () => (fate = fate === 'open' ? 'close' : fate))
    return () => fate
  })
  return () => fates.map(fate => fate())
}

t.test('gives each channel its samples, in their encoding', async t => {
  for (const encoding of PCM_ENCODINGS) {
    for (const channels of [1, 2, 5, 8]) {
      const format: PcmFormat = { encoding, sampleRateHertz: 16_000, channels }
      const input = noise(channels * bytesPerSample(encoding) * 50)
      const outputs = await split(format, [input])
      t.equal(outputs.length, channels)
      outputs.forEach((output, channel) => {
        t.ok(output.equals(channelOf(input, format, channel)), `${encoding}, ${channel} of ${channels}`)
      })
    }
  }
})

t.test('makes the same bytes for every split of the input', async t => {
  const input = noise(9 * 3_000)
  const random = seededRandom(7)
  const sizes: [string, () => number][] = [
    ['single bytes', () => 1],
    ['8 bytes', () => 8],
    ['10 bytes', () => 10],
    ['0 to 30 bytes', () => Math.floor(random() * 31)],
    ['0 to 9000 bytes', () => Math.floor(random() * 9_001)],
  ]
  for (const [name, size] of sizes) {
    const outputs = await split(SURROUND, chunksOf(input, size))
    for (const [channel, output] of outputs.entries())
      t.ok(output.equals(channelOf(input, SURROUND, channel)), `${name}, channel ${channel}`)
  }
})

t.test('tells the format of its outputs, which a resampler reads', async t => {
  const splitter = splitChannels({ format: STEREO })
  const input = noise(4 * 800)
  const [left, right] = splitter.outputs
  if (!left || !right) throw new Error('two outputs')
  t.strictSame(left.format, { ...STEREO, channels: 1 })
  const resampled = [left, right].map(output => buffer(output.pipe(resample({ format: output }))))
  splitter.end(input)
  for (const [channel, actual] of (await Promise.all(resampled)).entries()) {
    const picked = resample({ format: STEREO, channels: [channel] })
    picked.end(input)
    t.ok(actual.equals(await buffer(picked)), 'as a resampler that picks the channel')
  }
})

t.test('keeps nothing of a chunk that its owner may overwrite', async t => {
  for (const format of [SURROUND, { ...SURROUND, channels: 1 }]) {
    const input = noise(9 * 300)
    const splitter = splitChannels({ format })
    const outputs = splitter.outputs.map(output => buffer(output))
    const reused = Buffer.alloc(10)
    for (const slice of chunksOf(input, () => 10)) {
      slice.copy(reused)
      await new Promise(resolve => splitter.write(reused.subarray(0, slice.length), resolve))
      reused.fill(0xee)
    }
    splitter.end()
    for (const [channel, output] of (await Promise.all(outputs)).entries())
      t.ok(output.equals(channelOf(input, format, channel)))
  }
})

t.test('ends all outputs for empty input', async t => {
  for (const chunks of [[], [Buffer.alloc(0)]]) {
    const outputs = await split(SURROUND, chunks)
    t.strictSame(
      outputs.map(output => output.length),
      [0, 0, 0],
    )
  }
})

t.test('drops a block that the end tears apart, and says so', async t => {
  const input = noise(9 * 10)
  const splitter = splitChannels({ format: SURROUND })
  const warnings: SplitChannelsWarning[] = []
  splitter.on('warning', (warning: SplitChannelsWarning) => warnings.push(warning))
  const outputs = splitter.outputs.map(output => buffer(output))
  splitter.end(Buffer.concat([input, Buffer.alloc(7)]))
  for (const [channel, output] of (await Promise.all(outputs)).entries())
    t.ok(output.equals(channelOf(input, SURROUND, channel)))
  t.match(warnings, [{ code: 'STT_WARN_TORN_SAMPLE', message: /last 7 of a block's 9 bytes were dropped/ }])
  t.equal(warnings.length, 1)
})

t.test('holds the writer back for the slowest reader, and no longer', async t => {
  const splitter = splitChannels({ format: STEREO })
  const [fast, slow] = splitter.outputs
  if (!fast || !slow) throw new Error('two outputs')
  fast.resume()
  let pulled = 0
  const source = new Readable({
    read() {
      pulled += 4_000
      this.push(pulled <= 4_000_000 ? Buffer.alloc(4_000) : null)
    },
  })
  const done = pipeline(source, splitter)
  await settle()
  const before = pulled
  await settle()
  t.equal(pulled, before, 'the source rests while one output is unread')
  t.ok(slow.readableLength >= slow.readableHighWaterMark)
  t.ok(slow.readableLength <= slow.readableHighWaterMark + 2_000, 'one chunk more at most')
  t.ok(pulled < 500_000)
  slow.resume()
  await done
  t.equal(pulled, 4_004_000)
})

t.test('keeps every byte in order for readers of different pace', async t => {
  const input = noise(9 * 20_000)
  const splitter = splitChannels({ format: SURROUND })
  const received = splitter.outputs.map((): Buffer[] => [])
  const sinks = splitter.outputs.map((output, channel) => {
    const write = (chunk: Buffer, _encoding: BufferEncoding, done: () => void) => {
      received[channel]?.push(chunk)
      if (channel === 0) done()
      else setImmediate(done)
    }
    return pipeline(output, new Writable({ highWaterMark: 1, write }))
  })
  await Promise.all([pipeline(Readable.from(chunksOf(input, () => 5_001)), splitter), ...sinks])
  for (const [channel, chunks] of received.entries())
    t.ok(Buffer.concat(chunks).equals(channelOf(input, SURROUND, channel)))
})

t.test('goes on for readers that ask for more while they are handed data', async t => {
  const input = noise(200_000)
  const splitter = splitChannels({ format: STEREO })
  const received = splitter.outputs.map((output, channel) => {
    const chunks: Buffer[] = []
    output.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      output.read(0)
      if (channel === 0) splitter.outputs[1]?.read(0)
    })
    return chunks
  })
  await pipeline(Readable.from(chunksOf(input, () => 40_001)), splitter)
  for (const [channel, chunks] of received.entries())
    t.ok(Buffer.concat(chunks).equals(channelOf(input, STEREO, channel)))
})

t.test('is finished when all outputs are read, not before', async t => {
  const splitter = splitChannels({ format: STEREO })
  const [left, right] = splitter.outputs
  if (!left || !right) throw new Error('two outputs')
  let finished = false
  splitter.on('finish', () => (finished = true))
  splitter.end(noise(400))
  left.resume()
  await once(left, 'close')
  await settle()
  t.notOk(finished)
  right.resume()
  await once(splitter, 'close')
  t.ok(finished)
  t.ok(left.readableEnded && right.readableEnded)
})

t.test('falls as a whole, whichever part is destroyed, with the same error', async t => {
  const parts: [string, (splitter: ChannelSplitter) => Writable | Readable][] = [
    ['the splitter', splitter => splitter],
    ['the first output', ({ outputs }) => outputs[0]!],
    ['the last output', ({ outputs }) => outputs[2]!],
  ]
  const states: [string, (splitter: ChannelSplitter) => unknown][] = [
    ['untouched', () => undefined],
    ['with a torn block', splitter => splitter.write(Buffer.alloc(5))],
    ['with a chunk held back', splitter => splitter.write(Buffer.alloc(900_000))],
    ['ended and unread', splitter => splitter.end(Buffer.alloc(900))],
    ['half read', splitter => splitter.outputs[1]?.resume() && splitter.end(Buffer.alloc(900))],
  ]
  for (const [state, prepare] of states) {
    for (const [part, pick] of parts) {
      for (const error of [undefined, new Error('it broke')]) {
        const splitter = splitChannels({ format: SURROUND })
        const fates = fatesOf(splitter)
        prepare(splitter)
        await settle(3)
        pick(splitter).destroy(error)
        await settle(3)
        const expected = [splitter, ...splitter.outputs].map(stream =>
          // What had been read to its end had closed before.
          'readableEnded' in stream && stream.readableEnded ? 'close' : (error?.message ?? 'close'),
        )
        t.strictSame(fates(), expected, `${part}, ${state}, ${error ? 'with' : 'without'} an error`)
      }
    }
  }
})

t.test('frees a source that waits when one reader leaves, and its other readers', async t => {
  const splitter = splitChannels({ format: STEREO })
  const [left, right] = splitter.outputs
  if (!left || !right) throw new Error('two outputs')
  const source = new Readable({
    read() {
      this.push(Buffer.alloc(4_000))
    },
  })
  const feeding = pipeline(source, splitter)
  const reading = buffer(right)
  const leaving = (async () => {
    for await (const chunk of left) if (chunk) break
  })()
  // Which of the two a reader's `break` destroys with is Node's affair.
  const departed = /^(ABORT_ERR|ERR_STREAM_PREMATURE_CLOSE)$/
  await t.rejects(feeding, { code: departed })
  await t.rejects(reading, { code: departed })
  await leaving
  t.ok(source.destroyed && splitter.destroyed)
})

t.test('falls with its source and tells every reader why', async t => {
  const source = new PassThrough()
  const splitter = splitChannels({ format: STEREO })
  const readers = splitter.outputs.map(output => pipeline(output, new PassThrough().resume()))
  const feeding = pipeline(source, splitter)
  source.write(noise(999))
  source.destroy(new Error('the source broke'))
  for (const part of [feeding, ...readers]) await t.rejects(part, { message: 'the source broke' })
})

t.test('is aborted by its signal, before, during and after its input', async t => {
  for (const when of ['before', 'during', 'after'] as const) {
    const aborter = new AbortController()
    if (when === 'before') aborter.abort()
    const splitter = splitChannels({ format: STEREO, signal: aborter.signal })
    const fates = fatesOf(splitter)
    if (when === 'during') splitter.write(noise(100_000))
    if (when === 'after') splitter.end(noise(1_000))
    await settle(3)
    aborter.abort()
    await settle(3)
    const aborted = 'The operation was aborted'
    t.strictSame(fates(), [aborted, aborted, aborted], when)
  }
})

t.test('may be destroyed by a reader that it hands data to', async t => {
  const splitter = splitChannels({ format: STEREO })
  const fates = fatesOf(splitter)
  splitter.outputs[0]?.on('data', () => splitter.destroy())
  splitter.outputs[1]?.resume()
  splitter.write(noise(100_000))
  splitter.write(noise(100_000))
  await settle()
  t.strictSame(fates(), ['close', 'close', 'close'])
})

t.test('refuses a format that it cannot split', async t => {
  t.throws(() => splitChannels({ format: { ...STEREO, channels: 9 } }), RangeError)
  t.throws(() => splitChannels({ format: { ...STEREO, encoding: 's12le' as 's16le' } }), TypeError)
  for (const format of [null, undefined, 's16le'] as unknown as PcmFormat[]) {
    t.throws(() => splitChannels({ format }), {
      name: 'TypeError',
      message: /^format must be a PcmFormat; got/,
    })
  }
})
