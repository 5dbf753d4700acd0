/**
 * A sound that voice activity detectors take for speech without a pause. A detector gets used to what does not
 * change, so two vowels take turns: each lets the bands of the other rest. Both have their harmonics at multiples
 * of 125 Hz, so one period is 128 samples and the sound is a function of the position alone.
 */
const PERIOD_SAMPLES = 128
const VOWEL_SAMPLES = 120 * 16
/** RMS of 16-bit samples: -20 dB, as a close talker is recorded. */
const RMS = 3_277
/** First and last harmonic of each vowel: 250 to 1000 Hz, and 1500 to 5000 Hz. */
const VOWELS = [vowel(2, 8), vowel(12, 40)] as const

/** One sample at 16 kHz, 16 bits. */
export function voiceSample(position: number): number {
  const sounding = VOWELS[Math.floor(position / VOWEL_SAMPLES) % 2 === 0 ? 0 : 1]
  return sounding[position % PERIOD_SAMPLES]!
}

function vowel(firstHarmonic: number, lastHarmonic: number): Int16Array {
  const period = new Float64Array(PERIOD_SAMPLES)
  for (let harmonic = firstHarmonic; harmonic <= lastHarmonic; harmonic++) {
    // Phases that grow with the square (Schroeder, 1970) spread the energy evenly: no peak is clipped.
    const phase = (Math.PI * harmonic * harmonic) / (lastHarmonic - firstHarmonic + 1)
    period.forEach((sum, i) => {
      period[i] = sum + Math.cos((2 * Math.PI * harmonic * i) / PERIOD_SAMPLES + phase)
    })
  }
  const gain = RMS / Math.sqrt((lastHarmonic - firstHarmonic + 1) / 2)
  return Int16Array.from(period, value => Math.round(value * gain))
}
