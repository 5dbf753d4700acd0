/** Installs the peers that can be installed here; whatever fails becomes a reason to be told, never an error. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aptCommand, installWithApt } from '../../scripts/setup/system-tools.mjs'
import { command } from './command.mjs'

const NODE_FOLDER = join(import.meta.dirname, '..', 'node')

/** Debian's packages, by the name of the peer that needs them. */
export const DEBIAN_PEERS = {
  libsoxr: ['libsoxr-dev'],
  speexdsp: ['libspeexdsp-dev'],
  libsamplerate: ['libsamplerate0-dev'],
  'zita-resampler': ['libzita-resampler-dev'],
  swresample: ['libswresample-dev', 'libavutil-dev'],
}

/** @returns {Promise<string | undefined>} why Debian's packages could not be installed */
export async function installDebianPeers() {
  const wanted = []
  for (const name of Object.values(DEBIAN_PEERS).flat()) {
    if (!(await debianVersion(name))) wanted.push(name)
  }
  if (wanted.length === 0) return undefined
  const apt = aptCommand()
  if (apt === undefined) return 'not installed, and apt-get cannot be used here'
  try {
    const tools = wanted.map(name => ({ apt: name }))
    await installWithApt(tools, apt)
    return undefined
  } catch (error) {
    return `apt-get could not install it: ${error.message.split('\n', 1)[0]}`
  }
}

/** @returns {Promise<string | undefined>} the installed version of a Debian package */
export async function debianVersion(name) {
  try {
    const text = await command('dpkg-query', [
      '--show',
      '--showformat',
      '${db:Status-Status} ${Version}',
      name,
    ])
    const [status, version] = text.split(' ')
    return status === 'installed' ? version : undefined
  } catch {
    return undefined
  }
}

/** @returns {Promise<string | undefined>} why npm's packages could not be installed */
export async function installNodePeers() {
  const lock = readFileSync(join(NODE_FOLDER, 'package-lock.json'), 'utf8')
  const stamp = join(NODE_FOLDER, 'node_modules', '.installed-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return undefined
  try {
    // Their install scripts download binaries that the registry's packages hold already.
    await command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: NODE_FOLDER })
    writeFileSync(stamp, lock)
    return undefined
  } catch (error) {
    return `npm could not install it: ${error.message.split('\n', 1)[0]}`
  }
}
