import { InvalidArgumentError } from 'commander'
import { checkChannelMix } from '../audio/channel-mix.js'
import { CAPTURE_SYSTEMS, parseDeviceId } from '../audio/microphone-device.js'
import { checkPcmFormat, type PcmEncoding, type PcmFormat } from '../audio/pcm-format.js'
import { pathOf } from '../audio/sources.js'

/** Collects paths, http(s) URLs and '-'. */
export function parseInput(text: string, before: string[] = []): string[] {
  try {
    if (text === '-' || pathOf(text) !== '') return [...before, text]
  } catch {
    // A URL of another kind, or none.
  }
  throw new InvalidArgumentError(
    "Expected a path, an http: or https: URL, a file: URL of this machine, or '-' for standard input.",
  )
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

/** Seconds, or hours, minutes and seconds with colons between them, e.g. 90, 1:30 or 0:01:30.5; as ms. */
export function parseTime(text: string): number {
  if (!/^(\d+:){0,2}\d+(\.\d+)?$/.test(text))
    throw new InvalidArgumentError('Expected seconds or [hours:]minutes:seconds, e.g. 90, 1:30 or 0:01:30.5.')
  return text.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0) * 1000
}

/** As {@link parseTime}, but more than nothing. */
export function parseDuration(text: string): number {
  const ms = parseTime(text)
  if (ms === 0) throw new InvalidArgumentError('Expected more than 0 s.')
  return ms
}

export function parseTrack(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected the number of an audio track, counted from 0.')
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
