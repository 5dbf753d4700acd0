/**
 * Makes src/audio/rate-model.ts: whether speech is played at twice its speed, at half of it, or right, as a
 * logistic model of what src/audio/speech-features.ts measures.
 *
 *   apt-get install asterisk-core-sounds-{en,es,fr,it,ru}-g722 asterisk-prompt-it-menardi-wav asterisk-prompt-es-co \
 *     asterisk-prompt-fr-armelle klettres-data ktuberling-data ffmpeg
 *   npm run build && node scripts/rate-model.mjs     # a minute; prints what it reaches on speakers it was not shown
 *
 * The speakers: telephone prompts (whole sentences), and children's games (words, and letters one by one). Recordings of the tests (pocketsphinx-testdata) are not among them. Each speaker is shown clean, with
 * noise at 20 dB, and by telephone, at speeds about 0.5, 1 and 2; letters, whose pace is nobody's, only at 1.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { speedOf } from '../dist/audio/inspect-rate.js'
import { train } from './rate-model/logistic.mjs'
import { speechFeatures } from './rate-model/speech.mjs'

const ASTERISK = '/usr/share/asterisk/sounds'
const SEGMENT_SECONDS = 24
const LIKENESSES = {
  clean: { rate: 16_000, filter: 'anull' },
  noisy: { rate: 16_000, filter: 'anull', noise: 0.1 },
  telephone: { rate: 8_000, filter: 'highpass=300,lowpass=3400,aresample=8000' },
}
const RAW = ['-f', 's16le', '-ar', '16000', '-ac', '1']
const CLASSES = { slow: -1, right: 0, fast: 1 }
const random = seeded(7)

const speakers = [...prompts(), ...games('klettres', 1), ...games('ktuberling/sounds', 2)].filter(
  ({ files }) => files.length > 0,
)
if (speakers.length === 0)
  throw new Error('no recordings: install the packages named at the top of this file')
const rows = speakers.flatMap(rowsOf)
const groups = [...new Set(rows.map(row => row.speaker))]

// Ten parts of the speakers, each judged by what the other nine have taught.
for (const row of rows) row.part = groups.indexOf(row.speaker) % 10
for (let part = 0; part < 10; part++) {
  const model = train(rows.filter(row => row.part !== part))
  for (const row of rows) if (row.part === part) row.speed = speedOf(row, model).speed
}
report(
  'sentences',
  rows.filter(row => row.kind === 'prompts'),
)
report(
  'words',
  rows.filter(row => row.kind === 'ktuberling/sounds'),
)
report(
  'letters',
  rows.filter(row => row.kind === 'klettres'),
)

const { fast, slow } = train(rows)
const list = weights => `[\n${weights.map(weight => `  ${Number(weight.toPrecision(5))},\n`).join('')}]`
writeFileSync(
  new URL('../src/audio/rate-model.ts', import.meta.url),
  '/** Written by scripts/rate-model.mjs; not by hand. A constant, then a weight for each feature of speech. */\n\n' +
    `export const FAST: readonly number[] = ${list(fast)}\n\nexport const SLOW: readonly number[] = ${list(slow)}\n`,
)

function prompts() {
  const voices = { en: 'en_US_f_Allison', es: 'es_MX_f_Allison', fr: 'fr_CA_f_June', it: 'it_IT_m_Carlo' }
  const folders = { ...voices, ru: 'ru_RU_f_IvrvoiceRU', menardi: 'it_IT_f_Menardi', co: 'es', armelle: 'fr' }
  return Object.values(folders).map(folder => ({
    speaker: folder.replace(/.*Allison/, 'Allison'),
    kind: 'prompts',
    segments: 6,
    // The short ones are digits and letters.
    files: filesIn(join(ASTERISK, folder), 3_000).filter(
      file => file.endsWith('.gsm') || statSync(file).size > 15_000,
    ),
  }))
}

function games(kind, segments) {
  const root = join('/usr/share', kind)
  const folders = existsSync(root) ? readdirSync(root, { recursive: true, withFileTypes: true }) : []
  return folders
    .filter(entry => entry.isDirectory())
    .map(({ name, parentPath }) => {
      const folder = join(parentPath, name)
      return { speaker: folder.replace(/\/(alpha|syllab)$/, ''), kind, segments, files: filesIn(folder, 0) }
    })
}

function filesIn(folder, leastBytes) {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter(name => /\.(g722|wav|gsm|ogg|mp3)$/.test(name))
  return files.map(name => join(folder, name)).filter(file => statSync(file).size > leastBytes)
}

/** What is measured of a speaker, in every likeness and at every speed. */
function rowsOf({ speaker, kind, segments, files }) {
  const bytes = joined(shuffled(files).slice(0, 15 * segments))
  const recording = bytes.subarray(0, segments * SEGMENT_SECONDS * 32_000)
  return Object.entries(LIKENESSES).flatMap(([likeness, { rate, filter, noise = 0 }]) => {
    const speech = withNoise(filtered(recording, filter, rate), noise)
    const rows = []
    for (let at = 0; at + 6 * rate < speech.length; at += SEGMENT_SECONDS * rate) {
      const segment = speech.subarray(at, at + SEGMENT_SECONDS * rate)
      for (const [name, octaves] of Object.entries(CLASSES)) {
        if (kind === 'klettres' && octaves !== 0) continue
        for (const spread of [0, (random() - 0.45) * 0.4]) {
          const features = speechFeatures(segment, Math.round(rate * 2 ** (octaves + spread)))
          if (features)
            rows.push({ ...features, speaker, kind, likeness, class: name, isExact: spread === 0 })
        }
      }
    }
    return rows
  })
}

function ffmpeg(args, input) {
  const stdio = ['pipe', 'pipe', 'inherit']
  return execFileSync('ffmpeg', ['-v', 'error', ...args, '-'], { input, maxBuffer: 2 ** 30, stdio })
}

/** The recordings one after the other, with pauses between them. */
function joined(files) {
  const inputs = files.flatMap(file => [...(file.endsWith('.g722') ? ['-f', 'g722'] : []), '-i', file])
  const parts = files.map(
    (_, i) => `[${i}:a]aresample=16000,aformat=channel_layouts=mono,apad=pad_dur=0.12[${i}]`,
  )
  const all = `${files.map((_, i) => `[${i}]`).join('')}concat=n=${files.length}:v=0:a=1`
  return ffmpeg([...inputs, '-filter_complex', [...parts, all].join(';'), ...RAW])
}

function filtered(bytes, filter, rate) {
  return samplesOf(ffmpeg([...RAW, '-i', '-', '-af', filter, '-ar', String(rate), '-f', 's16le'], bytes))
}

function samplesOf(bytes) {
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i) / 32_768)
}

function withNoise(samples, part) {
  const level = part * Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
  return samples.map(sample => sample + level * Math.sqrt(12) * (random() - 0.5))
}

function shuffled(files) {
  return files
    .map(file => ({ file, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ file }) => file)
}

function report(name, judged) {
  const exact = judged.filter(row => row.isExact)
  const [fast, slow, right] = ['fast', 'slow', 'right'].map(kind => exact.filter(row => row.class === kind))
  const wronged = right.filter(row => row.speed !== 1)
  const heard = (some, speed) => `${some.filter(row => row.speed === speed).length} of ${some.length}`
  const who = [...new Set(wronged.map(row => row.speaker))].join(', ')
  console.log(
    `${name}: fast ${heard(fast, 2)}, slow ${heard(slow, 0.5)}, wronged ${wronged.length} of ${right.length} ${who}`,
  )
}

function seeded(state) {
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}
