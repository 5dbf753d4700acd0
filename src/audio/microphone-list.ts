import { execFile } from 'node:child_process'
import { SttError } from '../errors.js'
import { findFfmpeg, ffmpegNotFound } from './ffmpeg-find.js'
import { parseDeviceList } from './microphone-list-text.js'
import { deviceId, type CaptureSystem } from './microphone-device.js'

/** A device that can be listened to. */
export interface MicrophoneDevice {
  /** For the option `device` of {@link microphone}. */
  readonly id: string
  /** As the system shows it to people. */
  readonly name: string
  /** Whether this one is heard where no device is named. */
  readonly isDefault: boolean
}

/** Options of {@link microphones}. */
export interface MicrophonesOptions {
  /** The ffmpeg to ask. Default: as {@link MicrophoneOptions.ffmpegPath}. */
  ffmpegPath?: string
  /** Aborting rejects with an AbortError. */
  signal?: AbortSignal
}

/** ffmpeg answers within a fraction of a second, unless a sound server hangs. */
const LIST_TIMEOUT_MS = 10_000

/** How each system is asked. */
const ASKED: Record<CaptureSystem, readonly string[]> = {
  pulse: ['-sources', 'pulse'],
  alsa: ['-sources', 'alsa'],
  // Both list what they have, and then fail for want of an input.
  avfoundation: ['-f', 'avfoundation', '-list_devices', 'true', '-i', ''],
  dshow: ['-f', 'dshow', '-list_devices', 'true', '-i', 'dummy'],
}

const SYSTEMS: Partial<Record<NodeJS.Platform, readonly CaptureSystem[]>> = {
  darwin: ['avfoundation'],
  win32: ['dshow'],
}

/**
 * What can be listened to, as ffmpeg lists it; on Linux what the sound server has (PulseAudio, PipeWire), or else ALSA.
 * A sound server also lists what the machine plays, as monitors.
 * @returns empty for a machine without; rejects with SttError STT_ERR_FFMPEG_NOT_FOUND, STT_ERR_MICROPHONE where
 * there was no answer within 10 s
 */
export async function microphones(options: MicrophonesOptions = {}): Promise<MicrophoneDevice[]> {
  const command = findFfmpeg(options.ffmpegPath)
  for (const system of SYSTEMS[process.platform] ?? ['pulse', 'alsa']) {
    const devices = parseDeviceList(system, await ask(command, ASKED[system], options.signal))
    if (devices.length > 0) {
      return devices.map(({ name, title, isDefault }) => ({
        id: deviceId({ system, name }),
        name: title,
        isDefault,
      }))
    }
  }
  return []
}

/** stdout and stderr together: which of them ffmpeg uses depends on its version. Its exit code says nothing here. */
function ask(command: string, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  const options = { timeout: LIST_TIMEOUT_MS, killSignal: 'SIGKILL', windowsHide: true, signal } as const
  return new Promise((resolve, reject) => {
    execFile(command, ['-hide_banner', ...args], options, (error, stdout, stderr) => {
      if (signal?.aborted) reject(signal.reason as Error)
      else if (error?.code === 'ENOENT' || error?.code === 'EACCES')
        reject(ffmpegNotFound(`cannot run ${command} (${error.code})`, error))
      else if (error?.killed) {
        const message = `ffmpeg did not list the microphones within ${LIST_TIMEOUT_MS} ms: does the sound server hang?`
        reject(new SttError('STT_ERR_MICROPHONE', message, { cause: error, retryable: true }))
      } else resolve(`${stdout}\n${stderr}`)
    })
  })
}
