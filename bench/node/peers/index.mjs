import { createRequire } from 'node:module'
import { join } from 'node:path'
import { existsSync, readFileSync } from 'node:fs'

/** A module of peers for each npm package; imported only in the process that measures it. */
const MODULES = [
  { module: './sttstream.mjs', package: undefined },
  { module: './speex-resampler.mjs', package: 'speex-resampler' },
  { module: './libsamplerate-js.mjs', package: '@alexanderolsen/libsamplerate-js' },
  { module: './wave-resampler.mjs', package: 'wave-resampler' },
  { module: './livekit.mjs', package: '@livekit/rtc-node' },
  { module: './node-av.mjs', package: 'node-av' },
  { module: './naive-linear.mjs', package: undefined },
]

/** Every peer that can be imported, with the module it stands in, and why the others can't. */
export async function listPeers() {
  const peers = []
  const missing = []
  for (const { module, package: name } of MODULES) {
    try {
      const loaded = await import(module)
      const version = name ? versionOf(name) : ''
      peers.push(...loaded.peers.map(peer => ({ name: peer.name, version, module })))
    } catch (error) {
      const absent = error.code === 'ERR_MODULE_NOT_FOUND'
      missing.push({
        peer: name ?? module,
        reason: absent ? 'not installed' : error.message.split('\n', 1)[0],
      })
    }
  }
  return { peers, missing }
}

/** Not by require('NAME/package.json'): some packages do not export it. */
function versionOf(name) {
  for (const folder of createRequire(import.meta.url).resolve.paths(name)) {
    const path = join(folder, name, 'package.json')
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')).version
  }
  return ''
}
