import { spawnSync } from 'node:child_process'

/**
 * The oldest libraries that an addon may ask for: those of the systems that Node 20 itself is built for, with
 * glibc 2.28 and the libstdc++ of gcc 8 (https://github.com/nodejs/node/blob/v20.x/BUILDING.md).
 */
const FLOOR = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' }

/** The newest version of each library that a shared object of any processor asks for: `{ GLIBC: '2.17', … }`. */
export function librariesNeeded(file) {
  const newest = {}
  for (const { library, version } of symbolsNeeded(file)) {
    if (newest[library] === undefined || isNewer(version, newest[library])) newest[library] = version
  }
  return newest
}

/** Throws with the symbols that an older system lacks. */
export function checkLinuxFloor(file) {
  const above = symbolsNeeded(file).filter(({ library, version }) => isNewer(version, FLOOR[library]))
  if (above.length === 0) return
  const list = above.map(({ symbol, library, version }) => `  ${symbol} of ${library} ${version}`)
  throw new Error(`${file} does not load on every system that Node 20 runs on; it needs\n${list.join('\n')}`)
}

/** "… UND pthread_once@GLIBC_2.34 (4)" */
function symbolsNeeded(file) {
  const { error, status, stdout } = spawnSync('readelf', ['--wide', '--dyn-syms', file], { encoding: 'utf8' })
  if (error || status !== 0) throw new Error(`readelf could not read ${file}`, { cause: error })
  const lines = stdout.matchAll(/ UND (\S+)@(GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)
  return Array.from(lines, ([, symbol, library, version]) => ({ symbol, library, version }))
}

function isNewer(version, than) {
  return version.localeCompare(than, 'en', { numeric: true }) > 0
}
