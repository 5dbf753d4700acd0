/**
 * The runtimes that npm carries: each a package per platform with the binary in it, so that nothing is downloaded by
 * install scripts. The oldest Node of `engines`, then the newest of each line that is looked after, then others.
 */
const { platform, arch } = process
const windows = platform === 'win32'
const exe = windows ? '.exe' : ''
const node = `node-${windows ? 'win' : platform}-${arch}`
const bun = `@oven/bun-${windows ? 'windows' : platform}-${arch === 'arm64' ? 'aarch64' : arch}`
const deno = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`
const ofNode = version => ({
  name: `Node ${version}`,
  spec: `${node}@${version}`,
  binary: `${node}/bin/node${exe}`,
  args: [],
})

export const RUNTIMES = [
  ...['20.19.0', '20', '22', '24', '26'].map(ofNode),
  { name: 'Bun', spec: bun, binary: `${bun}/bin/bun${exe}`, args: ['run'] },
  { name: 'Deno', spec: deno, binary: `${deno}/deno${exe}`, args: ['run', '--allow-all'] },
]
