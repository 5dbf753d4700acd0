import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { LiveLine } from '#dist/cli/live-line.js'
import { noPulseServer, pulseServer, type PulseServer } from './fixtures/pulse-server.js'
import { scriptedServer } from './fixtures/scripted.js'
import { goForward } from './fixtures/speech.js'

const CLI = join(import.meta.dirname, '../dist/cli/main.js')
const DEADLINE_MS = 120_000
/** Of the virtual microphone, in bytes per second. */
const SECOND = 32_000
const withPulse = { skip: noPulseServer }
const hasTerminal = spawnSync('script', ['--version'], { stdio: 'ignore' }).status === 0

/** `sttstream listen` and what it has said so far. */
class Listening {
  readonly child
  stdout = ''
  stderr = ''

  constructor(
    pulse: PulseServer,
    args: string[],
    command: [string, ...string[]] = [process.execPath, CLI, 'listen'],
  ) {
    const [program, ...first] = command
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...pulse.env }
    // A terminal signals the whole group: the children must not die of it.
    this.child = spawn(program, [...first, ...args], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout.setEncoding('utf8').on('data', (chunk: string) => (this.stdout += chunk))
    this.child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk))
    this.#closed = once(this.child, 'close', { signal: AbortSignal.timeout(DEADLINE_MS) })
    t.teardown(() => this.signal('SIGKILL'))
  }
  readonly #closed

  signal(name: NodeJS.Signals): void {
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(-this.child.pid!, name)
  }

  /** Resolves once it has said this on stderr, or on stdout. */
  async says(what: string, where: 'stdout' | 'stderr' = 'stderr'): Promise<void> {
    while (!this[where].includes(what))
      await Promise.race([once(this.child[where], 'data'), this.#ended(what)])
  }

  async #ended(what: string): Promise<never> {
    await this.#closed
    throw new Error(`ended without ${what}: ${this.stderr}`)
  }

  async exitCode(): Promise<number | null> {
    await this.#closed
    return this.child.exitCode
  }
}

t.test('speech at a microphone becomes words', withPulse, async t => {
  const pulse = await pulseServer(t, { sampleRateHertz: 16_000, isOpen: true })
  pulse.speak(Buffer.alloc(SECOND / 2))
  const listening = new Listening(pulse, ['--local', '--device', pulse.device])
  await listening.says('listening to pulse:test')
  pulse.speak(readFileSync(goForward.path))
  pulse.speak(Buffer.alloc(2 * SECOND))
  await listening.says('\n', 'stdout')
  listening.signal('SIGINT')
  t.equal(await listening.exitCode(), 0)
  t.equal(listening.stdout, 'go forward ten meters\n')
  t.equal(
    listening.stderr,
    'sttstream: listening to pulse:test; Ctrl-C ends it\nsttstream: ending; Ctrl-C again aborts\n',
  )
})

t.test('Ctrl-C in the middle of a turn waits for its words', withPulse, async t => {
  const pulse = await pulseServer(t, { sampleRateHertz: 16_000, isOpen: true })
  const { url } = await scriptedServer(t, {
    script: [{ startMs: 200, endMs: 6_000, text: 'turn the lamp on' }],
  })
  pulse.speak(Buffer.alloc(2 * SECOND))
  const listening = new Listening(pulse, ['--url', url, '--format', 'json'])
  await listening.says('"transcript":"turn', 'stdout')
  t.notMatch(listening.stdout, '"isFinal":true')
  listening.signal('SIGINT')
  t.equal(await listening.exitCode(), 0)
  t.match(listening.stdout, /"file":"microphone".*"transcript":"turn.*"isFinal":true/)
})

t.test('a second Ctrl-C aborts, and so does SIGTERM', withPulse, async t => {
  const pulse = await pulseServer(t, { sampleRateHertz: 16_000, isOpen: true })
  const { url } = await scriptedServer(t, { faults: { end: { finalDelayMs: 600_000 } } })
  for (const [code, ...signals] of [
    [130, 'SIGINT', 'SIGINT'],
    [143, 'SIGTERM'],
  ] as const) {
    pulse.speak(Buffer.alloc(SECOND))
    const listening = new Listening(pulse, ['--url', url])
    await listening.says('listening')
    for (const name of signals) {
      listening.signal(name)
      if (name === 'SIGINT') await listening.says('ending')
    }
    t.equal(await listening.exitCode(), code)
  }
})

t.test('a microphone that is missing or goes away is told, with 3', withPulse, async t => {
  const pulse = await pulseServer(t, { sampleRateHertz: 16_000, isOpen: true })
  const { url } = await scriptedServer(t)
  const missing = new Listening(pulse, ['--url', url, '--device', 'pulse:nobody'])
  t.equal(await missing.exitCode(), 3)
  t.match(
    missing.stderr,
    /^sttstream: the microphone pulse:nobody .*--list-devices.* \[STT_ERR_MICROPHONE\]\n$/,
  )
  pulse.speak(Buffer.alloc(2 * SECOND))
  const unplugged = new Listening(pulse, ['--url', url])
  await unplugged.says('\n', 'stdout')
  await pulse.unplug()
  t.equal(await unplugged.exitCode(), 3)
  t.equal(unplugged.stdout, 'turn the lamp on\n')
  t.match(unplugged.stderr, /stopped.*unplugged.*\[STT_ERR_MICROPHONE\]/)
})

t.test('a server that is not there ends the microphone too', withPulse, async t => {
  const pulse = await pulseServer(t, { sampleRateHertz: 16_000, isOpen: true })
  pulse.speak(Buffer.alloc(SECOND))
  const listening = new Listening(pulse, ['--url', 'ws://127.0.0.1:1/'])
  t.equal(await listening.exitCode(), 1)
  t.match(listening.stderr, /\[STT_ERR_SOCKET\]/)
})

t.test('--list-devices lists what can be heard', withPulse, async t => {
  const pulse = await pulseServer(t)
  const listing = new Listening(pulse, ['--list-devices'])
  t.equal(await listing.exitCode(), 0)
  t.match(listing.stdout, /^\* pulse:test\tUnix FIFO source .*\n$/)
})

t.test('a device without its system is wrong usage', async t => {
  const child = spawn(process.execPath, [CLI, 'listen', '--device', 'hw:1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
  t.equal(child.exitCode, 2)
  t.match(
    stderr,
    /Expected an id of --list-devices: one of pulse, alsa, avfoundation, dshow, a colon and a name/,
  )
})

t.test(
  'on a terminal what is being said stands on a line that is written anew',
  { skip: noPulseServer || (!hasTerminal && 'script is missing') },
  async t => {
    const pulse = await pulseServer(t, { sampleRateHertz: 16_000, isOpen: true })
    const { url } = await scriptedServer(t)
    pulse.speak(Buffer.alloc(2 * SECOND))
    const command = `${process.execPath} ${CLI} listen --url ${url}`
    const listening = new Listening(pulse, [command, '/dev/null'], ['script', '-qec'])
    await listening.says('turn the lamp on\r\n', 'stdout')
    t.match(
      listening.stdout,
      /listening to pulse:default[^]*\r\x1b\[Kturn[a-z ]*\r\x1b\[Kturn the lamp on\r\n/,
    )
    listening.signal('SIGTERM')
    await listening.exitCode()
  },
)

t.test('the line holds the end of what is too long for it', async t => {
  const writes: string[] = []
  const terminal = { columns: 11, write: (chunk: string) => writes.push(chunk) > 0 }
  const line = new LiveLine(terminal as unknown as NodeJS.WriteStream)
  const shown = (words: string) => {
    line.show(words)
    return writes.at(-1)?.replace('\r\x1b[K', '')
  }
  t.equal(shown('ten \n\x1bcells'), 'ten cells')
  t.equal(shown('0123456789'), '0123456789')
  t.equal(shown('01234567890'), '…234567890')
  t.equal(shown('今日はいい'), '今日はいい')
  t.equal(shown('今日はいい天気'), '…いい天気')
  t.equal(shown('e\u0301'.repeat(11)), `…${'e\u0301'.repeat(9)}`)
  t.equal(shown('👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧'), '👨‍👩‍👧'.repeat(5))
  line.clear()
  t.equal(writes.at(-1), '\r\x1b[K')
  const count = writes.length
  line.clear()
  t.equal(writes.length, count, 'only what is shown is cleared')
})
