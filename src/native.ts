import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { blockAlign, PCM_ENCODINGS, type PcmFormat } from './audio/pcm-format.js'
import { checkBase64Output, portableEncodeBase64, type Base64Encoder } from './audio/portable/base64.js'
import {
  checkFlush,
  checkProcess,
  type PcmResampler,
  type PcmResamplerOptions,
} from './audio/portable/pcm-resampler.js'
import {
  maxHeldOutputs,
  maxOutputsOf,
  resamplerGeometry,
  type ResamplerGeometry,
} from './audio/portable/resampler-geometry.js'
import { PortableResampler } from './audio/portable/resampler.js'
import { checkVoiceActivity, type VoiceActivityMeter } from './audio/portable/voice-activity-meter.js'
import { PortableVoiceActivity } from './audio/portable/voice-activity-report.js'
import { RESAMPLER_QUALITIES } from './audio/resampler-quality.js'

/** native/addon.cc, which checks nothing. */
interface Addon {
  readonly Resampler: new (
    encoding: number,
    sampleRateHertz: number,
    channels: number,
    gains: Float32Array | undefined,
    quality: number,
  ) => AddonResampler
  readonly VoiceActivity: new () => VoiceActivityMeter
  readonly encodeBase64: Base64Encoder
  /** What this processor can run, the best last. */
  readonly kernels: readonly string[]
  readonly useKernels: (name: string) => boolean
}

interface AddonResampler {
  process(input: Uint8Array, output: Uint8Array): number
  flush(output: Uint8Array): number
  readonly nonFinite: number
}

type Backend = { readonly addon: Addon } | { readonly addon: undefined; readonly error: Error | undefined }

let loaded: Backend | undefined

/**
 * The addon of this platform (`build/` of a clone, else `prebuilds/`), loaded on first use. The environment variable
 * `STTSTREAM_PORTABLE=1`, read at that moment, keeps it out; `STTSTREAM_KERNELS=avx2`, say, makes it run another
 * instruction set's kernels than the best.
 */
function backend(): Backend {
  return (loaded ??= process.env.STTSTREAM_PORTABLE === '1' ? { addon: undefined, error: undefined } : load())
}

function load(): Backend {
  try {
    const require = createRequire(import.meta.url)
    const find = require('node-gyp-build') as (root: string) => unknown
    const addon = find(fileURLToPath(new URL('..', import.meta.url)))
    if (!isAddon(addon)) {
      return {
        addon: undefined,
        error: new Error('the addon found is not the one this version was built with'),
      }
    }
    const kernels = process.env.STTSTREAM_KERNELS
    if (kernels === undefined || addon.useKernels(kernels)) return { addon }
    const choice = addon.kernels.join(', ')
    return {
      addon: undefined,
      error: new Error(`STTSTREAM_KERNELS must be one of ${choice} on this processor; got ${kernels}`),
    }
  } catch (cause) {
    // Its further lines are paths and a trace; the cause keeps them.
    const [message = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n', 1)
    return { addon: undefined, error: new Error(`the native addon did not load: ${message}`, { cause }) }
  }
}

const ADDON_FUNCTIONS = ['Resampler', 'VoiceActivity', 'encodeBase64', 'useKernels'] as const

function isAddon(value: unknown): value is Addon {
  if (typeof value !== 'object' || value === null) return false
  const exports: Partial<Record<string, unknown>> = { ...value }
  return ADDON_FUNCTIONS.every(name => typeof exports[name] === 'function') && Array.isArray(exports.kernels)
}

/** Which implementation this process runs. */
export function nativeBackend(): 'native' | 'portable' {
  return backend().addon ? 'native' : 'portable'
}

/** Whose kernels the addon runs, by their instruction set; undefined where the portable twins run. */
export function nativeKernel(): string | undefined {
  const { addon } = backend()
  return addon && (process.env.STTSTREAM_KERNELS ?? addon.kernels.at(-1))
}

/** Why the portable twins run; undefined when the addon does, or when the environment asked for the twins. */
export function nativeLoadError(): Error | undefined {
  const current = backend()
  return current.addon ? undefined : current.error
}

/**
 * A resampler for one stream of `format`, which the caller has checked with `checkPcmFormat`, and whose gains
 * are as many as its channels.
 */
export function createResampler(format: PcmFormat, options: PcmResamplerOptions = {}): PcmResampler {
  const { addon } = backend()
  return addon ? new NativeResampler(addon, format, options) : new PortableResampler(format, options)
}

/** Voice activity and level for one stream. */
export function createVoiceActivity(): VoiceActivityMeter {
  const { addon } = backend()
  return addon ? new NativeVoiceActivity(addon) : new PortableVoiceActivity()
}

/** The base64 of one frame between two byte strings, straight into the bytes of its message. */
export const encodeBase64: Base64Encoder = (prefix, pcm, suffix, output) => {
  const { addon } = backend()
  if (!addon) return portableEncodeBase64(prefix, pcm, suffix, output)
  checkBase64Output(prefix, pcm, suffix, output)
  return addon.encodeBase64(prefix, pcm, suffix, output)
}

/** The addon's class behind the checks that it leaves to us. */
class NativeResampler implements PcmResampler {
  readonly #core: AddonResampler
  readonly #geometry: ResamplerGeometry
  readonly #blockAlign: number
  readonly maxFlush: number

  constructor(addon: Addon, format: PcmFormat, { mix, quality = 'high' }: PcmResamplerOptions) {
    const { encoding, sampleRateHertz, channels } = format
    const encodingIndex = PCM_ENCODINGS.indexOf(encoding)
    const qualityIndex = RESAMPLER_QUALITIES.indexOf(quality)
    this.#core = new addon.Resampler(encodingIndex, sampleRateHertz, channels, mix, qualityIndex)
    this.#geometry = resamplerGeometry(sampleRateHertz, quality)
    this.#blockAlign = blockAlign(format)
    this.maxFlush = maxHeldOutputs(this.#geometry)
  }

  get nonFinite(): number {
    return this.#core.nonFinite
  }

  maxOutput(bytes: number): number {
    return maxOutputsOf(this.#geometry, Math.floor(bytes / this.#blockAlign))
  }

  process(input: Uint8Array, output: Uint8Array): number {
    checkProcess(this, this.#blockAlign, input, output)
    return this.#core.process(input, output)
  }

  flush(output: Uint8Array): number {
    checkFlush(this, output)
    return this.#core.flush(output)
  }
}

class NativeVoiceActivity implements VoiceActivityMeter {
  readonly #core: VoiceActivityMeter

  constructor(addon: Addon) {
    this.#core = new addon.VoiceActivity()
  }

  process(pcm: Uint8Array, report: Float64Array): void {
    checkVoiceActivity(pcm, report)
    this.#core.process(pcm, report)
  }
}
