import t from 'tap'
import {
  ENERGY,
  HOPS,
  REPORT_LENGTH,
  SPEECH_HOPS,
  type VoiceActivityMeter,
} from '#dist/audio/portable/voice-activity-meter.js'
import { PortableVoiceActivity } from '#dist/audio/portable/voice-activity-report.js'
import { VoiceActivityDetector } from '#dist/audio/portable/voice-activity.js'
import { createVoiceActivity, nativeBackend } from '#dist/native.js'
import { cards, commands, goForward, librivox, readSamples } from './fixtures/speech.js'

const HOP = 160
/** Hops this close to a change of the label count for neither side. */
const COLLAR_HOPS = 6

type Noise = (sampleIndex: number) => number

/** Numerical Recipes' generator: the same noise in every run. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function white(seed = 1): Noise {
  const random = seeded(seed)
  return () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random())
}

/** Three leaky integrators make -3 dB per octave from 50 Hz up (Kellet's filter, economy version). */
function pink(seed = 2): Noise {
  const source = white(seed)
  let [slow, middle, fast] = [0, 0, 0]
  return i => {
    const value = source(i)
    slow = 0.99765 * slow + value * 0.099046
    middle = 0.963 * middle + value * 0.2965164
    fast = 0.57 * fast + value * 1.0526913
    return slow + middle + fast + value * 0.1848
  }
}

/** Mains with harmonics, and a 2 ms click every second. */
function humAndClicks(): Noise {
  const source = white(3)
  const harmonics = [
    [50, 1],
    [100, 0.6],
    [150, 0.5],
    [250, 0.3],
    [350, 0.2],
  ] as const
  return i => {
    const hum = harmonics.reduce(
      (sum, [hz, gain]) => sum + gain * Math.sin((2 * Math.PI * hz * i) / 16_000),
      0,
    )
    return hum + (i % 16_000 < 32 ? 4 : 0.01) * source(i)
  }
}

function noiseOf(rms: number, seconds: number, noise: Noise): Int16Array {
  return Int16Array.from(scaled(noise, seconds * 16_000, rms), Math.round)
}

function scaled(noise: Noise, length: number, rms: number): Float64Array {
  const samples = Float64Array.from({ length }, (_, i) => noise(i))
  const gain = rms / Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / length)
  return samples.map(x => x * gain)
}

interface Scene {
  clean: Float64Array
  /** Of each hop: speech, none, or undefined near a change from one to the other. */
  labels: (boolean | undefined)[]
  speechRms: number
}

/** All test recordings at one peak level with pauses of 0.9 to 3 s, labelled by their own energy. */
function buildScene(): Scene {
  const random = seeded(7)
  const parts: Float64Array[] = [new Float64Array(150 * HOP)]
  const labels: boolean[] = new Array<boolean>(150).fill(false)
  for (const recording of [...librivox, ...cards, goForward]) {
    const samples = readSamples(recording)
    const peak = samples.reduce((max, x) => Math.max(max, Math.abs(x)), 1)
    const hops = Math.floor(samples.length / HOP)
    const clip = Float64Array.from(samples.subarray(0, hops * HOP), x => (x * 8_000) / peak)
    const pauseHops = Math.round(90 + 210 * random())
    parts.push(clip, new Float64Array(pauseHops * HOP))
    labels.push(...speechByEnergy(clip), ...new Array<boolean>(pauseHops).fill(false))
  }
  const clean = new Float64Array(labels.length * HOP)
  let at = 0
  for (const part of parts) {
    clean.set(part, at)
    at += part.length
  }
  let sum = 0
  clean.forEach((x, i) => (sum += labels[Math.floor(i / HOP)] ? x * x : 0))
  const speechRms = Math.sqrt(sum / (labels.filter(Boolean).length * HOP))
  const collared = labels.map((label, hop) => {
    const near = labels.slice(Math.max(0, hop - COLLAR_HOPS), hop + COLLAR_HOPS + 1)
    return near.every(other => other === label) ? label : undefined
  })
  return { clean, labels: collared, speechRms }
}

/** Speech is what stands out of the recording's own background; closures up to 120 ms belong to it. */
function speechByEnergy(clip: Float64Array): boolean[] {
  const levels = Array.from({ length: clip.length / HOP }, (_, hop) => {
    const energy = clip.subarray(hop * HOP, (hop + 1) * HOP).reduce((sum, x) => sum + x * x, 0)
    return 10 * Math.log10(energy / HOP + 1e-3)
  })
  const sorted = levels.toSorted((a, b) => a - b)
  const quantile = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  const peak = quantile(0.98)
  const threshold = Math.max(peak - 28, Math.min(quantile(0.05) + 8, peak - 15))
  const loud = levels.map(level => level > threshold)
  const isLoudWithin = (from: number, to: number) => loud.slice(Math.max(0, from), to).includes(true)
  return loud.map((isLoud, hop) => isLoud || (isLoudWithin(hop - 6, hop) && isLoudWithin(hop + 1, hop + 7)))
}

interface Rates {
  missPercent: number
  falseAlarmPercent: number
}

function rate(scene: Scene, noise: Noise, snrDb: number, gainDb = 0): Rates {
  const gain = 10 ** (gainDb / 20)
  const added = scaled(noise, scene.clean.length, scene.speechRms * 10 ** (-snrDb / 20))
  const pcm = Int16Array.from(scene.clean, (x, i) => Math.round((x + (added[i] ?? 0)) * gain))
  const probabilities = new VoiceActivityDetector().process(pcm)
  const share = (wanted: boolean) => {
    const hops = [...probabilities].filter((_, hop) => scene.labels[hop] === wanted)
    return (100 * hops.filter(p => p >= 0.5 !== wanted).length) / hops.length
  }
  return { missPercent: share(true), falseAlarmPercent: share(false) }
}

t.test('finds real speech in noise and little else', async t => {
  const scene = buildScene()
  // Bounds are about 5 points above what is measured; a detector of all or nothing passes none of them.
  const conditions: [
    name: string,
    noise: Noise,
    snrDb: number,
    gainDb: number,
    miss: number,
    alarm: number,
  ][] = [
    ['nearly clean', white(), 60, 0, 10, 8],
    ['white noise at 20 dB', white(), 20, 0, 15, 3],
    ['white noise at 10 dB', white(), 10, 0, 24, 2],
    ['pink noise at 10 dB', pink(), 10, 0, 25, 2],
    ['pink noise at 5 dB', pink(), 5, 0, 35, 2],
    ['hum and clicks at 10 dB', humAndClicks(), 10, 0, 14, 12],
    ['24 dB softer', white(), 40, -24, 15, 2],
  ]
  for (const [name, noise, snrDb, gainDb, maxMiss, maxAlarm] of conditions) {
    const { missPercent, falseAlarmPercent } = rate(scene, noise, snrDb, gainDb)
    t.comment(`${name}: miss ${missPercent.toFixed(1)} %, false alarm ${falseAlarmPercent.toFixed(1)} %`)
    t.ok(missPercent < maxMiss, `${name}: misses ${missPercent.toFixed(1)} % of speech, less than ${maxMiss}`)
    t.ok(
      falseAlarmPercent < maxAlarm,
      `${name}: takes ${falseAlarmPercent.toFixed(1)} % of the rest for speech, less than ${maxAlarm}`,
    )
  }
})

t.test('hears no speech in digital silence', async t => {
  const detector = new VoiceActivityDetector()
  const probabilities = detector.process(new Int16Array(16_000))
  t.ok(probabilities.every(p => p < 0.2))
})

t.test('hears no speech in steady noise, from its first hop on', async t => {
  for (const [name, noise] of [
    ['white', white()],
    ['pink', pink()],
  ] as const) {
    const probabilities = new VoiceActivityDetector().process(noiseOf(300, 10, noise))
    const alarms = probabilities.filter(p => p >= 0.5).length
    t.ok(alarms < 10, `${name}: ${alarms} of 1000 hops`)
  }
})

t.test('gets used to a noise that is switched on', async t => {
  const detector = new VoiceActivityDetector()
  detector.process(noiseOf(20, 3, white(4)))
  const probabilities = detector.process(noiseOf(600, 6, white(5)))
  t.ok(
    probabilities.subarray(300).every(p => p < 0.5),
    'three seconds later it is background',
  )
})

t.test('hears speech that begins with the stream', async t => {
  const pcm = readSamples(goForward).subarray(0.46 * 16_000)
  const probabilities = new VoiceActivityDetector().process(pcm)
  const voiced = probabilities.subarray(0, 60).filter(p => p >= 0.5).length
  t.ok(voiced > 35, `${voiced} of the first 60 hops`)
})

t.test('gives the same probabilities for any split of the input', async t => {
  const pcm = readSamples(goForward)
  const expected = new VoiceActivityDetector().process(pcm)
  const random = seeded(9)
  for (const [name, next] of [
    ['single samples', () => 1],
    ['odd chunks', () => 1 + Math.floor(random() * 700)],
    ['empty chunks between', () => Math.floor(random() * 3) * 161],
  ] as const) {
    const detector = new VoiceActivityDetector()
    const probabilities: number[] = []
    for (let at = 0; at < pcm.length;) {
      const size = next()
      probabilities.push(...detector.process(pcm.subarray(at, at + size)))
      at += size
    }
    t.same(probabilities, [...expected], name)
  }
})

t.test('returns one probability per completed hop and keeps the rest', async t => {
  const detector = new VoiceActivityDetector()
  t.equal(detector.process(new Int16Array(159)).length, 0)
  t.equal(detector.process(new Int16Array(1)).length, 1)
  t.equal(detector.process(new Int16Array(0)).length, 0)
  t.equal(detector.process(new Int16Array(481)).length, 3)
  t.equal(detector.process(new Int16Array(159)).length, 1)
})

t.test('is as new after reset()', async t => {
  const pcm = readSamples(goForward)
  const detector = new VoiceActivityDetector()
  const expected = detector.process(pcm)
  detector.process(noiseOf(2_000, 3, pink()).subarray(0, 40_001))
  detector.reset()
  t.same(detector.process(pcm), expected)
})

/** Reports of chunks of random sizes, none longer than `mostBytes`. */
function reportsOf(meter: VoiceActivityMeter, pcm: Buffer, mostBytes: number): number[][] {
  const random = seeded(mostBytes)
  const reports: number[][] = []
  for (let at = 0; at < pcm.length;) {
    const bytes = 2 * Math.floor(random() * (mostBytes / 2 + 1))
    const report = new Float64Array(REPORT_LENGTH)
    meter.process(pcm.subarray(at, at + bytes), report)
    reports.push([...report])
    at += bytes
  }
  return reports
}

const bytesOf = (pcm: Int16Array) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)

t.test('the addon finds speech in the same hops as its twin, and the same energy', async t => {
  t.equal(nativeBackend(), 'native')
  const seconds = 12
  // Tones and noise that swell and fade, so that scores pass the threshold slowly, both ways.
  const swelling = (noise: Noise, hz: number, rms: number) =>
    noiseOf(rms, seconds, i => {
      const swell = 1 + Math.sin(i / 9_000) + 0.5 * Math.sin(i / 1_300)
      return swell * (noise(i) + 3 * Math.sin((2 * Math.PI * hz * i) / 16_000 + Math.sin(i / 500)))
    })
  const signals: [name: string, pcm: Int16Array][] = [
    ['digital silence', new Int16Array(16_000)],
    ['dither', noiseOf(0.6, seconds, white(10))],
    ['white noise', noiseOf(300, seconds, white(11))],
    ['full-scale noise', noiseOf(12_000, seconds, white(12))],
    ['the most negative samples', new Int16Array(16_000).fill(-32_768)],
    ['pink noise', noiseOf(2_000, seconds, pink(13))],
    ['hum and clicks', noiseOf(500, seconds, humAndClicks())],
    ['a soft swelling tone', swelling(white(14), 440, 200)],
    ['a loud swelling tone', swelling(pink(15), 1_800, 4_000)],
    ...[...librivox, ...cards, ...commands].map((recording): [string, Int16Array] => [
      recording.path,
      readSamples(recording),
    ]),
  ]
  let hops = 0
  let speechHops = 0
  for (const [name, pcm] of signals) {
    for (const mostBytes of [320, 3_200, 64_000]) {
      const native = reportsOf(createVoiceActivity(), bytesOf(pcm), mostBytes)
      const portable = reportsOf(new PortableVoiceActivity(), bytesOf(pcm), mostBytes)
      t.same(native, portable, `${name}, up to ${mostBytes} bytes`)
      for (const report of native) {
        hops += report[HOPS]!
        speechHops += report[SPEECH_HOPS]!
      }
    }
  }
  t.ok(speechHops > 0.1 * hops && speechHops < 0.9 * hops, `${speechHops} of ${hops} hops`)
})

t.test('counts as speech the hops of probability one half and more', async t => {
  const pcm = readSamples(goForward)
  const report = new Float64Array(REPORT_LENGTH)
  createVoiceActivity().process(bytesOf(pcm), report)
  const probabilities = new VoiceActivityDetector().process(pcm)
  t.equal(report[HOPS], probabilities.length)
  t.equal(report[SPEECH_HOPS], probabilities.filter(p => p >= 0.5).length)
  t.equal(
    report[ENERGY],
    pcm.reduce((sum, x) => sum + x * x, 0),
  )
})

for (const [name, make] of [
  ['native', createVoiceActivity],
  ['portable', () => new PortableVoiceActivity()],
] as const) {
  t.test(`${name}: reads any byte offset and refuses torn samples and other reports`, async t => {
    const pcm = bytesOf(readSamples(goForward))
    const [expected, report] = [new Float64Array(REPORT_LENGTH), new Float64Array(REPORT_LENGTH)]
    make().process(pcm, expected)
    make().process(Buffer.concat([Buffer.alloc(1), pcm]).subarray(1), report)
    t.same(report, expected)
    t.throws(() => make().process(pcm.subarray(1), report), { name: 'RangeError' })
    t.throws(() => make().process(pcm, new Float64Array(2)), { name: 'RangeError' })
  })
}
