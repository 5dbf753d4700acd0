/** The three that matter most: what files, browsers and telephones send. */
export const DEFAULT_FORMATS = ['44100x2', '48000x2', '8000x1']
export const QUICK_FORMATS = ['48000x2', '8000x1']

/**
 * @param text RATExCHANNELS, for instance 96000x2
 * @throws RangeError
 */
export function parseFormat(text) {
  const [, rate, channels] = /^(\d+)x(\d+)$/.exec(text) ?? []
  const format = { name: text, sampleRateHertz: Number(rate), channels: Number(channels) }
  if (!(format.sampleRateHertz >= 8_000 && format.sampleRateHertz <= 192_000 && format.channels >= 1))
    throw new RangeError(
      `a format is RATExCHANNELS with 8000 to 192000 Hz, for instance 48000x2; got ${text}`,
    )
  return { ...format, title: titleOf(format) }
}

function titleOf({ sampleRateHertz, channels }) {
  const channelsText = { 1: 'mono', 2: 'stereo' }[channels] ?? `${channels} channels`
  return `${sampleRateHertz / 1_000} kHz ${channelsText}`
}
