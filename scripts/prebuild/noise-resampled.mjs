/**
 * Resamples the same loud noise at several rates and prints the audio: what two builds print may differ by one
 * step of 16 bits. Run by agreement.mjs in the Node that the addon is for. Exit code 1 where the wanted
 * implementation, `native` or `portable`, does not run.
 *
 *   node scripts/prebuild/noise-resampled.mjs native|portable
 */
import { once } from 'node:events'
import { resample } from '../../dist/index.js'
import { nativeBackend, nativeLoadError } from '../../dist/native.js'

const RATES = [8000, 16_000, 31_987, 44_100, 48_000]
const SECONDS = 0.5

const [wanted] = process.argv.slice(2)
if (nativeBackend() !== wanted) {
  console.error(`runs ${nativeBackend()}, not ${wanted}: ${nativeLoadError()?.message ?? 'as it was told'}`)
  process.exit(1)
}
for (const sampleRateHertz of RATES) {
  const resampler = resample({ format: { encoding: 's16le', sampleRateHertz, channels: 2 } })
  resampler.end(noise(4 * SECONDS * sampleRateHertz))
  for await (const chunk of resampler) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain')
}

/** Bytes of a linear congruential generator: the same on every machine. */
function noise(length) {
  let state = 1
  return Buffer.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  })
}
