import { DEFAULT_URL } from '../../options.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { checkFfmpeg } from './ffmpeg.js'
import type { Check, Finding, Surroundings } from './finding.js'
import { judgeKey } from './key.js'
import { checkMicrophones } from './microphones.js'
import { checkRecognizer } from './recognizer.js'
import { checkRuntime } from './runtime.js'
import { checkService } from './service.js'

/** What the command line says, as commander hands it over. */
export interface DoctorOptions {
  url?: string
  apiKey?: string
  offline?: boolean
  json?: boolean
}

/** The model takes a second or two to load, everything else less. */
const CHECK_TIMEOUT_MS = 20_000

/** Looks at everything at once and writes what it found, a line for each. */
export async function doctor({ url, apiKey, offline, json }: DoctorOptions): Promise<ExitCode> {
  const isService = (url ?? DEFAULT_URL) === DEFAULT_URL
  // As the library does: the environment's key is the service's.
  const key = apiKey ?? (isService ? process.env['INWORLD_API_KEY'] : undefined)
  const surroundings: Surroundings = {
    url: url ?? DEFAULT_URL,
    isService,
    ...(key !== undefined && key !== '' && { apiKey: key }),
    keySource: apiKey === undefined ? 'INWORLD_API_KEY' : '--api-key',
  }
  const found = await examine({
    runtime: () => checkRuntime(),
    ffmpeg: checkFfmpeg,
    microphone: checkMicrophones,
    recogniser: () => checkRecognizer(),
    key: () => Promise.resolve([judgeKey(surroundings)]),
    ...(!offline && { service: () => checkService(surroundings) }),
  })
  const findings = url === undefined ? needed(found, surroundings.apiKey !== undefined) : found
  process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : table(findings))
  return findings.some(({ state }) => state === 'missing') ? EXIT.missing : EXIT.ok
}

/** All at once, each with its deadline, and what they found in their order. */
export async function examine(
  checks: Readonly<Record<string, Check>>,
  timeoutMs = CHECK_TIMEOUT_MS,
): Promise<Finding[]> {
  const names = Object.entries(checks)
  const found = await Promise.all(names.map(([name, check]) => withDeadline(name, check, timeoutMs)))
  return found.flat()
}

async function withDeadline(name: string, check: Check, timeoutMs: number): Promise<Finding[]> {
  const aborter = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding[]>(resolve => {
    timer = setTimeout(() => {
      aborter.abort()
      resolve([{ check: name, state: 'warning', detail: `gave no answer within ${timeoutMs} ms` }])
    }, timeoutMs)
  })
  try {
    return await Promise.race([check(aborter.signal), late])
  } catch (error) {
    return [{ check: name, state: 'warning', detail: `could not be checked: ${(error as Error).message}` }]
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Somebody must listen, where no address is named: without a recogniser here the key is needed, and with one a service
 * for which there is no key need not be reached.
 */
export function needed(findings: readonly Finding[], hasKey: boolean): Finding[] {
  if (hasKey) return [...findings]
  const listensHere = findings.some(({ check, state }) => check === 'recogniser' && state === 'ok')
  return findings.map(finding => {
    const isListener = finding.check === 'recogniser' || finding.check === 'key'
    if (isListener && !listensHere) return { ...finding, state: 'missing' }
    if (finding.check === 'service' && finding.state === 'missing' && listensHere)
      return { ...finding, state: 'warning' }
    return finding
  })
}

/** State, check, what was found; the remedy below it. */
export function table(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const margin = ' '.repeat('missing'.length + 2 + width + 2)
  return findings
    .map(({ state, check, detail, remedy }) => {
      const line = `${state.padEnd('missing'.length)}  ${check.padEnd(width)}  ${detail}\n`
      return remedy === undefined ? line : `${line}${margin}→ ${remedy}\n`
    })
    .join('')
}
