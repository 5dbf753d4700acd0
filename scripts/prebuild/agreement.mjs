import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const SCRIPT = join(import.meta.dirname, 'noise-resampled.mjs')
const TIMEOUT_MS = 120_000

/**
 * Loads the addon below `directory` as a program would and compares what it makes with its TypeScript twin's.
 * `node` is the command of a Node that can load it. Returns how many samples were compared; throws where it does not
 * load, or where a sample is more than one step apart.
 */
export function checkAgreement(directory, node = [process.execPath]) {
  const native = samples(node, 'native', { STTSTREAM_PREBUILD: directory, PREBUILDS_ONLY: '1' })
  const portable = samples([process.execPath], 'portable', { STTSTREAM_PORTABLE: '1' })
  if (native.length !== portable.length)
    throw new Error(`the addon makes ${native.length} samples, its twin ${portable.length}`)
  const worst = native.reduce((most, value, i) => Math.max(most, Math.abs(value - portable[i])), 0)
  if (worst > 1) throw new Error(`the addon and its twin are ${worst} steps apart`)
  return native.length
}

function samples([command, ...first], backend, env) {
  const { error, status, stdout, stderr } = spawnSync(command, [...first, SCRIPT, backend], {
    env: { ...process.env, STTSTREAM_PORTABLE: '', ...env },
    timeout: TIMEOUT_MS,
    maxBuffer: 1 << 24,
  })
  if (error || status !== 0) throw new Error(`${backend}: ${error?.message ?? stderr}`, { cause: error })
  return Array.from({ length: stdout.length / 2 }, (_, i) => stdout.readInt16LE(2 * i))
}
