import { InvalidArgumentError } from 'commander'
import { checkChannelMix } from '../audio/channel-mix.js'
import { CAPTURE_SYSTEMS, parseDeviceId } from '../audio/microphone-device.js'
import { checkPcmFormat, type PcmEncoding, type PcmFormat } from '../audio/pcm-format.js'
import { pathOf } from '../audio/sources.js'

/** Collects paths, http(s) URLs and '-'. */
export function parseInput(text: string, before: string[] = []): string[] {
  return checked(() => {
    if (text !== '-') pathOf(text)
    return [...before, text]
  })
}

/** `ENCODING:RATE:CHANNELS`, e.g. s16le:16000:1. */
export function parseRaw(text: string): PcmFormat {
  const [encoding, rate, channels, ...more] = text.split(':')
  const format = {
    encoding: encoding as PcmEncoding,
    sampleRateHertz: Number(rate),
    channels: Number(channels ?? 1),
  }
  if (rate === undefined || more.length > 0)
    throw new InvalidArgumentError('Expected ENCODING:RATE:CHANNELS, e.g. s16le:16000:1.')
  return checked(() => {
    checkPcmFormat(format, 'raw')
    return format
  })
}

/** 'separate', or channels counted from 0 with commas between them, e.g. 0,1. */
export function parseChannels(text: string): number[] | 'separate' {
  if (text === 'separate') return text
  if (!/^\d+(,\d+)*$/.test(text))
    throw new InvalidArgumentError(
      "Expected channels counted from 0 with commas between them, e.g. 0 or 0,1, or 'separate'.",
    )
  return checked(() => {
    const channels = text.split(',').map(Number)
    checkChannelMix({ channels })
    return channels
  })
}

/** 'off', 'realtime' or a multiple of real time. */
export function parsePace(text: string): number | 'realtime' | false {
  if (text === 'off') return false
  if (text === 'realtime') return text
  const rate = Number(text)
  if (text.trim() !== '' && rate > 0 && Number.isFinite(rate)) return rate
  throw new InvalidArgumentError("Expected 'off', 'realtime' or a multiple of real time above 0, e.g. 2.")
}

/** An id of `--list-devices`. */
export function parseDevice(text: string): string {
  if (parseDeviceId(text)) return text
  const systems = CAPTURE_SYSTEMS.join(', ')
  throw new InvalidArgumentError(`Expected an id of --list-devices: one of ${systems}, a colon and a name.`)
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('Expected a port, 0 to 65535 (0 = any that is free).')
}

export function parseUrl(text: string): string {
  if (URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('Expected a ws: or wss: URL.')
}

function checked<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}
