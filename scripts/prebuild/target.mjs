import { join } from 'node:path'

/** What the published package holds. */
export const PUBLISHED = [
  { platform: 'linux', arch: 'x64', libc: 'glibc' },
  { platform: 'linux', arch: 'x64', libc: 'musl' },
  { platform: 'linux', arch: 'arm64', libc: 'glibc' },
  { platform: 'linux', arch: 'arm64', libc: 'musl' },
  { platform: 'darwin', arch: 'x64' },
  { platform: 'darwin', arch: 'arm64' },
  { platform: 'win32', arch: 'x64' },
]

/** Debian's names of what a cross compiler builds for, by Node's. */
const TRIPLETS = { arm64: 'aarch64-linux-gnu', x64: 'x86_64-linux-gnu' }

/**
 * What an addon is built for, in the words of Node and of node-gyp-build: platform, arch and, on Linux, the libc
 * and the version of an ARM processor.
 */
export function prebuildTarget({ platform = process.platform, arch = process.arch, libc } = {}) {
  if (platform !== 'linux') return { platform, arch }
  return { platform, arch, libc: libc ?? hostLibc(), armv: arch === 'arm64' ? '8' : undefined }
}

/** Whether this Node can load it. */
export function isHost(target) {
  const host = prebuildTarget()
  return target.platform === host.platform && target.arch === host.arch && target.libc === host.libc
}

/** Where node-gyp-build looks for it below the package: `prebuilds/linux-arm64/sttstream.armv8.glibc.node`. */
export function prebuildPath({ platform, arch, libc, armv }, name = 'sttstream') {
  const tags = [name, armv && `armv${armv}`, libc].filter(Boolean)
  return join('prebuilds', `${platform}-${arch}`, `${tags.join('.')}.node`)
}

/**
 * The compilers as environment variables, those of Debian's cross packages where the target is another processor's
 * Linux. What the environment says already goes first: it can name any toolchain.
 */
export function toolchain(target, env = process.env) {
  const triplet = TRIPLETS[target.arch]
  if (target.platform !== 'linux' || target.arch === process.arch || triplet === undefined) return {}
  return {
    CC: env.CC ?? `${triplet}-gcc`,
    CXX: env.CXX ?? `${triplet}-g++`,
    AR: env.AR ?? `${triplet}-ar`,
    STRIP: env.STRIP ?? `${triplet}-strip`,
  }
}

/** What this Node was linked against. */
function hostLibc() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}
