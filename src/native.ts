import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { blockAlign, PCM_ENCODINGS, type PcmFormat } from './audio/pcm-format.js'
import {
  checkFlush,
  checkProcess,
  type ResamplerKernel,
  type ResamplerKernelOptions,
} from './audio/portable/resampler-kernel.js'
import { PortableResampler } from './audio/portable/resampler.js'

/** native/addon.cc, which checks nothing. */
interface Addon {
  readonly Resampler: new (
    encoding: number,
    sampleRateHertz: number,
    channels: number,
    gains: Float32Array | undefined,
  ) => ResamplerKernel
}

type Backend = { readonly addon: Addon } | { readonly addon: undefined; readonly error: Error | undefined }

let loaded: Backend | undefined

/**
 * The addon of this platform (`prebuilds/`, else `build/`), loaded on first use. The environment variable
 * `STTSTREAM_PORTABLE=1`, read at that moment, keeps it out.
 */
function backend(): Backend {
  return (loaded ??= process.env.STTSTREAM_PORTABLE === '1' ? { addon: undefined, error: undefined } : load())
}

function load(): Backend {
  try {
    const require = createRequire(import.meta.url)
    const find = require('node-gyp-build') as (root: string) => unknown
    const addon = find(fileURLToPath(new URL('..', import.meta.url)))
    if (isAddon(addon)) return { addon }
    return {
      addon: undefined,
      error: new Error('the addon found is not the one this version was built with'),
    }
  } catch (cause) {
    // Its further lines are paths and a trace; the cause keeps them.
    const [message = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n', 1)
    return { addon: undefined, error: new Error(`the native addon did not load: ${message}`, { cause }) }
  }
}

function isAddon(value: unknown): value is Addon {
  return (
    typeof value === 'object' &&
    value !== null &&
    'Resampler' in value &&
    typeof value.Resampler === 'function'
  )
}

/** Which implementation this process runs. */
export function nativeBackend(): 'native' | 'portable' {
  return backend().addon ? 'native' : 'portable'
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
export function createResampler(format: PcmFormat, options: ResamplerKernelOptions = {}): ResamplerKernel {
  const { addon } = backend()
  return addon ? new NativeResampler(addon, format, options) : new PortableResampler(format, options)
}

/** The addon's class behind the checks that it leaves to us. */
class NativeResampler implements ResamplerKernel {
  readonly #core: ResamplerKernel
  readonly #blockAlign: number
  readonly maxFlush: number

  constructor(addon: Addon, format: PcmFormat, { mix }: ResamplerKernelOptions) {
    const { encoding, sampleRateHertz, channels } = format
    this.#core = new addon.Resampler(PCM_ENCODINGS.indexOf(encoding), sampleRateHertz, channels, mix)
    this.#blockAlign = blockAlign(format)
    this.maxFlush = this.#core.maxFlush
  }

  get nonFinite(): number {
    return this.#core.nonFinite
  }

  maxOutput(bytes: number): number {
    return this.#core.maxOutput(bytes)
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
