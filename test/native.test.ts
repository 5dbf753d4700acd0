import { execFileSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { blockAlign, bytesPerSample, PCM_ENCODINGS, type PcmFormat } from '#dist/audio/pcm-format.js'
import { maxHeldOutputs, maxOutputsOf, resamplerGeometry } from '#dist/audio/portable/resampler-geometry.js'
import type { PcmResampler } from '#dist/audio/portable/pcm-resampler.js'
import { PortableResampler } from '#dist/audio/portable/resampler.js'
import { RESAMPLER_QUALITIES } from '#dist/audio/resampler-quality.js'
import { createResampler, nativeBackend, nativeLoadError } from '#dist/native.js'
import { samplesOf } from './fixtures/spectrum.js'

const NATIVE_URL = new URL('../dist/native.js', import.meta.url).href
const RATES = [4000, 8000, 11_025, 16_000, 22_050, 31_987, 44_100, 48_000, 192_000, 384_000]

const backends = RESAMPLER_QUALITIES.flatMap(quality => [
  {
    name: `native, ${quality}`,
    quality,
    make: (format: PcmFormat): PcmResampler => createResampler(format, { quality }),
  },
  {
    name: `portable, ${quality}`,
    quality,
    make: (format: PcmFormat): PcmResampler => new PortableResampler(format, { quality }),
  },
])

/** Bytes that look random, the same on every machine. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = (seed + 1) * 2_654_435_769
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Noise that is loud in every encoding and finite in the floating-point ones. */
function loudNoise(format: PcmFormat, blocks: number, seed: number): Buffer {
  const { encoding } = format
  const bytes = noise(blocks * blockAlign(format), seed)
  if (!encoding.startsWith('f')) return bytes
  for (let at = 0; at < bytes.length; at += bytesPerSample(encoding)) {
    const value = bytes.readInt8(at) / 100
    if (encoding === 'f32le') bytes.writeFloatLE(value, at)
    else if (encoding === 'f32be') bytes.writeFloatBE(value, at)
    else if (encoding === 'f64le') bytes.writeDoubleLE(value, at)
    else bytes.writeDoubleBE(value, at)
  }
  return bytes
}

function convert(resampler: PcmResampler, input: Uint8Array, sliceBytes = input.length): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < input.length; at += sliceBytes) {
    const slice = input.subarray(at, at + sliceBytes)
    const output = Buffer.alloc(2 * resampler.maxOutput(slice.length))
    parts.push(output.subarray(0, 2 * resampler.process(slice, output)))
  }
  const output = Buffer.alloc(2 * resampler.maxFlush)
  parts.push(output.subarray(0, 2 * resampler.flush(output)))
  return Buffer.concat(parts)
}

function run(script: string, env: NodeJS.ProcessEnv = {}): unknown {
  const source = `import * as native from ${JSON.stringify(NATIVE_URL)}; ${script}`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, ...env },
    timeout: 120_000,
  })
  return JSON.parse(output.toString())
}

const REPORT = `console.log(JSON.stringify({
  backend: native.nativeBackend(),
  error: native.nativeLoadError()?.message,
  resampler: native.createResampler({ encoding: 'u8', sampleRateHertz: 8000, channels: 1 }).constructor.name,
}))`

t.test('loads the addon that was built', async t => {
  t.equal(nativeBackend(), 'native')
  t.equal(nativeLoadError(), undefined)
  t.notOk(
    createResampler({ encoding: 'u8', sampleRateHertz: 8000, channels: 1 }) instanceof PortableResampler,
  )
})

t.test('keeps the addon out where the environment asks for the twins', async t => {
  const report = run(REPORT, { STTSTREAM_PORTABLE: '1' })
  t.strictSame(report, { backend: 'portable', resampler: 'PortableResampler' })
})

t.test('falls back to the twins where there is no addon, and says why', async t => {
  const report = run(REPORT, { STTSTREAM_PREBUILD: t.testdir() })
  t.match(report, {
    backend: 'portable',
    resampler: 'PortableResampler',
    error: /did not load: No native build/,
  })
})

t.test('falls back to the twins where the addon is broken or a stranger', async t => {
  const dir = t.testdir({ build: { Release: {} } })
  writeFileSync(`${dir}/build/Release/sttstream.node`, 'not a library')
  t.match(run(REPORT, { STTSTREAM_PREBUILD: dir }), { backend: 'portable', error: /did not load/ })

  const script = `process.dlopen = module => { module.exports = {} }; ${REPORT}`
  t.match(run(script), { backend: 'portable', error: /not the one this version was built with/ })
})

t.test('works in a worker and survives its end', async t => {
  const script = `
    import(${JSON.stringify(NATIVE_URL)}).then(({ createResampler, nativeBackend }) => {
      const resampler = createResampler({ encoding: 's16le', sampleRateHertz: 8000, channels: 1 })
      const output = Buffer.alloc(2 * resampler.maxOutput(1600))
      require('node:worker_threads').parentPort.postMessage([nativeBackend(), resampler.process(Buffer.alloc(1600), output)])
    })`
  const worker = new Worker(script, { eval: true })
  const [message] = (await once(worker, 'message')) as [unknown]
  // Two samples out for each in, but for what the 134 taps still wait for.
  t.strictSame(message, ['native', 1600 - 134])
  await worker.terminate()
  const resampler = createResampler({ encoding: 's16le', sampleRateHertz: 8000, channels: 1 })
  t.equal(convert(resampler, noise(1600, 1)).length, 3200)
})

t.test('agrees with its twin within one step in every encoding', async t => {
  const counts = { samples: 0, different: 0 }
  for (const [i, encoding] of PCM_ENCODINGS.entries()) {
    for (const [k, sampleRateHertz] of RATES.entries()) {
      const format = { encoding, sampleRateHertz, channels: 1 + ((i + k) % 8) }
      const quality = RESAMPLER_QUALITIES[(i + (k >> 1)) % 2]
      const input = loudNoise(format, Math.ceil(sampleRateHertz / 20) + 3000, i)
      const native = samplesOf(convert(createResampler(format, { quality }), input))
      const portable = samplesOf(convert(new PortableResampler(format, { quality }), input))
      t.equal(native.length, portable.length)
      let worst = 0
      for (let j = 0; j < native.length; j++) {
        const difference = Math.abs(native[j]! - portable[j]!)
        if (difference > 0) counts.different++
        worst = Math.max(worst, difference)
      }
      counts.samples += native.length
      t.ok(
        worst <= 1,
        `${encoding}, ${sampleRateHertz} Hz, ${format.channels} channels: ${worst} steps apart`,
      )
      // Silence would agree as well.
      t.ok(native.some(sample => Math.abs(sample) > 300))
    }
  }
  t.comment(`${counts.different} of ${counts.samples} samples differ, each by one step`)
})

for (const { name, quality, make } of backends) {
  t.test(`${name}: makes the same bytes for every split, at any byte offset`, async t => {
    for (const sampleRateHertz of RATES) {
      const format: PcmFormat = { encoding: 's24le', sampleRateHertz, channels: 2 }
      const input = noise(6 * 3001, sampleRateHertz)
      const expected = convert(make(format), input)
      for (const blocks of [1, 7, 160, 2999]) {
        const odd = Buffer.concat([Buffer.alloc(1 + (blocks % 4)), input]).subarray(1 + (blocks % 4))
        t.ok(
          convert(make(format), odd, 6 * blocks).equals(expected),
          `${sampleRateHertz} Hz in ${blocks} blocks`,
        )
      }
    }
  })

  t.test(`${name}: makes ceil(n * 16000 / rate) samples and promises no fewer`, async t => {
    for (const sampleRateHertz of RATES) {
      for (const blocks of [0, 1, 2, 3, 5, 89, 1234, 4321]) {
        const resampler = make({ encoding: 'u8', sampleRateHertz, channels: 1 })
        const samples = convert(resampler, noise(blocks, blocks)).length / 2
        t.equal(samples, Math.ceil((blocks * 16_000) / sampleRateHertz), `${blocks} at ${sampleRateHertz} Hz`)
        const geometry = resamplerGeometry(sampleRateHertz, quality)
        t.equal(resampler.maxOutput(blocks), maxOutputsOf(geometry, blocks))
        t.equal(resampler.maxFlush, maxHeldOutputs(geometry))
      }
    }
  })

  t.test(`${name}: stands where it stood after every second, so that no stream drifts`, async t => {
    for (const sampleRateHertz of RATES) {
      const second = noise(sampleRateHertz, sampleRateHertz)
      const output = convert(
        make({ encoding: 'u8', sampleRateHertz, channels: 1 }),
        Buffer.concat([second, second, second, second]),
        1000,
      )
      const bytes = 2 * 16_000
      // The first and the last second hear the silence before and after.
      t.ok(
        output.subarray(bytes, 2 * bytes).equals(output.subarray(2 * bytes, 3 * bytes)),
        `${sampleRateHertz} Hz`,
      )
    }
  })

  t.test(`${name}: starts anew after flush and knows nothing of other streams`, async t => {
    const format: PcmFormat = { encoding: 's16le', sampleRateHertz: 44_100, channels: 1 }
    const [first, second] = [noise(8000, 1), noise(6000, 2)]
    const [expectedFirst, expectedSecond] = [convert(make(format), first), convert(make(format), second)]
    const resampler = make(format)
    t.ok(convert(resampler, first).equals(expectedFirst))
    t.ok(convert(resampler, second).equals(expectedSecond))

    const resamplers = [make(format), make(format)]
    const outputs = [first, second].map((input, i) => {
      const output = Buffer.alloc(2 * (resamplers[i]!.maxOutput(input.length) + resamplers[i]!.maxFlush))
      return { input, output, written: 0 }
    })
    for (let at = 0; at < first.length; at += 100) {
      for (const [i, stream] of outputs.entries()) {
        const room = stream.output.subarray(2 * stream.written)
        stream.written += resamplers[i]!.process(stream.input.subarray(at, at + 100), room)
      }
    }
    const ended = outputs.map(({ output, written }, i) => {
      const flushed = resamplers[i]!.flush(output.subarray(2 * written))
      return output.subarray(0, 2 * (written + flushed))
    })
    t.ok(ended[0]!.equals(expectedFirst))
    t.ok(ended[1]!.equals(expectedSecond))
  })

  t.test(`${name}: saturates what is over full scale`, async t => {
    for (const [value, expected] of [
      [1, 32_767],
      [7, 32_767],
      [-1, -32_768],
      [-1e30, -32_768],
    ] as const) {
      for (const sampleRateHertz of [8000, 16_000, 44_100]) {
        const input = Buffer.alloc(4 * 4000)
        for (let at = 0; at < input.length; at += 4) input.writeFloatBE(value, at)
        const samples = samplesOf(convert(make({ encoding: 'f32be', sampleRateHertz, channels: 1 }), input))
        t.equal(samples[samples.length >> 1], expected, `${value} at ${sampleRateHertz} Hz`)
      }
    }
  })

  t.test(`${name}: reads NaN and infinities as silence and counts them`, async t => {
    for (const sampleRateHertz of [16_000, 48_000]) {
      const clean = loudNoise({ encoding: 'f64le', sampleRateHertz, channels: 1 }, 3000, 5)
      const broken = Buffer.from(clean)
      for (const [block, value] of [
        [10, NaN],
        [500, Infinity],
        [501, -Infinity],
        [2999, NaN],
      ] as const) {
        clean.writeDoubleLE(0, 8 * block)
        broken.writeDoubleLE(value, 8 * block)
      }
      const resampler = make({ encoding: 'f64le', sampleRateHertz, channels: 1 })
      t.equal(resampler.nonFinite, 0)
      const output = convert(resampler, broken)
      t.equal(resampler.nonFinite, 4)
      t.ok(output.equals(convert(make({ encoding: 'f64le', sampleRateHertz, channels: 1 }), clean)))
    }
  })

  t.test(`${name}: refuses torn blocks and outputs that are too short`, async t => {
    const resampler = make({ encoding: 's16le', sampleRateHertz: 8000, channels: 2 })
    const room = Buffer.alloc(10_000)
    t.throws(() => resampler.process(Buffer.alloc(6), room), {
      name: 'RangeError',
      message: 'input must hold whole blocks of 4 bytes; got 6 bytes',
    })
    t.throws(() => resampler.process(Buffer.alloc(400), Buffer.alloc(399)), {
      name: 'RangeError',
      message: 'output must hold at least 400 bytes; got 399',
    })
    t.throws(() => resampler.flush(Buffer.alloc(2 * resampler.maxFlush - 1)), RangeError)
    t.equal(resampler.process(Buffer.alloc(0), Buffer.alloc(0)), 0)
  })
}
