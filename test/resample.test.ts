import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { PcmFormat } from '#dist/audio/pcm-format.js'
import { resample, type Resampler, type ResampleWarning } from '#dist/audio/resample.js'
import {
  outputsOf,
  outputsReadyAfter,
  resamplerGeometry,
  type ResamplerGeometry,
} from '#dist/audio/portable/resampler-geometry.js'
import { RESAMPLER_QUALITIES, type ResamplerQuality } from '#dist/audio/resampler-quality.js'
import { SttError } from '#dist/errors.js'

const MONO_48K: PcmFormat = { encoding: 's16le', sampleRateHertz: 48_000, channels: 1 }
const MONO_8K: PcmFormat = { encoding: 'mulaw', sampleRateHertz: 8000, channels: 1 }
const ODD: PcmFormat = { encoding: 's16be', sampleRateHertz: 31_987, channels: 1 }
const SURROUND: PcmFormat = { encoding: 's24be', sampleRateHertz: 44_100, channels: 3 }

/** Bytes that look random, the same on every machine. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

function* slices(bytes: Buffer, ...lengths: number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1
    yield bytes.subarray(at, at + length)
    at += length
  }
}

async function collect(stream: Resampler): Promise<Buffer> {
  return Buffer.concat((await stream.toArray()) as Buffer[])
}

async function convert(
  format: PcmFormat,
  chunks: Iterable<Buffer>,
  quality?: ResamplerQuality,
): Promise<Buffer> {
  return collect(Readable.from(chunks).pipe(resample({ format, quality })))
}

function warningsOf(stream: Resampler): ResampleWarning[] {
  const warnings: ResampleWarning[] = []
  stream.on('warning', (warning: ResampleWarning) => warnings.push(warning))
  return warnings
}

t.test('makes the same bytes for every split of the input', async t => {
  const formats = [MONO_48K, MONO_8K, SURROUND, ODD, { ...MONO_48K, sampleRateHertz: 16_000 }]
  for (const format of formats) {
    for (const quality of RESAMPLER_QUALITIES) {
      const input = noise(18 * 600)
      const expected = await convert(format, [input], quality)
      for (const lengths of [[1], [2], [3], [5, 8, 1, 0, 13], [4097]]) {
        const output = await convert(format, slices(input, ...lengths), quality)
        const what = `${quality}, ${format.sampleRateHertz} Hz in slices of ${lengths.join(', ')}`
        t.ok(output.equals(expected), what)
      }
    }
  }
})

t.test('reads views into pooled buffers at odd offsets', async t => {
  const input = noise(9 * 500)
  const pool = Buffer.concat([Buffer.from([1]), input, Buffer.from([2, 3])])
  const expected = await convert(SURROUND, [input])
  t.ok((await convert(SURROUND, slices(pool.subarray(1, 1 + input.length), 7, 100))).equals(expected))
  const stream = resample({ format: SURROUND })
  stream.end(new Uint8Array(pool.buffer, pool.byteOffset + 1, input.length))
  t.ok((await collect(stream)).equals(expected))
})

t.test('keeps nothing of a chunk that its owner may overwrite', async t => {
  const input = noise(9 * 300)
  const expected = await convert(SURROUND, [input])
  const stream = resample({ format: SURROUND })
  const output = collect(stream)
  const reused = Buffer.alloc(10)
  for (const slice of slices(input, 10)) {
    slice.copy(reused)
    await new Promise(resolve => stream.write(reused.subarray(0, slice.length), resolve))
    reused.fill(0xee)
  }
  stream.end()
  t.ok((await output).equals(expected))
})

t.test('pushes buffers of its own, bounded and never reused', async t => {
  const input = noise(1 << 20)
  const stream = resample({ format: MONO_8K })
  const chunks: Buffer[] = []
  const copies: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    copies.push(Buffer.from(chunk))
  })
  stream.end(input)
  await once(stream, 'end')
  t.equal(Buffer.concat(chunks).length, 4 << 20)
  t.ok(
    chunks.every(chunk => chunk.length <= 16_000),
    'half a second of output at most',
  )
  t.ok(chunks.every((chunk, i) => chunk.equals(copies[i]!)))
})

t.test('ends without output for empty input, format or none', async t => {
  t.equal((await convert(MONO_48K, [])).length, 0)
  t.equal((await convert(MONO_48K, [Buffer.alloc(0)])).length, 0)
  const stream = resample({ format: {} })
  const warnings = warningsOf(stream)
  stream.end()
  t.equal((await collect(stream)).length, 0)
  t.strictSame(warnings, [])
})

t.test('reads the format of its source at the first chunk', async t => {
  const source: { format?: PcmFormat } = {}
  const stream = resample({ format: source })
  source.format = MONO_8K
  const input = noise(800)
  stream.write(input)
  source.format = MONO_48K
  stream.end()
  t.ok((await collect(stream)).equals(await convert(MONO_8K, [input])))
})

t.test('fails where the format is still unknown at the first chunk', async t => {
  const stream = resample({ format: {} })
  t.throws(() => stream.samplesAvailableAfter(1), { code: 'STT_ERR_UNSUPPORTED_AUDIO' })
  stream.write(Buffer.alloc(2))
  const [error] = (await once(stream, 'error')) as [SttError]
  t.type(error, SttError)
  t.match(error, { code: 'STT_ERR_UNSUPPORTED_AUDIO', message: /format of the audio is unknown/ })
})

t.test('fails where the source brings a format out of range', async t => {
  const stream = resample({ format: { format: { ...MONO_48K, sampleRateHertz: 500_000 } } })
  stream.write(Buffer.alloc(2))
  const [error] = (await once(stream, 'error')) as [SttError]
  t.match(error, {
    code: 'STT_ERR_UNSUPPORTED_AUDIO',
    message: /sampleRateHertz must be an integer from 4000/,
  })
  t.type(error.cause, RangeError)
})

t.test('refuses a declared format out of range before it takes any bytes', async t => {
  t.throws(() => resample({ format: { ...MONO_48K, channels: 9 } }), RangeError)
  t.throws(() => resample({ format: { ...MONO_48K, encoding: 's12le' as 's16le' } }), TypeError)
  for (const format of [null, undefined, 's16le'] as unknown as PcmFormat[]) {
    t.throws(() => resample({ format }), { name: 'TypeError', message: /^format must be a PcmFormat/ })
  }
})

t.test('drops a sample that the end tears apart, and says so', async t => {
  const input = noise(9 * 100)
  const stream = resample({ format: SURROUND })
  const warnings = warningsOf(stream)
  stream.end(Buffer.concat([input, Buffer.alloc(5)]))
  t.ok((await collect(stream)).equals(await convert(SURROUND, [input])))
  t.match(warnings, [{ code: 'STT_WARN_TORN_SAMPLE', message: /last 5 of a sample's 9 bytes were dropped/ }])
  t.equal(warnings.length, 1)
})

t.test('warns once of samples that are no numbers, and counts each once', async t => {
  const input = Buffer.alloc(4 * 4800)
  input.writeFloatLE(NaN, 40)
  input.writeFloatLE(Infinity, 400)
  input.writeFloatLE(-Infinity, 12_000)
  // Some are torn by the slices, and all are in the memory of many outputs.
  for (const lengths of [[4800], [1000], [3]]) {
    for (const quality of RESAMPLER_QUALITIES) {
      const stream = resample({ format: { ...MONO_48K, encoding: 'f32le' }, quality })
      const warnings = warningsOf(stream)
      t.equal(stream.nonFiniteSamples, 0)
      for (const slice of slices(input, ...lengths)) stream.write(slice)
      stream.end()
      const output = await collect(stream)
      t.ok(output.equals(Buffer.alloc(3200)))
      t.equal(stream.nonFiniteSamples, 3)
      t.strictSame(
        warnings.map(({ code }) => code),
        ['STT_WARN_NON_FINITE'],
      )
    }
  }
})

t.test('saturates what is over full scale', async t => {
  for (const quality of RESAMPLER_QUALITIES) {
    for (const [value, expected] of [
      [2.5, 32_767],
      [-2.5, -32_768],
    ] as const) {
      const input = Buffer.alloc(4 * 4800)
      for (let at = 0; at < input.length; at += 4) input.writeFloatLE(value, at)
      const output = await convert({ ...MONO_48K, encoding: 'f32le' }, slices(input, 1001), quality)
      t.equal(output.readInt16LE(1600), expected)
    }
  }
})

t.test("keeps less of what comes and waits less at quality 'fast'", async t => {
  const input = noise(2 * 4800)
  const [high, fast] = [await convert(MONO_48K, [input], 'high'), await convert(MONO_48K, [input], 'fast')]
  t.ok(high.equals(await convert(MONO_48K, [input])), "'high' is the default")
  t.equal(fast.length, high.length)
  t.notOk(fast.equals(high))
  const availableOf = (quality: ResamplerQuality) =>
    resample({ format: MONO_48K, quality }).samplesAvailableAfter(input.length)
  t.ok(availableOf('fast') > availableOf('high'))
})

t.test('refuses a quality that there is not', async t => {
  for (const quality of ['best', 'HIGH', 1, null] as unknown as ResamplerQuality[]) {
    t.throws(() => resample({ format: MONO_48K, quality }), {
      name: 'TypeError',
      message: `quality must be 'high' or 'fast'; got ${String(quality)}`,
    })
  }
})

t.test('foretells how many samples have been pushed after so many bytes', async t => {
  const rates = [4000, 8000, 11_025, 16_000, 22_050, 31_987, 44_100, 48_000, 192_000]
  for (const [i, sampleRateHertz] of rates.entries()) {
    for (const [k, lengths] of [[1], [2, 3, 50, 1], [999]].entries()) {
      const quality = RESAMPLER_QUALITIES[(i + k) % 2]
      const format: PcmFormat = { encoding: 's16le', sampleRateHertz, channels: 2 }
      const input = noise(4 * 1300 + 3)
      const stream = resample({ format, quality })
      stream.resume()
      t.equal(stream.samplesAvailableAfter(0), 0)
      let accepted = 0
      let wrong = 0
      for (const slice of slices(input, ...lengths)) {
        await new Promise(resolve => stream.write(slice, resolve))
        accepted += slice.length
        if (stream.samplesOut !== stream.samplesAvailableAfter(accepted)) wrong++
      }
      stream.end()
      await once(stream, 'end')
      t.equal(wrong, 0, `${sampleRateHertz} Hz in slices of ${lengths.join(', ')}`)
      t.equal(stream.samplesOut, Math.ceil((1300 * 16_000) / sampleRateHertz))
    }
  }
})

t.test('counts exactly after a day of audio', async t => {
  const daySeconds = 86_400
  for (const sampleRateHertz of [8000, 11_025, 16_000, 22_050, 31_987, 44_100, 48_000, 192_000, 383_999]) {
    for (const quality of RESAMPLER_QUALITIES) {
      const geometry = resamplerGeometry(sampleRateHertz, quality)
      const day = daySeconds * sampleRateHertz
      let wrong = 0
      for (let more = 0; more < 3000; more++) {
        const samples = day + more
        if (outputsOf(geometry, samples) !== exactOutputsOf(samples, sampleRateHertz)) wrong++
        if (outputsReadyAfter(geometry, samples) !== exactOutputsReadyAfter(geometry, samples)) wrong++
      }
      t.equal(wrong, 0, `${quality}, ${sampleRateHertz} Hz`)
      // A day is a whole number of cycles: what is ready is ready a day later, and not a sample beside it.
      const settled = sampleRateHertz
      t.equal(
        outputsReadyAfter(geometry, day + settled) - outputsReadyAfter(geometry, settled),
        daySeconds * 16_000,
      )
    }
  }
})

/** ceil(samples * 16000 / rate) */
function exactOutputsOf(samples: number, sampleRateHertz: number): number {
  const rate = BigInt(sampleRateHertz)
  return Number((BigInt(samples) * 16_000n + rate - 1n) / rate)
}

/** How many outputs' latest samples are among the first `samples`, counted down the stages. */
function exactOutputsReadyAfter(geometry: ResamplerGeometry, samples: number): number {
  let count = BigInt(samples)
  // Output n of a half-band needs samples up to 2 n + 2 K - 1.
  for (const { taps } of geometry.halfBands) count = count / 2n - BigInt(taps.length) + 1n
  const [up, down] = [BigInt(geometry.up), BigInt(geometry.down)]
  // Output j needs samples up to floor(j * down / up) + taps / 2.
  const settled = count - BigInt(geometry.taps / 2)
  return settled > 0n ? Number((settled * up + down - 1n) / down) : 0
}

t.test('foretells exactly for streams of years', async t => {
  const stream = resample({ format: { encoding: 'u8', sampleRateHertz: 383_999, channels: 1 } })
  const seconds = 10 * 365 * 86_400
  const settled = stream.samplesAvailableAfter(383_999 * seconds)
  t.equal(stream.samplesAvailableAfter(383_999 * (seconds + 1)), settled + 16_000)
  for (const bytes of [-1, 1.5, NaN]) t.throws(() => stream.samplesAvailableAfter(bytes), RangeError)
})

t.test('holds a large chunk back until its output is read', async t => {
  const stream = resample({ format: MONO_8K })
  let accepted = false
  stream.write(noise(1 << 20), () => (accepted = true))
  await once(stream, 'readable')
  // One slice past the high-water mark is the most that an unread stream makes of a megabyte.
  t.ok(stream.readableLength <= stream.readableHighWaterMark + 16_000)
  t.notOk(accepted)
  t.ok(stream.writableNeedDrain)

  let bytes = 0
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
  stream.end()
  await once(stream, 'end')
  t.ok(accepted)
  t.equal(bytes, 4 << 20)
})

t.test('keeps every byte in order for a slow reader and a fast writer', async t => {
  const input = noise(200_000)
  const expected = await convert(MONO_48K, [input])
  const received: Buffer[] = []
  const slow = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      received.push(chunk)
      setImmediate(done)
    },
  })
  await pipeline(Readable.from(slices(input, 50_001)), resample({ format: MONO_48K }), slow)
  t.ok(Buffer.concat(received).equals(expected))
})

t.test('pulls no more from its source than its reader asks for', async t => {
  let pulled = 0
  const source = new Readable({
    highWaterMark: 4096,
    read() {
      pulled += 4096
      this.push(Buffer.alloc(4096))
    },
  })
  const stream = source.pipe(resample({ format: MONO_48K }))
  await once(stream, 'readable')
  await new Promise(resolve => setImmediate(resolve))
  const before = pulled
  for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
  t.equal(pulled, before, 'the source rests while nobody reads')
  t.ok(pulled < 1 << 20)
  source.destroy()
  stream.destroy()
})

t.test('is destroyed in any state with one close and no error', async t => {
  const states: [string, (stream: Resampler) => unknown][] = [
    ['untouched', () => undefined],
    ['with a torn sample', stream => stream.write(Buffer.alloc(1))],
    ['with a chunk held back', stream => stream.write(Buffer.alloc(1 << 20))],
    ['ended and unread', stream => stream.end(Buffer.alloc(1 << 16))],
    ['while read', stream => stream.resume().write(Buffer.alloc(1 << 16))],
  ]
  for (const [state, prepare] of states) {
    for (const turns of [0, 3]) {
      const stream = resample({ format: MONO_8K })
      const events: string[] = []
      stream.on('error', () => events.push('error')).on('close', () => events.push('close'))
      prepare(stream)
      for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve))
      stream.destroy()
      if (!stream.closed) await once(stream, 'close')
      await new Promise(resolve => setImmediate(resolve))
      t.strictSame(events, ['close'], `${state}, after ${turns} turns of the event loop`)
    }
  }
})

t.test('may be destroyed by the reader of its output and by the listener to its warnings', async t => {
  const input = Buffer.alloc(1 << 18)
  input.writeFloatLE(NaN, 0)
  for (const event of ['data', 'warning']) {
    const stream = resample({ format: { ...MONO_48K, encoding: 'f32le' } })
    const events: string[] = []
    stream.on(event, () => {
      events.push(event)
      stream.destroy()
    })
    stream.resume().write(input)
    await once(stream, 'close')
    t.strictSame(events, [event])
  }
})

t.test('finishes each chunk once for a reader that asks for more while it is handed data', async t => {
  const input = noise(40_000)
  const expected = await convert(MONO_48K, [input])
  const stream = resample({ format: MONO_48K })
  const received: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    received.push(chunk)
    stream.read(0)
  })
  await new Promise(resolve => setImmediate(resolve))
  for (const slice of slices(input, 10_000)) await new Promise(resolve => stream.write(slice, resolve))
  stream.end()
  await once(stream, 'end')
  t.ok(Buffer.concat(received).equals(expected))
})

t.test('passes one error on through destroy', async t => {
  const stream = resample({ format: MONO_8K })
  stream.write(Buffer.alloc(1 << 20))
  const failure = new Error('late')
  stream.destroy(failure)
  stream.destroy(new Error('later still'))
  const [error] = (await once(stream, 'error')) as [Error]
  t.equal(error, failure)
})

t.test('is aborted by its signal, before and during its work', async t => {
  const late = new AbortController()
  const stream = resample({ format: MONO_8K, signal: late.signal })
  stream.write(Buffer.alloc(1 << 20))
  late.abort()
  const [error] = (await once(stream, 'error')) as [Error]
  t.equal(error.name, 'AbortError')

  const early = resample({ format: MONO_8K, signal: AbortSignal.abort() })
  t.match((await once(early, 'error'))[0], { name: 'AbortError' })
})

t.test('falls with its source in a pipeline', async t => {
  const source = new PassThrough()
  const stream = resample({ format: MONO_48K })
  const joined = pipeline(source, stream, new PassThrough().resume())
  source.write(noise(1000))
  source.destroy(new Error('the source broke'))
  await t.rejects(joined, { message: 'the source broke' })
  t.ok(stream.destroyed)
})

t.test('says once that it runs in TypeScript, unless it was asked to', async t => {
  const url = new URL('../dist/audio/resample.js', import.meta.url).href
  const script = `
    import { resample } from ${JSON.stringify(url)}
    const stream = resample({ format: { encoding: 's16le', sampleRateHertz: 8000, channels: 1 } })
    const codes = []
    let bytes = 0
    stream.on('warning', ({ code }) => codes.push(code)).on('data', chunk => (bytes += chunk.length))
    stream.on('end', () => console.log(JSON.stringify({ codes, bytes })))
    stream.write(Buffer.alloc(2000))
    stream.end(Buffer.alloc(2000))`
  const run = (env: NodeJS.ProcessEnv): unknown => {
    const options = { env: { ...process.env, ...env }, timeout: 120_000 }
    return JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', script], options).toString(),
    )
  }
  t.strictSame(run({ STTSTREAM_PREBUILD: t.testdir() }), { codes: ['STT_WARN_PORTABLE'], bytes: 8000 })
  t.strictSame(run({ STTSTREAM_PORTABLE: '1' }), { codes: [], bytes: 8000 })
  t.strictSame(run({}), { codes: [], bytes: 8000 })
})
