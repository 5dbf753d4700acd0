import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'

/** Each function below returns why its step is needed, or undefined where its product is up to date. */

/**
 * Compares contents, not times: npm writes what it has installed to node_modules/.package-lock.json. Optional
 * packages may be absent (those of other systems always are).
 */
export function nodeModulesReason(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  if (wanted === undefined) throw new Error('package-lock.json is missing or damaged')
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'))
  if (installed === undefined) return 'node_modules is missing'
  for (const [path, { version, integrity, optional, devOptional }] of Object.entries(wanted)) {
    if (path === '') continue
    const found = installed[path]
    if (found === undefined && (optional || devOptional)) continue
    if (found?.version !== version || found.integrity !== integrity)
      return `${path} is not as package-lock.json wants it`
  }
  const root_ = wanted['']
  for (const name of Object.keys({ ...root_?.dependencies, ...root_?.devDependencies })) {
    if (!existsSync(join(root, 'node_modules', name, 'package.json')))
      return `node_modules/${name} is missing`
  }
  return undefined
}

/** The addon is loaded for the answer: one built for another system or by a broken compiler is of no use. */
export function addonReason(root) {
  const addon = join(root, 'build/Release/sttstream.node')
  if (!existsSync(addon)) return 'the addon is not built'
  const sources = [
    ...filesUnder(join(root, 'native')),
    join(root, 'CMakeLists.txt'),
    join(root, 'package.json'),
  ]
  const newer = sources.find(isNewerThan(statSync(addon).mtimeMs))
  if (newer !== undefined) return `${relative(root, newer)} is newer than the addon`
  try {
    createRequire(import.meta.url)(addon)
  } catch (error) {
    return `the addon does not load: ${error.message}`
  }
  return undefined
}

/** tsc writes every file anew, so each must be at least as new as its source. */
export function distReason(root) {
  const outputs = expectedOutputs(root)
  const config = statSync(join(root, 'tsconfig.json')).mtimeMs
  for (const [output, source] of outputs) {
    if (!existsSync(output)) return `${relative(root, output)} is missing`
    const built = statSync(output).mtimeMs
    if (built < statSync(source).mtimeMs) return `${relative(root, source)} has changed`
    if (built < config) return 'tsconfig.json has changed'
  }
  const [stray] = strayOutputs(root)
  return stray === undefined ? undefined : `${relative(root, stray)} has lost its source`
}

/** Removes what tsc left of sources that are gone: tests and the package would still find it. */
export function removeStrayOutputs(root) {
  for (const stray of strayOutputs(root)) rmSync(stray)
}

function strayOutputs(root) {
  const outputs = expectedOutputs(root)
  return filesUnder(join(root, 'dist')).filter(
    file => !outputs.has(file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.js')),
  )
}

/** dist/x.js → src/x.ts */
function expectedOutputs(root) {
  const sources = filesUnder(join(root, 'src')).filter(
    file => file.endsWith('.ts') && !file.endsWith('.d.ts'),
  )
  return new Map(
    sources.map(source => [
      join(root, 'dist', relative(join(root, 'src'), source).replace(/\.ts$/, '.js')),
      source,
    ]),
  )
}

function isNewerThan(timeMs) {
  return file => statSync(file).mtimeMs > timeMs
}

function filesUnder(directory) {
  if (!existsSync(directory)) return []
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}
