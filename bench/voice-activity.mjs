/**
 * What voice activity and level cost in frames of 100 ms, in us per second of audio: the addon beside its
 * TypeScript twin, in turns, medians and the least of each.
 *
 *   node bench/voice-activity.mjs [rounds]     default 25; needs `npm run build`
 */
import { REPORT_LENGTH } from '../dist/audio/portable/voice-activity-meter.js'
import { PortableVoiceActivity } from '../dist/audio/portable/voice-activity-report.js'
import { createVoiceActivity, nativeBackend } from '../dist/native.js'

const SECONDS = 60
const FRAME_BYTES = 3_200

const rounds = Number(process.argv[2] ?? 25)
const backends = { [nativeBackend()]: createVoiceActivity, twin: () => new PortableVoiceActivity() }
const inputs = { noise: noise(() => 1), 'bursts of noise': noise(i => (i % 24_000 < 8_000 ? 1 : 0.05)) }

console.log(`Node ${process.version}, ${SECONDS} s in frames of ${FRAME_BYTES} bytes, us per second of audio`)
for (const [input, frames] of Object.entries(inputs)) {
  const costs = Object.fromEntries(Object.keys(backends).map(name => [name, []]))
  // The first rounds warm up.
  for (let round = -3; round < rounds; round++) {
    for (const [name, make] of Object.entries(backends)) {
      const microseconds = measure(make(), frames)
      if (round >= 0) costs[name].push(microseconds)
    }
  }
  for (const [name, values] of Object.entries(costs)) {
    values.sort((a, b) => a - b)
    const [least, median] = [values[0], values[values.length >> 1]].map(value => value.toFixed(1).padStart(7))
    console.log(`${input.padEnd(16)} ${name.padEnd(9)} median ${median}  least ${least}`)
  }
}

function measure(meter, frames) {
  const report = new Float64Array(REPORT_LENGTH)
  const start = process.hrtime.bigint()
  for (const frame of frames) meter.process(frame, report)
  return Number(process.hrtime.bigint() - start) / 1_000 / SECONDS
}

/** Frames of it, each as loud as `gainOf` the index of its samples. */
function noise(gainOf) {
  const pcm = Buffer.alloc(SECONDS * 32_000)
  let state = 1
  for (let i = 0; i < pcm.length / 2; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    pcm.writeInt16LE(Math.round(((state >>> 16) / 65_536 - 0.5) * 8_000 * gainOf(i)), 2 * i)
  }
  const count = pcm.length / FRAME_BYTES
  return Array.from({ length: count }, (_, i) => pcm.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES))
}
