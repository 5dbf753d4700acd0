/** Compiles every test before a run of all, so that the compiler is loaded once; forgets what is no longer needed. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CACHE, compiled } from './compiled.mjs'

const tests = join(import.meta.dirname, '..')
const names = new Set()
for (const name of await readdir(tests, { recursive: true })) {
  if (name.endsWith('.ts')) names.add((await compiled(join(tests, name))).name)
}
for (const name of await readdir(CACHE)) {
  if (name.endsWith('.js') && !names.has(name)) await rm(join(CACHE, name), { force: true })
}
