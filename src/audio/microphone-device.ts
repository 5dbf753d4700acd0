import { blockAlign, type PcmFormat } from './pcm-format.js'

/** The capture devices of ffmpeg that are used, each by ffmpeg's own name. */
export const CAPTURE_SYSTEMS = ['pulse', 'alsa', 'avfoundation', 'dshow'] as const
export type CaptureSystem = (typeof CAPTURE_SYSTEMS)[number]

/** A device as its system names it. Its id is `system:name`. */
export interface CaptureDevice {
  readonly system: CaptureSystem
  readonly name: string
}

/** How much audio one piece holds, in ms: the latency that we add ourselves. */
const PIECE_MS = 10

/** ALSA names hold colons themselves: the first one ends the system. */
const DEVICE_ID = new RegExp(`^(${CAPTURE_SYSTEMS.join('|')}):([^\\0]+)$`)

/** Undefined for what is no id. */
export function parseDeviceId(id: string): CaptureDevice | undefined {
  const [, system, name] = DEVICE_ID.exec(id) ?? []
  return name === undefined ? undefined : { system: system as CaptureSystem, name }
}

export function deviceId({ system, name }: CaptureDevice): string {
  return `${system}:${name}`
}

/**
 * What to try, one after the other, where the caller names no device. Undefined: this platform has no name for its
 * default, so the first of its devices it is.
 */
export function defaultDevices(platform: NodeJS.Platform): CaptureDevice[] | undefined {
  if (platform === 'darwin') return [{ system: 'avfoundation', name: 'default' }]
  if (platform === 'win32') return undefined
  // PipeWire answers as PulseAudio. Its server holds the hardware where it runs, so ALSA comes second.
  return [
    { system: 'pulse', name: 'default' },
    { system: 'alsa', name: 'default' },
  ]
}

/**
 * ffmpeg's arguments to capture from a device and write LINEAR16 of exactly this format to stdout, piece by piece.
 *
 * A short analysis suffices, since a device knows its format; not `-fflags nobuffer`, which drops what was looked at
 * meanwhile. The timestamps of a device are the machine's clock and may step back; counted from the samples they
 * do not.
 */
export function captureArguments(device: CaptureDevice, format: PcmFormat): string[] {
  const { sampleRateHertz, channels } = format
  return [
    ...[
      '-nostdin',
      '-hide_banner',
      '-loglevel',
      'level+warning',
      '-probesize',
      '32',
      '-analyzeduration',
      '0',
    ],
    ...inputArguments(device, format),
    ...['-vn', '-map_metadata', '-1', '-af', 'asetpts=N/SR/TB', '-c:a', 'pcm_s16le'],
    ...[
      '-ar',
      String(sampleRateHertz),
      '-ac',
      String(channels),
      '-flush_packets',
      '1',
      '-f',
      's16le',
      'pipe:1',
    ],
  ]
}

function inputArguments({ system, name }: CaptureDevice, format: PcmFormat): string[] {
  const { sampleRateHertz, channels } = format
  const asked = ['-sample_rate', String(sampleRateHertz), '-channels', String(channels)]
  const pieceBytes = Math.round((PIECE_MS / 1000) * sampleRateHertz) * blockAlign(format)
  switch (system) {
    case 'pulse': {
      // Without it the server sends pieces of up to 2 s.
      const piece = ['-fragment_size', String(pieceBytes)]
      const shown = ['-name', 'sttstream', '-stream_name', 'microphone']
      return ['-f', 'pulse', ...asked, ...piece, ...shown, '-i', name]
    }
    case 'alsa':
      return ['-f', 'alsa', ...asked, '-i', name]
    case 'avfoundation':
      // Its devices give their own format and take no other; what stands before the colon is the video.
      return ['-f', 'avfoundation', '-i', `:${name}`]
    case 'dshow':
      // Its own default is 500 ms.
      return ['-f', 'dshow', '-audio_buffer_size', String(PIECE_MS), '-i', `audio=${name}`]
  }
}
