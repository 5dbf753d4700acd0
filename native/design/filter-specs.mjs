/**
 * What the filters must do: frequencies in units of the band f = min(input rate, 16 kHz), gains in dB over DC. Each
 * limit lies inside what docs promise by what float32 tables, interpolation between their rows and this design's grid
 * may lose: 0.0002 f at an edge, 1.5 dB in the stopband, 0.005 dB at the passband's corner.
 */

/** Ripple 0.02 dB, -0.1 dB at 0.468 f, -3 dB at 0.477 f, 100 dB down from 0.502 f. */
export const HIGH = {
  span: 134,
  cosines: 84,
  pass: [
    { to: 0.465, lowestDb: -0.009, highestDb: 0.009 },
    { to: 0.4682, lowestDb: -0.095, highestDb: 0.009 },
    { to: 0.4772, lowestDb: -2.95, highestDb: 0.009 },
    { to: 0.5018, lowestDb: -Infinity, highestDb: 0.009 },
  ],
  stop: 0.5018,
  stopDb: nu => (nu < 0.6 ? -101.5 : fallingDb(-110, nu / 0.6)),
}

/** Ripple 0.05 dB to 0.43 f, -0.1 dB at 0.45 f, 99 dB down from 0.55 f. */
export const FAST = {
  span: 44,
  cosines: 40,
  pass: [
    { to: 0.43, lowestDb: -0.025, highestDb: 0.025 },
    { to: 0.4502, lowestDb: -0.095, highestDb: 0.025 },
    { to: 0.5498, lowestDb: -Infinity, highestDb: 0.025 },
  ],
  stop: 0.5498,
  stopDb: nu => (nu < 0.6 ? -100.5 : fallingDb(-108, nu / 0.6)),
}

/** Tap pairs of the half-band filters; README.md has the passband that each reaches. */
export const HALF_BAND_PAIRS = [3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 28]
export const HALF_BAND_STOP_DB = 103

/**
 * 12 dB per octave, from a step down at 0.6 f. All images of a tone add up, and on phases few in number its nearest two
 * fall on one frequency: a flat stopband would cost SINAD. Only what lies between the edge and the step, images of
 * tones above 0.4 f, keeps the whole budget; there it decides the span.
 */
function fallingDb(fromDb, ratio) {
  return fromDb - 12 * Math.log2(ratio)
}
