/** Checks the layout of the C++ sources, or with `--write` mends it. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const sources = ['native', 'bench/native'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true })
    .filter(name => /\.(cc|h)$/.test(name))
    .map(name => join(folder, name)),
)

const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror']
const { error, status } = spawnSync('clang-format', [...mode, '--style=file', ...sources], {
  cwd: root,
  stdio: 'inherit',
})
if (error) {
  const reason = error.code === 'ENOENT' ? 'it is not installed: apt-get install clang-format' : error.message
  console.error(`clang-format could not run; ${reason}`)
}
process.exitCode = status ?? 1
