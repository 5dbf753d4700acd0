import { join } from 'node:path'
import { ROOT, WORK } from '../paths.mjs'
import { command } from './command.mjs'

const bin = name => join(ROOT, 'node_modules', '.bin', name)

/** The library as it ships. */
export async function buildLibrary() {
  await command(bin('tsc'), ['-p', 'tsconfig.json'])
  await command(bin('cmake-js'), ['compile', '--out', 'build'])
}

/** The driver of the C and C++ peers. */
export async function buildDriver() {
  const folder = join(WORK, 'native')
  const settings = ['-DCMAKE_BUILD_TYPE=Release', '-DSTTSTREAM_BENCH=ON']
  await command('cmake', ['-S', ROOT, '-B', folder, '-G', 'Ninja', ...settings])
  await command('cmake', ['--build', folder, '--parallel', '2'])
}
