/** The same speech as it may arrive: clean, in noise, through another microphone, by telephone. */
import { execFileSync } from 'node:child_process'

const RATE = 16_000
const RAW = ['-f', 's16le', '-ar', String(RATE), '-ac', '1']
/** Steep enough, and what a telephone line does not carry does not come back. */
const TELEPHONE = 'highpass=300,highpass=300,lowpass=3400,aresample=8000'

/** @returns {Record<string, Float32Array>} @param samples at 16 kHz */
export function likenesses(samples, random) {
  return {
    clean: samples,
    noisy: withNoise(samples, 10 ** (-(10 + 15 * random()) / 20), random),
    tilted: tilted(samples, -0.5 + 1.4 * random()),
    telephone: telephone(samples),
  }
}

/** The first seconds of recordings one after the other, with pauses between them. @returns samples at 16 kHz */
export function joined(files, seconds) {
  const inputs = files.flatMap(file => [...(file.endsWith('.g722') ? ['-f', 'g722'] : []), '-i', file])
  const parts = files.map(
    (_, i) => `[${i}:a]aresample=${RATE},aformat=channel_layouts=mono,apad=pad_dur=0.12[${i}]`,
  )
  const all = `${files.map((_, i) => `[${i}]`).join('')}concat=n=${files.length}:v=0:a=1`
  const filter = ['-filter_complex', [...parts, all].join(';'), '-t', String(seconds)]
  return samplesOf(ffmpeg([...inputs, ...filter, ...RAW]))
}

/** @returns samples at `rate` @param samples at 16 kHz */
export function resampled(samples, rate) {
  return samplesOf(ffmpeg([...RAW, '-i', '-', '-ar', String(rate), '-f', 's16le'], bytesOf(samples)))
}

function telephone(samples) {
  const law = ffmpeg([...RAW, '-i', '-', '-af', TELEPHONE, '-ar', '8000', '-f', 'mulaw'], bytesOf(samples))
  return samplesOf(ffmpeg(['-f', 'mulaw', '-ar', '8000', '-i', '-', ...RAW], law))
}

function withNoise(samples, part, random) {
  const width = part * rootMeanSquare(samples) * Math.sqrt(12)
  return samples.map(sample => sample + width * (random() - 0.5))
}

/** As loud as before, with more of the treble, or of the bass where `part` is negative. */
function tilted(samples, part) {
  const changed = samples.map((sample, i) => sample - part * (samples[i - 1] ?? 0))
  const gain = rootMeanSquare(samples) / (rootMeanSquare(changed) || 1)
  return changed.map(sample => sample * gain)
}

function rootMeanSquare(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
}

function ffmpeg(args, input) {
  const stdio = ['pipe', 'pipe', 'inherit']
  return execFileSync('ffmpeg', ['-v', 'error', ...args, '-'], { input, maxBuffer: 2 ** 30, stdio })
}

function samplesOf(bytes) {
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i) / 32_768)
}

function bytesOf(samples) {
  const bytes = Buffer.alloc(2 * samples.length)
  for (const [i, sample] of samples.entries()) {
    bytes.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))), 2 * i)
  }
  return bytes
}
