import { MAX_CHANNELS } from './pcm-format.js'

/** How several channels become one. Default: the mean of all, each with the same weight. */
export interface ChannelMixOptions {
  /** Takes the mean of these channels alone, counted from 0: `[0]` is the left one of a stereo pair. */
  channels?: readonly number[] | undefined
  /**
   * One gain for each channel of the input, from -1000 to 1000: their weighted sum is taken as it is, and
   * saturates at full scale. A channel with gain 0 is not read. Not together with `channels`.
   */
  mix?: readonly number[] | undefined
}

/** 60 dB: louder is a mistake, and no sum of 8 such channels leaves the range of a float. */
const MAX_GAIN = 1000

/**
 * Checks what can be checked before the input's number of channels is known.
 * @throws TypeError for a wrong type and for both options at once, RangeError for a value out of range
 */
export function checkChannelMix({ channels, mix }: ChannelMixOptions): void {
  if (channels !== undefined && mix !== undefined) throw new TypeError('channels and mix exclude one another')
  if (channels !== undefined) {
    const expected = `channels must be an array of different integers from 0 to ${MAX_CHANNELS - 1}, at least one`
    checkNumbers(channels, expected)
    const isChannel = (channel: number) => Number.isInteger(channel) && channel >= 0 && channel < MAX_CHANNELS
    if (!channels.every(isChannel) || new Set(channels).size < channels.length)
      throw new RangeError(`${expected}; got [${channels.join(', ')}]`)
  }
  if (mix !== undefined) {
    const expected =
      `mix must be an array of a gain from -${MAX_GAIN} to ${MAX_GAIN} for each channel` +
      `, 1 to ${MAX_CHANNELS}, not all 0`
    checkNumbers(mix, expected)
    const isGain = (gain: number) => Math.abs(gain) <= MAX_GAIN
    if (mix.length > MAX_CHANNELS || !mix.every(isGain) || mix.every(gain => gain === 0))
      throw new RangeError(`${expected}; got [${mix.join(', ')}]`)
  }
}

/**
 * The gain of each of the input's channels; undefined for the mean of all.
 * @throws RangeError where the input has other channels than the options say
 */
export function gainsOf(
  { channels, mix }: ChannelMixOptions,
  channelCount: number,
): Float32Array | undefined {
  if (mix) {
    if (mix.length !== channelCount)
      throw new RangeError(`mix must have a gain for each of ${countOf(channelCount)}; got ${mix.length}`)
    return Float32Array.from(mix)
  }
  if (!channels) return undefined
  const beyond = channels.find(channel => channel >= channelCount)
  if (beyond !== undefined)
    throw new RangeError(`channels must name some of ${countOf(channelCount)}, counted from 0; got ${beyond}`)
  const gains = new Float32Array(channelCount)
  for (const channel of channels) gains[channel] = 1 / channels.length
  return gains
}

function countOf(channels: number): string {
  return channels === 1 ? "the input's 1 channel" : `the input's ${channels} channels`
}

function checkNumbers(value: unknown, expected: string): void {
  if (!Array.isArray(value)) throw new TypeError(`${expected}; got ${value === null ? 'null' : typeof value}`)
  const stranger: unknown = value.find(item => typeof item !== 'number')
  if (stranger !== undefined) throw new TypeError(`${expected}; got a ${typeof stranger} in it`)
  if (value.length === 0) throw new RangeError(`${expected}; got none`)
}
