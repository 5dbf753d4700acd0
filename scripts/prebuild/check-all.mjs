/** Fails where prebuilds/ lacks a platform that the README promises. The release runs it before it publishes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { prebuildPath, prebuildTarget, PUBLISHED } from './target.mjs'

const root = join(import.meta.dirname, '../..')
const missing = PUBLISHED.map(wanted => prebuildPath(prebuildTarget(wanted))).filter(
  path => !existsSync(join(root, path)),
)
for (const path of missing) console.error(`${path} is missing`)
process.exitCode = missing.length === 0 ? 0 : 1
