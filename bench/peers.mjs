import { DRIVER, NODE_CASE } from './paths.mjs'
import { lastAllowedCore, pinned } from './machine.mjs'
import { command } from './setup/command.mjs'
import { DEBIAN_PEERS, debianVersion } from './setup/peers.mjs'

/**
 * One setting of one resampler.
 * @typedef {{name: string, kind: 'native' | 'node', version: string, module?: string}} Peer
 */

/** The peers are measured on the last core: the first ones get most of the machine's interrupts. */
export const CORE = lastAllowedCore()

/**
 * Everyone who can be measured here, and who can't.
 * @param reasons why a kind could not be installed or built, if so
 * @returns {Promise<{peers: Peer[], missing: {peer: string, reason: string}[]}>}
 */
export async function findPeers(reasons) {
  const peers = []
  const missing = []
  if (!reasons.driver) {
    for (const { name, version } of await listNative()) peers.push({ name, kind: 'native', version })
  }
  for (const library of Object.keys(DEBIAN_PEERS)) {
    if (peers.some(({ name }) => name.startsWith(library))) continue
    missing.push({ peer: library, reason: reasons.driver ?? reasons.debian ?? 'the build did not find it' })
  }
  const { peers: found, missing: broken } = JSON.parse(await command('node', [NODE_CASE, 'list']))
  peers.push(...found.map(peer => ({ ...peer, kind: 'node' })))
  missing.push(...broken.map(({ peer, reason }) => ({ peer, reason: reasons.npm ?? reason })))
  return { peers, missing }
}

async function listNative() {
  const listed = JSON.parse(await command(DRIVER, ['list']))
  const packages = {}
  for (const [library, [name]] of Object.entries(DEBIAN_PEERS)) packages[library] = await debianVersion(name)
  return listed.map(({ name, version }) => {
    const library = Object.keys(packages).find(prefix => name.startsWith(prefix))
    const own = /\d+(\.\d+)+/.exec(version)?.[0] ?? ''
    return { name, version: (library && packages[library]) ?? own }
  })
}

/**
 * Runs one command of the driver or of node/case.mjs, pinned, in a process of its own.
 * @param values name → value
 */
export async function runCase(peer, name, values, options) {
  const args = Object.entries(values).map(([key, value]) => `${key}=${value}`)
  const native = peer.kind === 'native'
  const program = native ? DRIVER : process.execPath
  const before = native ? [] : ['--expose-gc', NODE_CASE]
  const own = [`peer=${peer.name}`, ...(native ? [] : [`module=${peer.module}`])]
  const [executable, all] = pinned(CORE, program, [...before, name, ...own, ...args])
  return JSON.parse(await command(executable, all, options))
}

/** All native peers in one process. */
export async function runNative(name, values, options) {
  const args = Object.entries(values).map(([key, value]) => `${key}=${value}`)
  const [executable, all] = pinned(CORE, DRIVER, [name, ...args])
  return JSON.parse(await command(executable, all, options))
}
