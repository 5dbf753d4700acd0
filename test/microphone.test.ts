import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { CaptureBuffer } from '#dist/audio/capture-buffer.js'
import { captureArguments, defaultDevices } from '#dist/audio/microphone-device.js'
import {
  microphone,
  microphones,
  type Microphone,
  type SttError,
  type MicrophoneWarning,
} from '#dist/index.js'
import { readAll } from './fixtures/audio.js'
import { noPulseServer, pulseServer } from './fixtures/pulse-server.js'

const HEADER_BYTES = 44
/** Bytes of a millisecond of 48 kHz mono LINEAR16. */
const BYTES_PER_MS = 96

/** Samples that are told apart by their place. */
function ramp(samples: number): Buffer {
  return Buffer.from(Int16Array.from({ length: samples }, (_, i) => i).buffer)
}

/** An ffmpeg that does what the script says. */
function fakeFfmpeg(t: Test, script: string): string {
  const path = join(t.testdir(), 'ffmpeg')
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return path
}

async function failureOf(stream: NodeJS.ReadableStream): Promise<SttError> {
  stream.resume()
  const [error] = (await once(stream, 'error').catch((thrown: unknown) => [thrown])) as [SttError]
  return error
}

/** What the microphone gives until it has given this many bytes. */
async function readBytes(stream: AsyncIterable<Buffer>, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= bytes) break
  }
  return Buffer.concat(chunks)
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

const withPulse = { skip: noPulseServer }

t.test('what is heard from the first sample on is a WAV stream', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  const spoken = ramp(20_000)
  pulse.speak(spoken)
  const mic = microphone({ device: pulse.device })
  t.strictSame(mic.format, { encoding: 's16le', sampleRateHertz: 48_000, channels: 1 })
  t.strictSame(await once(mic, 'open'), [{ device: pulse.device }])
  t.equal(mic.device, pulse.device)
  const heard = await readBytes(mic, HEADER_BYTES + 30_000)
  t.equal(heard.toString('latin1', 0, 16), 'RIFF\xff\xff\xff\xffWAVEfmt ')
  t.equal(heard.readUInt32LE(24), 48_000)
  t.equal(heard.readUInt32LE(40), 0xffffffff)
  t.ok(heard.subarray(HEADER_BYTES, HEADER_BYTES + 30_000).equals(spoken.subarray(0, 30_000)))
  t.ok(mic.destroyed, 'leaving the loop ends it')
})

t.test('a reader that comes late misses nothing', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  const mic = microphone({ device: pulse.device })
  pulse.speak(ramp(20_000))
  await once(mic, 'open')
  const heard = await readBytes(mic, HEADER_BYTES + 80 * BYTES_PER_MS)
  t.ok(heard.subarray(HEADER_BYTES).equals(ramp(20_000).subarray(0, heard.length - HEADER_BYTES)))
})

t.test('stop() ends the stream behind what was heard, in any state and again', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  pulse.speak(ramp(20_000))
  const mic = microphone({ device: pulse.device })
  await once(mic, 'open')
  const { pid } = mic
  t.ok(isAlive(pid))
  mic.stop()
  mic.stop()
  const heard = await readAll(mic)
  t.ok(heard.length > HEADER_BYTES)
  t.ok(heard.subarray(HEADER_BYTES).equals(ramp(20_000).subarray(0, heard.length - HEADER_BYTES)))
  t.notOk(isAlive(pid))
  mic.stop()

  const unopened = microphone({ device: pulse.device })
  unopened.stop()
  t.equal((await readAll(unopened)).length, 0, 'before it began')
  t.equal(unopened.pid, undefined)
})

t.test('destroyed or aborted, it takes ffmpeg with it', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  const aborter = new AbortController()
  for (const end of [(mic: Microphone) => void mic.destroy(), () => aborter.abort()]) {
    // Nothing is said, so that ffmpeg cannot learn of it by a broken pipe.
    const mic = microphone({ device: pulse.device, signal: aborter.signal })
    await setImmediate()
    const { pid } = mic
    t.ok(isAlive(pid))
    const errors: Error[] = []
    mic.on('error', error => errors.push(error))
    const closed = new Promise(resolve => mic.once('close', resolve))
    end(mic)
    await closed
    t.match(errors, aborter.signal.aborted ? [{ name: 'AbortError' }] : [])
    t.notOk(isAlive(pid))
  }
})

t.test('a microphone that is unplugged is an error', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  pulse.speak(Buffer.alloc(500 * BYTES_PER_MS))
  const mic = microphone({ device: pulse.device })
  mic.resume()
  await once(mic, 'open')
  const failed = failureOf(mic)
  await pulse.unplug()
  t.match(await failed, {
    code: 'STT_ERR_MICROPHONE',
    message: /^the microphone pulse:test stopped: test: .*; it may have been unplugged/,
    retryable: false,
  })
})

t.test('a microphone that is not there is an error that says where to look', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  t.match(await failureOf(microphone({ device: 'pulse:nobody' })), {
    code: 'STT_ERR_MICROPHONE',
    message: /^the microphone pulse:nobody could not be opened: nobody: .*--list-devices/,
  })
})

t.test('a microphone that gives nothing is an error', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  t.match(await failureOf(microphone({ device: pulse.device, stallTimeoutMs: 500 })), {
    code: 'STT_ERR_MICROPHONE',
    message: /pulse:test could not be opened: no audio came for 500 ms/,
  })
})

t.test('without a sound server the default is that of ALSA', withPulse, async t => {
  const pulse = await pulseServer(t)
  const config = join(t.testdir(), 'asound.conf')
  writeFileSync(config, `pcm.!default { type pulse server "${pulse.env.PULSE_SERVER}" }\n`)
  process.env.PULSE_SERVER = 'unix:/nowhere'
  process.env.ALSA_CONFIG_PATH = config
  t.teardown(() => delete process.env.ALSA_CONFIG_PATH)
  pulse.speak(Buffer.alloc(500 * BYTES_PER_MS))
  const mic = microphone()
  t.strictSame(await once(mic, 'open'), [{ device: 'alsa:default' }])
  mic.destroy()
  await once(mic, 'close')
})

t.test('without any microphone the error tells of every default that was tried', withPulse, async t => {
  process.env.PULSE_SERVER = 'unix:/nowhere'
  process.env.ALSA_CONFIG_PATH = '/nowhere'
  t.teardown(() => delete process.env.ALSA_CONFIG_PATH)
  t.match(await failureOf(microphone()), {
    code: 'STT_ERR_MICROPHONE',
    message: /^the microphone pulse:default could not .*the microphone alsa:default could not /s,
  })
  t.strictSame(await microphones(), [])
})

t.test('lists what can be heard', withPulse, async t => {
  const pulse = await pulseServer(t)
  process.env.PULSE_SERVER = pulse.env.PULSE_SERVER
  t.match(await microphones(), [{ id: pulse.device, name: /^Unix FIFO source /, isDefault: true }])
  const aborted = AbortSignal.abort()
  await t.rejects(microphones({ signal: aborted }), { name: 'AbortError' })
})

t.test('no ffmpeg is its own error', async t => {
  const missing = { ffmpegPath: '/no/such/ffmpeg' }
  t.match(await failureOf(microphone(missing)), { code: 'STT_ERR_FFMPEG_NOT_FOUND' })
  await t.rejects(microphones(missing), { code: 'STT_ERR_FFMPEG_NOT_FOUND' })
})

t.test('a reader that is too late loses the oldest audio, once told and counted to the sample', async t => {
  const script = `head -c ${1_000 * BYTES_PER_MS} /dev/zero`
  const mic = microphone({ device: 'alsa:default', ffmpegPath: fakeFfmpeg(t, script), bufferMs: 200 })
  const warnings: MicrophoneWarning[] = []
  mic.on('warning', (warning: MicrophoneWarning) => warnings.push(warning))
  await once(mic, 'error').catch(() => {})
  t.equal(mic.lostMs, 800)
  t.match(warnings, [{ code: 'STT_WARN_MICROPHONE_OVERRUN', message: /200 ms behind/ }])
  t.equal(warnings.length, 1)
})

t.test('losses of the system are told, not for each piece', async t => {
  const said = Array.from(
    { length: 5 },
    () => "echo '[alsa @ 0x55] [warning] ALSA buffer xrun.' >&2; sleep 0.02",
  ).join('\n')
  const mic = microphone({ device: 'alsa:default', ffmpegPath: fakeFfmpeg(t, said) })
  const warnings: MicrophoneWarning[] = []
  mic.on('warning', (warning: MicrophoneWarning) => warnings.push(warning))
  t.match(await failureOf(mic), { code: 'STT_ERR_MICROPHONE' })
  t.match(warnings, [{ code: 'STT_WARN_MICROPHONE_OVERRUN', message: /the system lost audio/ }])
  t.equal(warnings.length, 1)
})

t.test('what ffmpeg says of a failure decides the remedy', async t => {
  const said: [text: string, remedy: RegExp, retryable: boolean][] = [
    ['cannot open audio device hw:1 (Device or resource busy)', /another program holds it/, true],
    [
      'Could not run graph (sometimes caused by a device already in use by other application)',
      /another/,
      true,
    ],
    ['cannot open audio device hw:0 (Permission denied)', /the group 'audio'/, false],
    ["Unknown input format: 'alsa'", /the ffmpeg of your distribution/, false],
    ['cannot open audio device hw:9 (No such file or directory)', /--list-devices/, false],
  ]
  for (const [text, remedy, retryable] of said) {
    const ffmpegPath = fakeFfmpeg(
      t,
      `echo "[alsa @ 0x55] [warning] Guessed" >&2; echo "[alsa @ 0x55] [error] ${text}" >&2; exit 1`,
    )
    const error = await failureOf(microphone({ device: 'alsa:hw:1', ffmpegPath }))
    t.match(error, { code: 'STT_ERR_MICROPHONE', message: remedy, retryable })
    t.ok(error.message.includes(`the microphone alsa:hw:1 could not be opened: [alsa] ${text}; `), text)
  }
})

t.test('misuse is told before anything opens', async t => {
  const wrong: [options: object, error: object][] = [
    [
      { device: 'hw:1' },
      { name: 'TypeError', message: /^device: expected an id of microphones\(\).*got 'hw:1'/ },
    ],
    [{ device: 'pulse:' }, { name: 'TypeError' }],
    [{ device: 'pulse:a\0b' }, { name: 'TypeError' }],
    [{ device: 3 }, { name: 'TypeError', message: /^device: .*got 3/ }],
    [{ channels: 0 }, { name: 'RangeError', message: /^channels: .*got 0/ }],
    [{ channels: 1.5 }, { name: 'RangeError' }],
    [{ bufferMs: 99 }, { name: 'RangeError', message: /^bufferMs: .*got 99/ }],
    [{ bufferMs: '1' }, { name: 'TypeError' }],
    [{ stallTimeoutMs: 0 }, { name: 'RangeError' }],
    [{ ffmpegPath: '' }, { name: 'TypeError' }],
    [{ signal: {} }, { name: 'TypeError', message: /^signal: / }],
    [{ volume: 1 }, { name: 'TypeError', message: /volume/ }],
  ]
  for (const [options, error] of wrong)
    t.throws(() => microphone(options), error as Error, JSON.stringify(options))
  t.throws(() => microphone(null as never), { name: 'TypeError', message: /^microphone options: / })
})

t.test('each platform has its default, and each system its arguments', async t => {
  t.strictSame(defaultDevices('linux'), [
    { system: 'pulse', name: 'default' },
    { system: 'alsa', name: 'default' },
  ])
  t.strictSame(defaultDevices('darwin'), [{ system: 'avfoundation', name: 'default' }])
  t.equal(defaultDevices('win32'), undefined)
  const format = { encoding: 's16le', sampleRateHertz: 48_000, channels: 2 } as const
  const argumentsOf = (system: 'pulse' | 'alsa' | 'avfoundation' | 'dshow') =>
    captureArguments({ system, name: 'a b' }, format).join(' ')
  t.match(argumentsOf('pulse'), /-f pulse -sample_rate 48000 -channels 2 -fragment_size 1920 .* -i a b -vn/)
  t.match(argumentsOf('alsa'), /-f alsa -sample_rate 48000 -channels 2 -i a b -vn/)
  t.match(argumentsOf('avfoundation'), /-f avfoundation -i :a b -vn/)
  t.match(argumentsOf('dshow'), /-f dshow -audio_buffer_size 10 -i audio=a b -vn/)
})

t.test('the buffer drops whole samples of all channels, however the bytes are cut', async t => {
  const format = { encoding: 's16le', sampleRateHertz: 1_000, channels: 2 } as const
  const audio = ramp(80)
  for (const size of [1, 3, 7, 64, 160]) {
    const buffer = new CaptureBuffer(format, 10)
    for (let at = 0; at < audio.length; at += size) buffer.push(audio.subarray(at, at + size))
    t.equal(buffer.lostMs, 30, `pieces of ${size} bytes`)
    const kept: Buffer[] = []
    for (let piece = buffer.shift(); piece; piece = buffer.shift()) kept.push(piece)
    t.ok(Buffer.concat(kept).equals(audio.subarray(-40)), `pieces of ${size} bytes`)
    t.ok(buffer.isEmpty)
  }
})

t.test(
  'a program that is done with its microphone ends, and one that is killed leaves no ffmpeg',
  withPulse,
  async t => {
    const pulse = await pulseServer(t)
    const program = join(import.meta.dirname, 'fixtures', 'microphone-program.mjs')
    for (const outcome of ['stopped', 'destroyed', 'killed']) {
      pulse.speak(Buffer.alloc(500 * BYTES_PER_MS))
      const child = spawn(process.execPath, [program, outcome, pulse.device], {
        env: { ...process.env, ...pulse.env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      t.teardown(() => child.kill('SIGKILL'))
      const exited = once(child, 'exit')
      const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
      const pid = Number(line)
      t.ok(pid > 0, outcome)
      if (outcome === 'killed') child.kill('SIGKILL')
      t.strictSame(await exited, outcome === 'killed' ? [null, 'SIGKILL'] : [0, null], outcome)
      // It learns of it when it next has something to write.
      pulse.speak(Buffer.alloc(500 * BYTES_PER_MS))
      while (isAlive(pid)) await sleep(10)
    }
  },
)
