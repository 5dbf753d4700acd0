import { SttError } from '../errors.js'
import { deviceId, type CaptureDevice } from './microphone-device.js'

/** How a capture that nobody had stopped came to its end. */
export interface CaptureFailure {
  readonly device: CaptureDevice
  /** Whether audio had come by then. */
  readonly heard: boolean
  /** What ffmpeg said last, or what else is known; '' for nothing. */
  readonly reason: string
}

interface Cause {
  readonly pattern: RegExp
  readonly remedy: string
  /** It may work later without a change by the caller. */
  readonly retryable?: boolean
}

const PERMISSION: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'allow it for this terminal or app: System Settings, Privacy & Security, Microphone',
  win32: 'allow desktop apps to use the microphone: Settings, Privacy & security, Microphone',
}

/** What ffmpeg and the sound systems say of each. The order counts: the first that fits is it. */
function causes(platform: NodeJS.Platform): readonly Cause[] {
  return [
    {
      pattern: /Unknown input format/i,
      remedy: 'this ffmpeg was built without it: use the ffmpeg of your distribution',
    },
    {
      pattern: /\bbusy\b|already in use|being used/i,
      remedy: 'another program holds it: end that program, or choose another device',
      retryable: true,
    },
    {
      pattern: /denied|not permitted|not authorized/i,
      remedy: PERMISSION[platform] ?? "allow it: the user must be of the group 'audio' for ALSA",
    },
  ]
}

const SHOWN_LINES = 3
const UNPLUGGED = 'it may have been unplugged, or its sound server has ended: connect it and start again'
const ABSENT = 'microphones() and `sttstream listen --list-devices` list what there is'

/** One error for all the devices that were tried, the most telling failure last. */
export function microphoneError(
  failures: readonly CaptureFailure[],
  platform: NodeJS.Platform = process.platform,
): SttError {
  const told = failures.map(({ device, heard, reason }) => {
    const what = heard ? 'stopped' : 'could not be opened'
    return `the microphone ${deviceId(device)} ${what}: ${lastLines(reason) || 'ffmpeg gave no reason'}`
  })
  const reasons = failures.map(({ reason }) => reason).join('\n')
  const cause = causes(platform).find(({ pattern }) => pattern.test(reasons))
  const remedy = cause?.remedy ?? (failures.some(({ heard }) => heard) ? UNPLUGGED : ABSENT)
  return new SttError('STT_ERR_MICROPHONE', `${told.join('; ')}; ${remedy}`, {
    retryable: cause?.retryable ?? false,
  })
}

/** ALSA tells the whole way to a failure, up to twenty lines of it. */
function lastLines(text: string): string {
  return text.split('\n').slice(-SHOWN_LINES).join('\n')
}
