import { SttError } from '../../errors.js'
import { microphones, type MicrophoneDevice } from '../../audio/microphone-list.js'
import type { Finding } from './finding.js'

export async function checkMicrophones(signal: AbortSignal): Promise<Finding[]> {
  try {
    return [judgeMicrophones(await microphones({ signal }))]
  } catch (error) {
    const noFfmpeg = error instanceof SttError && error.code === 'STT_ERR_FFMPEG_NOT_FOUND'
    return [noMicrophone(noFfmpeg ? 'ffmpeg, which captures, is missing' : (error as Error).message)]
  }
}

export function judgeMicrophones(devices: readonly MicrophoneDevice[]): Finding {
  const heard = devices.find(({ isDefault }) => isDefault) ?? devices[0]
  if (!heard) return noMicrophone('none')
  const more = devices.length > 1 ? `, and ${devices.length - 1} more` : ''
  return { check: 'microphone', state: 'ok', detail: `${heard.name} (${heard.id})${more}` }
}

function noMicrophone(detail: string): Finding {
  return {
    check: 'microphone',
    state: 'warning',
    detail,
    remedy: 'for `sttstream listen` connect one, and on Linux start the sound server or join the group audio',
  }
}
