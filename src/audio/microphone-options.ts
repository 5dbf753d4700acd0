import { z } from 'zod'
import { misuse, shown } from '../misuse.js'
import { CAPTURE_SYSTEMS, parseDeviceId } from './microphone-device.js'
import { MAX_CHANNELS } from './pcm-format.js'

/** Options of {@link microphone}. */
export interface MicrophoneOptions {
  /**
   * What to listen to: an `id` of {@link microphones}, or any other name that ffmpeg knows after `pulse:`, `alsa:`,
   * `avfoundation:` or `dshow:`, `alsa:plughw:1,0` say. Default: the system's.
   */
  device?: string
  /**
   * 1 to 8. The system mixes the device's channels to this many; 2 with `channels: 'separate'` of the stream keeps
   * two people apart. Default 1.
   */
  channels?: number
  /** How much audio waits for a reader that is late, in ms, 100 to 600 000. Default 30 000. */
  bufferMs?: number
  /** How long no audio may come from the device, in ms, 1 to 2 147 483 647. Default 10 000. */
  stallTimeoutMs?: number
  /** The ffmpeg to run. Default: the environment variable FFMPEG_PATH, else that of the package ffmpeg-static, else the first in PATH. */
  ffmpegPath?: string
  /** Aborting destroys the stream with an AbortError. */
  signal?: AbortSignal
}

const EXAMPLE = `an id of microphones(), one of ${CAPTURE_SYSTEMS.join(', ')} with a colon and a name`

export const microphoneSchema = z
  .strictObject({
    device: z.custom<string>(
      value => typeof value === 'string' && parseDeviceId(value) !== undefined,
      `expected ${EXAMPLE}`,
    ),
    channels: z.number().int().min(1).max(MAX_CHANNELS),
    bufferMs: z.number().min(100).max(600_000),
    stallTimeoutMs: z
      .number()
      .min(1)
      .max(2 ** 31 - 1),
    ffmpegPath: z.string().min(1),
    signal: z.instanceof(AbortSignal),
  })
  .partial()

/** @throws TypeError for an unknown option or a wrong type, RangeError for a number out of range */
export function checkMicrophoneOptions(options: MicrophoneOptions): void {
  const { error } = microphoneSchema.safeParse(options, { reportInput: true })
  const issue = error?.issues[0]
  if (!issue) return
  const where = issue.path.length > 0 ? issue.path.join('.') : 'microphone options'
  throw misuse(issue, `${where}: ${issue.message}; got ${shown(issue.input)}`)
}
