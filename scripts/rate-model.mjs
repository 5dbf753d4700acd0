/**
 * Makes src/audio/rate-model.ts: whether speech is played at twice its speed, at half of it, or right, as a small
 * network says from what src/audio/speech-features.ts measures.
 *
 *   apt-get install asterisk-core-sounds-{en,es,fr,it,ru}-g722 asterisk-prompt-it-menardi-wav asterisk-prompt-es-co \
 *     asterisk-prompt-fr-armelle asterisk-moh-opsound-g722 codec2-examples extremetuxracer-data fillets-ng-data \
 *     fillets-ng-data-{cs,nl} frozen-bubble-data klettres-data ktuberling-data supertux-data \
 *     tuxpaint-stamps-default ffmpeg
 *   npm run build && node scripts/rate-model.mjs     # ten minutes; it prints what it reaches on speakers it was not shown
 *
 * Each speaker is shown in several likenesses, at speeds about 0.5, 1 and 2, in stretches of 1 to 3 s of sound.
 * Letters are shown at 1 only, their pace is nobody's; music and made sounds at any speed are no wrong speed.
 */
import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { surelySpeed } from '../dist/audio/inspect-rate.js'
import { SpeechFeatures } from '../dist/audio/speech-features.js'
import { speedOdds } from '../dist/audio/speed-network.js'
import { joined, likenesses, resampled } from './rate-model/likenesses.mjs'
import { train } from './rate-model/network.mjs'
import { recordings } from './rate-model/recordings.mjs'
import { seeded, shuffle } from './rate-model/seeded.mjs'
import { sounds } from './rate-model/sounds.mjs'

const PARTS = 5
const OCTAVES = { slow: -1, right: 0, fast: 1 }
/** So many frames with sound make a row. */
const LENGTHS = [24, 32, 48, 64, 96]
/** Speakers' voices differ by so much, in octaves, from the next: each is shown with others' lengths of throat. */
const SPREAD = 0.22
const target = new URL('../src/audio/rate-model.ts', import.meta.url)
/** There is much of it, and speech is what is to be told apart. */
const NO_SPEECH_WEIGHT = 0.6
/** What each speaker's is multiplied by, for seeds that are far apart. */
const SEED = 2_654_435_761

const speakers = [...recordings(), ...sounds()]
if (!speakers.some(({ kind }) => kind === 'sentences')) {
  throw new Error('no recordings: install the packages named at the top of this file')
}
const rows = speakers.flatMap((speaker, i) => rowsOf(speaker, seeded((i + 1) * SEED)))
const groups = shuffle([...new Set(rows.map(row => row.speaker))], seeded(5))

// Each part of the speakers is judged by what the others have taught.
for (let part = 0; part < PARTS; part++) {
  const isOther = row => groups.indexOf(row.speaker) % PARTS !== part
  const model = train(rows.filter(isOther))
  for (const row of rows) if (!isOther(row)) row.judged = surelySpeed(speedOdds(row.features, model))
}
for (const kind of ['sentences', 'words', 'letters', 'music', 'sounds']) {
  for (const frames of LENGTHS) report(kind, frames)
}

const model = train(rows)
const text =
  `import type { SpeedModel } from './speed-network.js'\n\n` +
  `/** Written by scripts/rate-model.mjs; not by hand. Of each unit a constant, then a weight for each input. */\n` +
  `export const MODEL: SpeedModel = { hidden: ${listed(model.hidden)}, output: ${listed(model.output)} }\n`
writeFileSync(target, await format(text, { ...(await resolveConfig(target)), parser: 'typescript' }))

function listed(units) {
  return `[${units.map(weights => `[${weights.map(weight => Number(weight.toPrecision(3))).join(', ')}]`).join(', ')}]`
}

/** What is measured of a speaker, in every likeness and at every speed. */
function rowsOf({ speaker, kind, seconds, files, samples }, random) {
  const speech = samples ?? joined(shuffle(files, random).slice(0, seconds), seconds)
  return Object.entries(likenesses(speech, random)).flatMap(([likeness, coarse]) => {
    const fine = resampled(coarse, 24_000)
    return Object.entries(OCTAVES).flatMap(([name, octaves]) => {
      if (kind === 'letters' && octaves !== 0) return []
      const isSpeech = kind !== 'music' && kind !== 'sounds'
      const speed = isSpeech ? name : 'right'
      const weight = isSpeech ? 1 : NO_SPEECH_WEIGHT
      const spread = (2 * random() - 1) * SPREAD
      return [
        ...stretches(coarse, 16_000 * 2 ** octaves, random).map(row => ({ ...row, isExact: true })),
        ...stretches(fine, Math.round(24_000 * 2 ** (octaves + spread)), random),
      ].map(row => ({ ...row, speaker, kind, likeness, speed, weight }))
    })
  })
}

/** What the inspection would measure of one stretch after the other, were they declared as of this rate. */
function stretches(samples, declaredHertz, random) {
  const format = { encoding: 'f32le', sampleRateHertz: declaredHertz, channels: 1 }
  const window = Math.ceil(declaredHertz / 8)
  const length = () => LENGTHS[Math.floor(random() * LENGTHS.length)]
  const rows = []
  let wanted = length()
  let speech = new SpeechFeatures(format)
  for (let at = 0; at + window <= samples.length; at += window) {
    speech.add(new DataView(samples.buffer, samples.byteOffset + 4 * at, 4 * window))
    if (speech.frames < wanted) continue
    const features = speech.describe()?.features
    if (features) rows.push({ features, frames: wanted })
    wanted = length()
    speech = new SpeechFeatures(format)
  }
  return rows
}

function report(kind, frames) {
  const judged = rows.filter(row => row.isExact && row.kind === kind && row.frames === frames)
  const of = speed => judged.filter(row => row.speed === speed)
  const heard = (speed, times) =>
    `${of(speed).filter(row => row.judged === times).length} of ${of(speed).length}`
  const wronged = of('right').filter(row => row.judged !== 1)
  const who = [...new Set(wronged.map(row => row.speaker))].join(', ')
  console.log(
    `${kind}, ${(frames * 0.032).toFixed(1)} s: fast ${heard('fast', 2)}, slow ${heard('slow', 0.5)}, ` +
      `wronged ${wronged.length} of ${of('right').length} ${who}`,
  )
}
