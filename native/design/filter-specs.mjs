/**
 * What the filters must do: frequencies in units of the band f = min(input rate, 16 kHz), gains in dB over DC. Each
 * limit lies inside what docs promise by what tables in float32 and grids may lose: 0.0005 f at an edge of the passband,
 * 0.0003 f to 0.0005 f at one of the stopband, 1.5 dB in it, 0.005 dB at the corner.
 */

/** -0.1 dB at 0.468 f, -3 dB at 0.477 f, 100 dB down from 0.502 f, ripple 0.02 dB. */
export const HIGH = {
  span: 136,
  cosines: 80,
  pass: [
    { to: 0.465, lowestDb: -0.009, highestDb: 0.009 },
    { to: 0.4685, lowestDb: -0.095, highestDb: 0.009 },
    { to: 0.4775, lowestDb: -2.95, highestDb: 0.009 },
    { to: 0.5017, lowestDb: -200, highestDb: 0.009 },
  ],
  stop: 0.5017,
  stopDb: nu => (nu < 0.6 ? -101.5 : fallingDb(-110, nu / 0.6)),
}

/** -0.1 dB at 0.45 f, 99 dB down from 0.55 f. */
export const FAST = {
  span: 44,
  cosines: 34,
  pass: [
    { to: 0.43, lowestDb: -0.025, highestDb: 0.025 },
    { to: 0.4505, lowestDb: -0.095, highestDb: 0.025 },
    { to: 0.5495, lowestDb: -200, highestDb: 0.025 },
  ],
  stop: 0.5495,
  stopDb: nu => fallingDb(-100.5, nu / 0.5495),
}

/** Tap pairs of the half-band filters; README.md has the pass edge that each reaches. */
export const HALF_BAND_PAIRS = [2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24]
export const HALF_BAND_STOP_DB = 103

/** 12 dB per octave: images at every multiple of the input rate add up, so the far ones must count for nothing. */
function fallingDb(fromDb, ratio) {
  return fromDb - 12 * Math.log2(ratio)
}
