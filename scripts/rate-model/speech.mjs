import { SpeechFeatures } from '../../dist/audio/speech-features.js'

/** As many windows as the inspection hears before it judges, and as many spectra of them. */
const WINDOWS = 128
const SPECTRA = 40
const ENOUGH_SPECTRA = 24

/** What the inspection would measure of these samples, were they declared as of this rate; undefined: too little. */
export function speechFeatures(samples, declaredHertz) {
  if (declaredHertz < 8_000) return undefined
  const speech = new SpeechFeatures({ encoding: 'f32le', sampleRateHertz: declaredHertz, channels: 1 })
  const window = Math.ceil(declaredHertz / 8)
  for (let i = 0; i < WINDOWS && (i + 1) * window <= samples.length; i++) {
    const view = new DataView(samples.buffer, samples.byteOffset + 4 * i * window, 4 * window)
    if (speech.spectra < SPECTRA) speech.addSpectrum(view)
    speech.addLevels(view)
  }
  return speech.spectra < ENOUGH_SPECTRA ? undefined : speech.describe()
}
