import t, { type Test } from 'tap'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { decode, type DecodeWarning } from '#dist/audio/decode.js'
import { findFfmpeg } from '#dist/audio/ffmpeg-find.js'
import { Ffmpeg, type FfmpegRun } from '#dist/audio/ffmpeg.js'

import { wavHeader } from '#dist/audio/wav-header.js'
import { encode, randomBytes, readAll } from './fixtures/audio.js'
import { mockClock } from './fixtures/mock-clock.js'

const FORMAT = { encoding: 'f32le', sampleRateHertz: 16_000, channels: 1 } as const
/** Something that only ffmpeg could know. */
const UNKNOWN_AUDIO = Buffer.from('\x1a\x45\xdf\xa3, or so it says', 'latin1')

/**
 * An ffmpeg of our own in a directory of its own, where $WAV is a whole WAV file and $PID takes its process id. $HANG
 * does nothing more, and lets `hangs` know.
 */
async function fakeFfmpeg(t: Test, script: string, wav = wavFile()) {
  const directory = t.testdir()
  const path = (name: string) => join(directory, name)
  const command = path('ffmpeg')
  const lines = [
    '#!/bin/sh',
    `WAV='${path('out.wav')}'`,
    `HANG='exec ${path('hang')}'`,
    `echo $$ > '${path('pid.new')}'; mv '${path('pid.new')}' '${path('pid')}'`,
    script,
    '',
  ]
  await writeFile(path('out.wav'), wav)
  await writeFile(path('hang'), `#!/bin/sh\n: > '${path('hangs')}'\nexec sleep 600\n`, { mode: 0o755 })
  await writeFile(command, lines.join('\n'), { mode: 0o755 })
  return {
    command,
    pid: async () => Number(await readFile(path('pid'), 'utf8')),
    hangs: () => existsSync(path('hangs')),
  }
}

const PCM = randomBytes(4_000, 1)
const wavFile = (pcm = PCM) => Buffer.concat([wavHeader(FORMAT), pcm])

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Decodes `input` to its end or error. */
async function outcome(command: string, input: Buffer[] = [UNKNOWN_AUDIO], options: DecodeOptions = {}) {
  const decoder = decode({ ffmpegPath: command, ...options })
  const events: string[] = []
  const warnings: DecodeWarning[] = []
  let error: (Error & { code?: string }) | undefined
  decoder.on('warning', (warning: DecodeWarning) => warnings.push(warning))
  for (const event of ['end', 'error', 'close']) decoder.on(event, () => events.push(event))
  decoder.on('error', failure => (error = failure))
  const chunks: Buffer[] = []
  decoder.on('data', (chunk: Buffer) => chunks.push(chunk))
  for (const chunk of input) decoder.write(chunk)
  decoder.end()
  await new Promise(closed => decoder.once('close', closed))
  return { events, error, warnings, pcm: Buffer.concat(chunks), format: decoder.format }
}

t.test('reads what ffmpeg makes', async t => {
  const { command, pid } = await fakeFfmpeg(t, 'cat > /dev/null; cat "$WAV"')
  const { pcm, format, events, warnings } = await outcome(command)
  t.ok(pcm.equals(PCM))
  t.same(format, FORMAT)
  t.same(events, ['end', 'close'])
  t.same(warnings, [])
  t.notOk(isAlive(await pid()))
})

t.test('fails with the exit code and the last lines of stderr', async t => {
  const { command, pid } = await fakeFfmpeg(t, 'echo "first line" >&2; echo "no such codec" >&2; exit 3')
  const { error, events, pcm } = await outcome(command)
  t.match(error, {
    name: 'SttError',
    code: 'STT_ERR_DECODE',
    message: 'ffmpeg exited with code 3: first line\nno such codec',
  })
  t.same(events, ['error', 'close'])
  t.equal(pcm.length, 0)
  t.notOk(isAlive(await pid()))
})

t.test('fails after complete output where the exit code says so, and never ends', async t => {
  const { command } = await fakeFfmpeg(t, 'cat > /dev/null; cat "$WAV"; exit 69')
  const { error, events, pcm } = await outcome(command)
  t.match(error, { code: 'STT_ERR_DECODE', message: 'ffmpeg exited with code 69: it gave no reason' })
  t.same(events, ['error', 'close'])
  t.ok(pcm.equals(PCM), 'what was decoded is delivered')
})

t.test('holds end until ffmpeg exits', async t => {
  const { command, pid } = await fakeFfmpeg(t, 'cat "$WAV"; exec >&-; cat > /dev/null; exit 1')
  const decoder = decode({ ffmpegPath: command })
  decoder.on('end', () => t.fail('ended before the exit code was known'))
  decoder.write(UNKNOWN_AUDIO)
  let length = 0
  for await (const chunk of decoder.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length
    if (length === PCM.length) break
  }
  t.ok(isAlive(await pid()), 'all output has come, and the child waits for more input')
  decoder.resume().end()
  await t.rejects(once(decoder, 'close'), { code: 'STT_ERR_DECODE', message: /exited with code 1/ })
})

t.test('fails where ffmpeg succeeds with nothing', async t => {
  for (const wav of ['', wavHeader(FORMAT), 'no WAV at all']) {
    const { command } = await fakeFfmpeg(t, 'cat > /dev/null; cat "$WAV"', Buffer.from(wav))
    const { error, events } = await outcome(command)
    t.match(error, {
      code: 'STT_ERR_DECODE_NO_AUDIO',
      message: 'there is no audio in it; ffmpeg succeeded without a sample: it gave no reason',
    })
    t.same(events, ['error', 'close'])
  }
})

t.test('warns of what ffmpeg said where it succeeded', async t => {
  const { command } = await fakeFfmpeg(t, 'cat > /dev/null; cat "$WAV"; echo "one bad frame" >&2')
  const { warnings, events } = await outcome(command)
  t.same(warnings, [{ code: 'STT_WARN_FFMPEG', message: 'ffmpeg complained, yet succeeded: one bad frame' }])
  t.same(events, ['end', 'close'])
})

t.test('drains a flood of stderr and keeps its end only', async t => {
  const flood =
    'cat > /dev/null; yes "the same complaint again" | head -n 400000 >&2; echo "the last word" >&2; cat "$WAV"'
  const { command } = await fakeFfmpeg(t, flood)
  const { warnings, pcm } = await outcome(command)
  t.ok(pcm.equals(PCM))
  const lines = (warnings[0]?.message ?? '').split('\n')
  t.equal(lines.length, 20)
  t.equal(lines.at(-1), 'the last word')
})

t.test('releases the writer where ffmpeg exits early, its exit code deciding', async t => {
  const input = Array.from({ length: 64 }, (_, i) =>
    Buffer.concat([UNKNOWN_AUDIO, Buffer.alloc(64 * 1024, i)]),
  )
  const failing = await fakeFfmpeg(t, 'echo "not audio" >&2; exit 1')
  t.match((await outcome(failing.command, input)).error, {
    code: 'STT_ERR_DECODE',
    message: /code 1: not audio/,
  })
  const content = await fakeFfmpeg(t, 'cat "$WAV"; exit 0')
  const { events, pcm } = await outcome(content.command, input)
  t.same(events, ['end', 'close'])
  t.ok(pcm.equals(PCM))
})

t.test('releases the writer where ffmpeg closes its input and lives on', async t => {
  const input = Array.from({ length: 64 }, () => Buffer.concat([UNKNOWN_AUDIO, Buffer.alloc(64 * 1024)]))
  const { command } = await fakeFfmpeg(t, 'exec <&-; cat "$WAV"')
  const { events, pcm } = await outcome(command, input)
  t.same(events, ['end', 'close'])
  t.ok(pcm.equals(PCM))
})

t.test('gives up on an ffmpeg that makes no progress', async t => {
  const clock = mockClock(t)
  const big = [Buffer.concat([UNKNOWN_AUDIO, Buffer.alloc(1024 * 1024)])]
  const hangs: [name: string, script: string, input: Buffer[]][] = [
    ['never reads', 'echo "thinking" >&2; $HANG', big],
    ['never answers', '$HANG', [UNKNOWN_AUDIO]],
    ['never exits', 'cat > /dev/null; cat "$WAV"; exec >&-; $HANG', [UNKNOWN_AUDIO]],
  ]
  for (const [name, script, input] of hangs) {
    const { command, pid, hangs } = await fakeFfmpeg(t, script)
    const failed = outcome(command, input, { ffmpegStallTimeoutMs: 300 })
    while (!hangs()) await setImmediate()
    // What it said and gave before lies in its pipes.
    for (let turn = 0; turn < 100; turn++) await setImmediate()
    clock.advance(299)
    t.ok(isAlive(await pid()), `${name}: not before its time`)
    clock.advance(1)
    const { error, events } = await failed
    t.match(error, { code: 'STT_ERR_DECODE', message: /^ffmpeg has made no progress for 300 ms/ }, name)
    if (name === 'never reads') t.match(error, { message: /: thinking$/ })
    t.same(events, ['error', 'close'])
    t.notOk(isAlive(await pid()), name)
  }
})

t.test('has patience with a source that pauses', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { command } = await fakeFfmpeg(t, 'cat "$WAV" -')
  const decoder = decode({ ffmpegPath: command })
  let length = 0
  decoder.on('data', (chunk: Buffer) => (length += chunk.length))
  await new Promise(taken => decoder.write(UNKNOWN_AUDIO, taken))
  while (length < PCM.length + UNKNOWN_AUDIO.length) await once(decoder, 'data')
  mock.timers.tick(3_600_000)
  t.notOk(decoder.destroyed)
  decoder.end()
  await once(decoder, 'close')
  t.ok(decoder.readableEnded)
})

t.test('has patience with a reader that pauses', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { command } = await fakeFfmpeg(t, 'cat "$WAV" -', wavFile(Buffer.alloc(1_000_000)))
  const decoder = decode({ ffmpegPath: command })
  decoder.end(UNKNOWN_AUDIO)
  decoder.read(0)
  while (decoder.readableLength < decoder.readableHighWaterMark) await setImmediate()
  mock.timers.tick(3_600_000)
  t.notOk(decoder.destroyed)
  t.equal((await readAll(decoder)).length, 1_000_000 + UNKNOWN_AUDIO.length)
})

t.test('fails where somebody kills the child', async t => {
  const { command, pid } = await fakeFfmpeg(t, 'cat "$WAV"; exec cat > /dev/null')
  const decoder = decode({ ffmpegPath: command })
  decoder.write(UNKNOWN_AUDIO)
  await once(decoder, 'data')
  process.kill(await pid(), 'SIGKILL')
  await t.rejects(once(decoder, 'close'), { code: 'STT_ERR_DECODE', message: /^ffmpeg was ended by SIGKILL/ })
})

t.test('refuses what the pipeline cannot take from ffmpeg', async t => {
  const header = wavHeader(FORMAT)
  header.writeUInt16LE(12, 22)
  header.writeUInt16LE(48, 32)
  const { command, pid } = await fakeFfmpeg(t, 'cat "$WAV"; exec sleep 30', Buffer.concat([header, PCM]))
  const { error } = await outcome(command)
  t.match(error, { code: 'STT_ERR_UNSUPPORTED_AUDIO', message: /12 channels/ })
  t.notOk(isAlive(await pid()))
})

t.test('says how to get an ffmpeg where there is none', async t => {
  const remedy = {
    code: 'STT_ERR_FFMPEG_NOT_FOUND',
    message: /apt install ffmpeg.*dnf install.*brew install/,
  }
  const missing = join(t.testdir(), 'ffmpeg')
  const { error, events } = await outcome(missing)
  t.match(error, remedy)
  t.match(error, { message: `cannot run ${missing} (ENOENT)` })
  t.same(events, ['error', 'close'])
  await writeFile(missing, 'not executable')
  t.match((await outcome(missing)).error, { ...remedy, message: /EACCES/ })
})

const run = promisify(execFile)

/** Looks for ffmpeg in a process of its own, which remembers what it has learnt: once, and again after `change`. */
async function search(directory: string, env: Record<string, string>, change = ''): Promise<string[]> {
  const script = `import { chmodSync } from 'node:fs'
    import { findFfmpeg } from ${JSON.stringify(import.meta.resolve('#dist/audio/ffmpeg-find.js'))}
    const find = () => { try { console.log(findFfmpeg()) } catch (error) { console.log(error.code) } }
    find(); ${change}; find()`
  const args = ['--input-type=module', '--eval', script]
  const { stdout } = await run(process.execPath, args, { cwd: directory, env })
  return stdout.trim().split('\n')
}

t.test('finds ffmpeg by option, by environment, by PATH, in this order, and does not run it', async t => {
  const { command } = await fakeFfmpeg(t, 'exit 0')
  const bin = join(command, '..')
  const PATH = join(bin, 'nowhere') + delimiter + bin + delimiter + (process.env['PATH'] ?? '')
  t.strictSame(await search(bin, { PATH }), [command, command])
  t.strictSame(await search(bin, { PATH, FFMPEG_PATH: '/opt/ffmpeg' }), ['/opt/ffmpeg', '/opt/ffmpeg'])
  t.equal(findFfmpeg('/srv/ffmpeg'), '/srv/ffmpeg')
  t.notOk(existsSync(join(bin, 'pid')), 'nothing has been run')
})

t.test('searches the whole machine once; an ffmpeg that is installed later is found', async t => {
  const PATH = t.testdir({ ffmpeg: '#!/bin/sh\n', avconv: '#!/bin/sh\n' })
  const installed = (name: string) => `chmodSync('${join(PATH, name)}', 0o755)`
  const missing = 'STT_ERR_FFMPEG_NOT_FOUND'
  t.strictSame(await search(PATH, { PATH }, installed('avconv')), [missing, missing])
  t.strictSame(await search(PATH, { PATH }), ['avconv', 'avconv'], 'as prism-media finds it')
  t.strictSame(await search(PATH, { PATH }, installed('ffmpeg')), ['avconv', join(PATH, 'ffmpeg')])
})

t.test('leaves the archive of an Electron app', async t => {
  t.equal(findFfmpeg('/x/app.asar/node_modules/f/ffmpeg'), '/x/app.asar.unpacked/node_modules/f/ffmpeg')
  t.equal(findFfmpeg('C:\\x\\app.asar\\ffmpeg.exe'), 'C:\\x\\app.asar.unpacked\\ffmpeg.exe')
  t.equal(findFfmpeg('/x/app.asar.unpacked/ffmpeg'), '/x/app.asar.unpacked/ffmpeg')
})

t.test('runs the ffmpeg that an Electron app has unpacked', async t => {
  const { command } = await fakeFfmpeg(t, 'cat > /dev/null; cat "$WAV"')
  const app = join(command, '..', 'app')
  const unpacked = join(app, 'app.asar.unpacked', 'node_modules', 'ffmpeg-static')
  await mkdir(unpacked, { recursive: true })
  await writeFile(join(app, 'app.asar'), 'an archive, in which nothing can be run')
  await rename(command, join(unpacked, 'ffmpeg'))
  const packed = join(app, 'app.asar', 'node_modules', 'ffmpeg-static', 'ffmpeg')
  t.ok((await outcome(packed)).pcm.equals(PCM), 'named by the option')
  const elsewhere = t.testdirName
  t.match(await search(elsewhere, { PATH: elsewhere, FFMPEG_PATH: packed }), [join(unpacked, 'ffmpeg')])
})

t.test('gives up on a stream in which no audio ever comes', async t => {
  const { command } = await fakeFfmpeg(t, 'exec cat > /dev/null')
  const padding = Array.from({ length: 65 }, () => Buffer.alloc(1024 * 1024))
  const { error } = await outcome(command, [UNKNOWN_AUDIO, ...padding])
  t.match(error, {
    code: 'STT_ERR_DECODE',
    message: 'ffmpeg has found no audio in the first 64 MiB of the stream',
  })
  const answering = await fakeFfmpeg(t, 'cat "$WAV"; exec cat > /dev/null')
  const patient = decode({ ffmpegPath: answering.command })
  patient.write(UNKNOWN_AUDIO)
  await once(patient, 'data')
  patient.resume()
  for (const chunk of padding) patient.write(chunk)
  patient.end()
  await once(patient, 'close')
  t.ok(patient.readableEnded, 'once it has come there is no bound')
})

t.test('reads the log of an ffmpeg whose user likes colours', async t => {
  process.env['AV_LOG_FORCE_COLOR'] = '1'
  t.teardown(() => delete process.env['AV_LOG_FORCE_COLOR'])
  const { error } = await outcome('ffmpeg')
  t.match(error, { code: /^STT_ERR_DECODE/, message: /: [ -~\n]+$/ })
  t.notMatch(error?.message ?? '', '[0m')
})

/** One run of the class itself, its callbacks recorded. */
function start(options: Partial<FfmpegRun>) {
  const heard: string[] = []
  const child = new Ffmpeg({
    command: 'ffmpeg',
    stallTimeoutMs: 30_000,
    onOutput: wav => heard.push(`output ${wav.length}`),
    onExit: () => heard.push('exit'),
    onError: error => heard.push(error.code),
    ...options,
  })
  return { child, heard }
}

t.test('is silent once killed, in any state', async t => {
  const { command, pid } = await fakeFfmpeg(t, 'cat "$WAV"; exec cat > /dev/null')
  const first = start({ command })
  await first.child.kill()
  await first.child.kill()
  t.same(first.heard, [])
  t.notOk(isAlive(first.child.pid ?? 0))
  const second = await new Promise<ReturnType<typeof start>>(running => {
    const started = start({ command, onOutput: () => running(started) })
  })
  t.ok(isAlive(await pid()))
  const gone = second.child.kill()
  const written = new Promise<void>(done => second.child.write(Buffer.alloc(10), done))
  second.child.pause()
  second.child.resume()
  second.child.end()
  await Promise.all([gone, written])
  t.notOk(isAlive(second.child.pid ?? 0))
  t.same(second.heard, [])
  await start({ command: '/nonexistent/ffmpeg' }).child.kill()
})

t.test('keeps a stranger’s playlist from opening local files', async t => {
  const directory = t.testdir()
  const secret = await encode(directory, 'secret.ts', ['-f', 'lavfi', '-i', 'sine=duration=1', '-c:a', 'mp2'])
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`
  const error = await new Promise<Error>(resolve => {
    // The decoder refuses a playlist by itself; this is what stands behind it.
    const { child } = start({ onError: resolve })
    child.write(Buffer.from(playlist), () => {})
    child.end()
  })
  t.match(error, { code: 'STT_ERR_DECODE', message: /not on whitelist/ })
})
