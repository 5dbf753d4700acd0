import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { CODECS } from '../../audio/codecs.js'
import { nativeKernel, nativeLoadError } from '../../native.js'
import type { Finding } from './finding.js'

/** What this process itself is made of: Node, the addon, the optional packages. */
export async function checkRuntime(): Promise<Finding[]> {
  const manifest = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  const { engines } = JSON.parse(manifest) as { engines: { node: string } }
  return [
    judgeNode(process.versions.node, engines.node),
    judgeAddon(nativeKernel(), nativeLoadError()),
    judgePackages(
      'decoders',
      Object.entries(CODECS).map(([codec, { name }]) => ({ name, use: codec, isThere: isInstalled(name) })),
      'decoded in process',
      'ffmpeg decodes these instead',
    ),
    judgePackages(
      'bufferutil',
      [{ name: 'bufferutil', use: 'WebSocket masks', isThere: isInstalled('bufferutil') }],
      'made in native code',
      'JavaScript makes them instead, at more work for each message',
    ),
  ]
}

/** @param wanted as package.json says it: `>=20.19` */
export function judgeNode(version: string, wanted: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [minMajor = 0, minMinor = 0] = wanted.replace('>=', '').split('.').map(Number)
  if (major > minMajor || (major === minMajor && minor >= minMinor))
    return { check: 'Node', state: 'ok', detail: version }
  return {
    check: 'Node',
    state: 'missing',
    detail: `${version}, and ${wanted} is needed`,
    remedy: `install Node ${wanted.replace('>=', '')} or newer`,
  }
}

/** @param kernel undefined where the TypeScript twins run; `error` says why, unless they were asked for */
export function judgeAddon(kernel: string | undefined, error: Error | undefined): Finding {
  if (kernel !== undefined) return { check: 'addon', state: 'ok', detail: `native, ${kernel} kernels` }
  if (!error)
    return { check: 'addon', state: 'ok', detail: 'TypeScript instead, as STTSTREAM_PORTABLE=1 asks for' }
  return {
    check: 'addon',
    state: 'warning',
    detail: `TypeScript instead, the same and slower: ${error.message}`,
    remedy: 'reinstall the package for this platform; in a clone: npm run build:native',
  }
}

interface OptionalPackage {
  readonly name: string
  readonly use: string
  readonly isThere: boolean
}

export function judgePackages(
  check: string,
  packages: readonly OptionalPackage[],
  withAll: string,
  without: string,
): Finding {
  const uses = (some: readonly OptionalPackage[]) => some.map(({ use }) => use).join(', ')
  const missing = packages.filter(({ isThere }) => !isThere)
  if (missing.length === 0) return { check, state: 'ok', detail: `${uses(packages)}: ${withAll}` }
  const names = missing.map(({ name }) => name).join(' ')
  return {
    check,
    state: 'warning',
    detail: `${uses(missing)}: ${names} not installed; ${without}`,
    remedy: `npm install ${names}`,
  }
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}
