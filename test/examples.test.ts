import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { encode } from './fixtures/audio.js'
import { noPulseServer, pulseServer } from './fixtures/pulse-server.js'
import { runNode, type NodeRun } from './fixtures/run-node.js'
import { LAMP, scriptedServer, tone, toneWav } from './fixtures/scripted.js'

const EXAMPLES = join(import.meta.dirname, '../examples')
/** Public-domain recordings of the Debian package pocketsphinx-testdata. */
const SPEECH = '/usr/share/pocketsphinx/test/data'
const AMIABLE = `${SPEECH}/librivox/sense_and_sensibility_01_austen_64kb-0930.wav`

const directory = t.testdir()
writeFileSync(join(directory, 'tone.wav'), toneWav(3_000))
writeFileSync(join(directory, 'turn.raw'), tone(1_500))
const mp3 = await encode(directory, 'tone.mp3', ['-i', 'tone.wav'])
const ulaw = await encode(directory, 'tone.ulaw', ['-i', 'tone.wav', '-ar', '8000', '-f', 'mulaw'])

const run = (name: string, args: string[], env?: NodeJS.ProcessEnv) =>
  runNode([join(EXAMPLES, name), ...args], env)

/** The example against a service that hears what the script says. */
async function runScripted(t: Test, name: string, args: string[]): Promise<NodeRun> {
  const { url } = await scriptedServer(t)
  return run(name, args, { STT_URL: url })
}

/** One test for each file; what an example prints is matched, not only that it ends. */
const TESTS: Record<string, (t: Test, name: string) => Promise<void>> = {
  async 'one-liner.mjs'(t, name) {
    const { code, stdout, stderr } = await run(name, [AMIABLE, 'local'])
    t.equal(code, 0, stderr)
    t.match(stdout, /he might even have been made .*amiable/)
  },

  async 'pipe-mp3.mjs'(t, name) {
    const { code, stdout, stderr } = await runScripted(t, name, [mp3])
    t.equal(code, 0, stderr)
    const lines = stdout.split('\n')
    t.match(lines[0], /^… turn/, 'an interim')
    t.ok(lines.includes('1: turn the lamp on'), 'a final')
    t.ok(lines.includes('   200 to 375 ms  turn'), 'a word')
    t.match(lines.at(-2), /^3\.\d s of audio, 2 turns$/)
  },

  async 'raw-telephony.mjs'(t, name) {
    const { code, stdout, stderr } = await runScripted(t, name, [ulaw])
    t.equal(code, 0, stderr)
    t.equal(
      stdout,
      LAMP.map(({ startMs, text }) => `(speech from ${startMs} ms)\n${text}\n`).join(''),
      'the clock of 8 kHz mu-law is kept',
    )
  },

  async 'manual-turns.mjs'(t, name) {
    const turn = join(directory, 'turn.raw')
    const { code, stdout, stderr } = await runScripted(t, name, [turn, turn, turn])
    t.equal(code, 0, stderr)
    t.equal(stdout, 'turn 1: turn the lamp on\nturn 2: thank you\nnothing was said\n')
  },

  async 'abort.mjs'(t, name) {
    const { code, stdout, stderr } = await runScripted(t, name, [mp3])
    t.equal(code, 0, stderr)
    t.match(stdout, /^turn.*\nstopped after \d+ ms of audio\n$/)
    t.notMatch(stdout, 'thank you')
  },

  async 'errors.mjs'(t, name) {
    const busyOnce = (index: number) =>
      index === 0 ? { upgrade: { status: 503, headers: { 'retry-after': '0' } } } : undefined
    const { url } = await scriptedServer(t, { faults: busyOnce })
    const retried = await run(name, [mp3], { STT_URL: url })
    t.equal(retried.code, 0, retried.stderr)
    t.match(
      retried.stdout,
      /^RangeError: .*frameMs.*\nattempt 1 after STT_ERR_SERVER\nturn the lamp on\nthank you\n$/,
    )

    const refused = await run(name, [import.meta.filename], { STT_URL: url })
    t.equal(refused.code, 1)
    t.match(refused.stdout, /\nSTT_ERR_DECODE_NOT_MEDIA: /)
    t.equal(refused.stdout.split('\n').length, 3, 'what will never work is not tried again')
  },

  async 'two-speakers.mjs'(t, name) {
    const pan = ['-i', 'tone.wav', '-af', 'pan=stereo|c0=c0|c1=0.5*c0']
    const stereo = await encode(directory, 'stereo.wav', pan)
    const { code, stdout, stderr } = await runScripted(t, name, [stereo])
    t.equal(code, 0, stderr)
    const lines = stdout.trimEnd().split('\n')
    const starts = lines.map(line => parseInt(line))
    t.strictSame(
      starts,
      starts.toSorted((a, b) => a - b),
      'in time order',
    )
    t.strictSame(
      lines.sort(),
      LAMP.flatMap(({ startMs, text }) =>
        [0, 1].map(side => `${startMs} ms, channel ${side}: ${text}`),
      ).sort(),
    )
  },

  async 'fleet.mjs'(t, name) {
    const { url } = await scriptedServer(t)
    const env = { ...process.env, STT_URL: url }
    const server = spawn(process.execPath, [join(EXAMPLES, name), '0'], { env })
    t.teardown(() => server.kill('SIGKILL'))
    let stdout = ''
    server.stdout.on('data', chunk => (stdout += chunk))
    await once(server.stdout, 'data')
    const [port] = /\d+/.exec(stdout) ?? []
    const call = connect(Number(port), '127.0.0.1')
    // A caller who does not hang up.
    call.write(readFileSync(join(directory, 'tone.wav')))
    let heard = ''
    for await (const chunk of call.setEncoding('utf8')) {
      if (heard === '') server.kill('SIGTERM')
      heard += chunk
    }
    t.match(heard, /^turn the lamp on\n/)
    const [code] = (await once(server, 'exit')) as [number | null]
    t.equal(code, 0, 'it exits by itself')
    t.match(stdout, /\n\{ ended: 1, failed: 0, destroyed: 0 \}\n$/)
  },

  async 'microphone.mjs'(t, name) {
    const pulse = await pulseServer(t, { isOpen: true })
    const { url } = await scriptedServer(t)
    const env = { ...process.env, ...pulse.env, STT_URL: url }
    const program = spawn(process.execPath, [join(EXAMPLES, name), pulse.device], { env })
    t.teardown(() => program.kill('SIGKILL'))
    pulse.speak(Buffer.alloc(480_000))
    let heard = ''
    for await (const chunk of program.stdout.setEncoding('utf8')) {
      heard += chunk
      if (heard.includes('thank you')) program.kill('SIGINT')
    }
    t.match(
      heard,
      /^\* pulse:test Unix FIFO source .*\nlistening to pulse:test\nturn the lamp on\nthank you\n$/,
    )
    t.equal(program.exitCode ?? (await once(program, 'exit'))[0], 0, 'it exits by itself')
  },

  async 'captions.mjs'(t, name) {
    const { code, stdout, stderr } = await runScripted(t, name, [mp3])
    t.equal(code, 0, stderr)
    t.match(stdout, /^WEBVTT\n\n00:00:00\.200 --> 00:00:01\.\d{3}\nturn the lamp on\n\n/)
  },

  async 'metrics.mjs'(t, name) {
    const { code, stdout, stderr } = await runScripted(t, name, [mp3])
    t.equal(code, 0, stderr)
    t.match(stdout, /0\.1 min read, 0\.0 s of it waiting, \d{6} bytes sent, 2 turns\n/)
    t.match(stdout, /^ {2}\d+ interims: half within \d+ ms, .*\n {2}2 finals: .* all within \d+ ms\n$/m)
  },

  async 'opentelemetry.mjs'(t, name) {
    const { code, stdout, stderr } = await runScripted(t, name, [mp3])
    t.equal(code, 0, stderr)
    t.match(stdout, "name: 'transcribe inworld/inworld-stt-1'")
    t.match(stdout, "name: 'call'")
    t.match(stdout, "'sttstream.turn.count': 2")
    t.match(stdout, "name: 'sttstream.audio_to_final.duration'")
  },

  async 'stages.mjs'(t, name) {
    const { code, stdout, stderr } = await run(name, [AMIABLE])
    t.equal(code, 0, stderr)
    const [format, ...frames] = stdout.trimEnd().split('\n')
    t.equal(format, 's16le, 16000 Hz, 1 channel(s)')
    t.equal(frames.length, 17, '3.29 s in frames of 200 ms')
    const voiced = frames.filter(line => line.endsWith('speech')).length
    t.ok(voiced > frames.length / 2 && voiced < frames.length, `${voiced} frames of speech`)
  },

  async 'local-server.mjs'(t, name) {
    const goforward = await encode(directory, 'goforward.wav', [
      ...['-f', 's16le', '-ar', '16000', '-i', `${SPEECH}/goforward.raw`],
    ])
    const { code, stdout, stderr } = await run(name, [goforward])
    t.equal(code, 0, stderr)
    t.match(
      stdout,
      /^pocketsphinx listens on ws:\/\/127\.0\.0\.1:\d+\/.*\n.*goforward\.wav: go forward ten meters\n$/,
    )
  },

  async 'own-test.mjs'(t, name) {
    const { code, stdout, stderr } = await run(name, [])
    t.equal(code, 0, stderr)
    t.match(stdout, /\n# pass 3\n# fail 0\n/)
  },

  async 'fault-tests.mjs'(t, name) {
    const { code, stdout, stderr } = await run(name, [])
    t.equal(code, 0, stderr)
    t.match(stdout, /\n# pass 10\n# fail 0\n/)
  },

  async 'whole-file.mjs'(t, name) {
    const { url, httpUrl } = await scriptedServer(t)
    const srt = '1\n00:00:00,200 --> 00:00:01,200\nturn the lamp on\n'
    for (const env of [{ STT_URL: url }, { STT_HTTP_URL: httpUrl }]) {
      const { code, stdout, stderr } = await run(name, [mp3], env)
      t.equal(code, 0, stderr)
      t.ok(stdout.startsWith(`turn the lamp on thank you\n${srt}`), stdout)
    }
    const failed = await run(name, [import.meta.filename], { STT_URL: url })
    t.match(failed, { code: 1, stderr: /^STT_ERR_DECODE_NOT_MEDIA: / })
  },

  async 'web-stream.mjs'(t, name) {
    const audio = readFileSync(mp3)
    const site = createServer((_request, response) => response.end(audio)).listen(0, '127.0.0.1')
    t.teardown(() => site.close())
    await once(site, 'listening')
    const { port } = site.address() as AddressInfo
    const { code, stdout, stderr } = await runScripted(t, name, [`http://127.0.0.1:${port}/tone.mp3`])
    t.equal(code, 0, stderr)
    t.equal(stdout, LAMP.map(({ text }) => `${text}\n`).join(''))
  },
}

t.test('there is a test for each example', async t => {
  t.strictSame(
    readdirSync(EXAMPLES)
      .filter(name => name !== 'README.md')
      .sort(),
    Object.keys(TESTS).sort(),
  )
})

for (const [name, test] of Object.entries(TESTS)) {
  const skip = name === 'microphone.mjs' && noPulseServer
  t.test(`${name} does what it says`, { skip }, t => test(t, name))
}
