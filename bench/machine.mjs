import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import { ROOT } from './paths.mjs'

const INTERESTING_FLAGS =
  /^(sse2|sse4_2|avx|avx2|fma|avx512(f|bw|dq|vl|vbmi|_vnni)|avx_vnni|neon|asimd|sve2?)$/

/** What the figures depend on. */
export function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() || arch(),
    cores: cpus().length,
    flags: cpuFlags(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    compiler: firstLine('c++', ['--version']),
    commit: firstLine('git', ['rev-parse', '--short', 'HEAD']),
    modified:
      (firstLine('git', ['status', '--porcelain', '--untracked-files=no', 'native', 'src']) ?? '') !== '',
  }
}

/** The processor's name as part of a file's. */
export function cpuSlug(cpu) {
  const name = cpu.replace(/\((r|tm)\)|@.*$|\b(processor|cpu|\d+-core)\b/gi, ' ')
  return (
    name
      .toLowerCase()
      .match(/[a-z0-9]+/g)
      ?.join('-') ?? 'unknown'
  )
}

/** Of the cores that this process may run on, which a container or taskset may have narrowed. */
export function lastAllowedCore() {
  try {
    const status = readFileSync('/proc/self/status', 'utf8')
    return Number(/^Cpus_allowed_list:.*?(\d+)$/m.exec(status)[1])
  } catch {
    return availableParallelism() - 1
  }
}

/** `taskset -c CORE` in front of a command, where there is one. */
export function pinned(core, name, args) {
  return hasTaskset() ? ['taskset', ['--cpu-list', String(core), name, ...args]] : [name, args]
}

let taskset
function hasTaskset() {
  return (taskset ??= firstLine('taskset', ['--version']) !== undefined)
}

function cpuFlags() {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
    return line[1].split(' ').filter(flag => INTERESTING_FLAGS.test(flag))
  } catch {
    return []
  }
}

function firstLine(name, args) {
  try {
    const output = execFileSync(name, args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return output.split('\n', 1)[0]
  } catch {
    return undefined
  }
}
