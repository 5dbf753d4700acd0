import { spawn, type ChildProcessWithoutNullStreams, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { resample } from '#dist/audio/resample.js'
import { wavHeader } from '#dist/audio/wav-header.js'
import { audioDurationMs } from '#dist/cli/audio-duration.js'
import { Progress } from '#dist/cli/progress.js'
import { encode, sine } from './fixtures/audio.js'
import { stampedChannels } from './fixtures/stamped-channels.js'
import { SECRET, storedFile, webSite } from './fixtures/web-site.js'
import { scriptedRecognizer, startLocalServer, type Script } from '#dist/testing.js'
import type { LocalServerOptions } from '#dist/local/server-options.js'

const CLI = join(import.meta.dirname, '../dist/cli/main.js')
const SPEECH = '/usr/share/pocketsphinx/test/data'
const LINEAR16 = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const
/** Without a key of the machine's own, and with no wish for stacks. */
const ENV = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
const TEN_METERS = [{ startMs: 500, endMs: 1_500, text: 'go forward ten meters' }]

interface Result {
  code: number | null
  stdout: string
  stderr: string
}

function start(args: string[], options: SpawnOptions = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [CLI, ...args], {
    env: ENV,
    ...options,
    stdio: 'pipe',
  })
}

async function resultOf(child: ChildProcessWithoutNullStreams): Promise<Result> {
  const deadline = setTimeout(() => child.kill('SIGKILL'), 120_000)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  clearTimeout(deadline)
  return { code: child.exitCode, stdout, stderr }
}

async function cli(args: string[], options: SpawnOptions = {}): Promise<Result> {
  const child = start(args, options)
  child.stdin.end()
  return resultOf(child)
}

/** A server that hears the script whatever it is sent. */
async function scripted(t: Test, script = TEN_METERS, options: LocalServerOptions = {}): Promise<string> {
  const server = await startLocalServer({ recognizer: scriptedRecognizer(script), ...options })
  t.teardown(() => server.close())
  return server.url
}

/** Not silence, which would be warned of. */
const sound = (ms: number) => sine(LINEAR16, 440, ms / 1_000)
const wav = (ms: number) => Buffer.concat([wavHeader(LINEAR16, ms * 32), sound(ms)])

t.test('--version and --help answer on stdout', async t => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  t.strictSame(await cli(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
  t.match(await cli(['--help']), { code: 0, stdout: /Exit codes:\n {2}0 {4}done\n[^]*130/, stderr: '' })
  t.match(await cli(['transcribe', '--help']), {
    code: 0,
    stdout: /Examples:\n {2}sttstream transcribe talk\.mp3/,
  })
  t.match(await cli(['serve', '--help']), { code: 0, stdout: /default: 8765/ })
})

t.test('wrong usage says what was expected and ends with 2', async t => {
  const wrong: [args: string[], message: RegExp][] = [
    [[], /Usage: sttstream/],
    [['transcrib', 'a.wav'], /unknown command 'transcrib'[^]*transcribe/],
    [['transcribe'], /missing required argument 'file'/],
    [['transcribe', '--nonsense', 'a.wav'], /unknown option '--nonsense'/],
    [['transcribe', '--format', 'doc', 'a.wav'], /text, json, srt, vtt/],
    [
      ['transcribe', '--local', '--url', 'ws://localhost:1/', 'a.wav'],
      /'--local' cannot be used with .*'--url/,
    ],
    [['transcribe', '--url', 'http://localhost', 'a.wav'], /Expected a ws: or wss: URL/],
    [['transcribe', '--pace', '0', 'a.wav'], /Expected 'off', 'realtime' or a multiple/],
    [['transcribe', '--raw', 's16le', 'a.raw'], /Expected ENCODING:RATE:CHANNELS/],
    [['transcribe', '--raw', 's17le:16000:1', 'a.raw'], /raw\.encoding must be one of/],
    [['transcribe', '--raw', 's16le:1:1', 'a.raw'], /raw\.sampleRateHertz must be/],
    [['transcribe', '--channels', 'left', 'a.wav'], /Expected channels counted from 0/],
    [['transcribe', '--channels', '0,8', 'a.wav'], /channels must be .* from 0 to 7.*got \[0, 8\]/],
    [['transcribe', '--start', '1:2:3:4', 'a.wav'], /Expected seconds or \[hours:\]minutes:seconds/],
    [['transcribe', '--duration', '0', 'a.wav'], /Expected more than 0 s/],
    [['transcribe', '--track', 'en', 'a.wav'], /number of an audio track/],
    [['transcribe', '--resampler-quality', 'best', 'a.wav'], /Allowed choices are high, fast/],
    [['transcribe', '-', '-'], /can be read only once/],
    [['transcribe', 'ftp://example.com/a.mp3'], /Expected a path, an http: or https: URL/],
    [['transcribe', '--format', 'srt', 'a.wav', 'b.wav'], /several files in the format srt need --out-dir/],
    [['transcribe', '--out-dir', 'x', 'a/talk.wav', 'b/talk.mp3'], /two inputs would write x\/talk\.txt/],
    [['serve', '--port', '70000'], /Expected a port/],
    [['serve', '--host', '0.0.0.0'], /set apiKey/],
  ]
  await Promise.all(
    wrong.map(async ([args, message]) => {
      t.match(await cli(args), { code: 2, stdout: '', stderr: message }, args.join(' '))
    }),
  )
})

t.test('text is one final on each line, and nothing else is on stdout', async t => {
  const url = await scripted(t, [...TEN_METERS, { startMs: 3_000, endMs: 3_500, text: 'stop' }])
  const dir = t.testdir({ 'a.wav': wav(5_000) })
  const { code, stdout, stderr } = await cli(['transcribe', '--url', url, join(dir, 'a.wav')])
  t.strictSame({ code, stdout, stderr }, { code: 0, stdout: 'go forward ten meters\nstop\n', stderr: '' })
})

t.test('several files on a machine without the addon are told so once', async t => {
  const url = await scripted(t)
  const dir = t.testdir({ prebuilds: {}, 'a.wav': wav(2_000), 'b.wav': wav(2_000) })
  const env = { ...ENV, STTSTREAM_PREBUILD: join(dir, 'prebuilds') }
  const args = ['transcribe', '--url', url, join(dir, 'a.wav'), join(dir, 'b.wav')]
  const { code, stderr } = await cli(args, { env })
  t.equal(code, 0)
  t.match(stderr, /^sttstream: warning: .*TypeScript/)
  t.equal(stderr.split('[STT_WARN_PORTABLE]').length - 1, 1)
})

t.test('--words puts one line for each word below its final', async t => {
  const url = await scripted(t)
  const dir = t.testdir({ 'a.wav': wav(3_000) })
  const { stdout } = await cli(['transcribe', '--url', url, '--words', join(dir, 'a.wav')])
  t.equal(
    stdout,
    'go forward ten meters\n' +
      '\t0.500\t0.750\tgo\t0.90\n\t0.750\t1.000\tforward\t0.90\n\t1.000\t1.250\tten\t0.90\n\t1.250\t1.500\tmeters\t0.90\n',
  )
})

t.test('json is one event on each line, with its file', async t => {
  const url = await scripted(t)
  const file = join(t.testdir({ 'a.wav': wav(3_000) }), 'a.wav')
  const { code, stdout } = await cli(['transcribe', '--url', url, '--format', 'json', '--words', file])
  t.equal(code, 0)
  const events = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
  t.ok(events.every(event => event['file'] === file))
  t.ok(
    events.some(event => event['type'] === 'transcription' && event['isFinal'] === false),
    'interims are there',
  )
  t.match(
    events.filter(event => event['isFinal']),
    [{ transcript: 'go forward ten meters', wordTimestamps: [{ word: 'go', startMs: 500 }, {}, {}, {}] }],
  )
  t.ok(events.some(event => event['type'] === 'usage'))
})

t.test('srt and vtt are whole documents', async t => {
  const url = await scripted(t)
  const file = join(t.testdir({ 'a.wav': wav(3_000) }), 'a.wav')
  const cue = (separator: string) =>
    `00:00:00${separator}500 --> 00:00:01${separator}550\ngo forward ten meters\n\n`
  t.equal((await cli(['transcribe', '--url', url, '--format', 'srt', file])).stdout, `1\n${cue(',')}`)
  t.equal((await cli(['transcribe', '--url', url, '--format', 'vtt', file])).stdout, `WEBVTT\n\n${cue('.')}`)
})

t.test(
  'several files: each line of text names its file, and a broken one does not stop the rest',
  async t => {
    const url = await scripted(t)
    const dir = t.testdir({ 'a.wav': wav(2_500), 'b.wav': 'RIFF no', 'c.wav': wav(2_500) })
    const [a, b, c, missing] = ['a.wav', 'b.wav', 'c.wav', 'missing.wav'].map(name => join(dir, name))
    const { code, stdout, stderr } = await cli(['transcribe', '--url', url, a!, missing!, b!, c!])
    t.equal(code, 1)
    t.equal(stdout, `${a}: go forward ten meters\n${c}: go forward ten meters\n`)
    t.match(
      stderr,
      /^sttstream: .*missing\.wav: cannot be read: no such file or directory \(ENOENT\) \[STT_ERR_DECODE\]$/m,
    )
    t.match(stderr, /^sttstream: .*b\.wav: .* \[STT_ERR_DECODE_NOT_MEDIA\]$/m)
    t.notMatch(stderr, /^ +at /m, 'no stack')
  },
)

t.test('--out-dir writes one document for each file', async t => {
  const url = await scripted(t)
  const dir = t.testdir({ 'a.wav': wav(2_500), 'b.wav': wav(2_500) })
  const out = join(dir, 'deep/subtitles')
  const files = [join(dir, 'a.wav'), join(dir, 'b.wav')]
  const { code, stdout } = await cli([
    'transcribe',
    '--url',
    url,
    '--format',
    'vtt',
    '--out-dir',
    out,
    ...files,
  ])
  t.strictSame({ code, stdout }, { code: 0, stdout: '' })
  for (const name of ['a.vtt', 'b.vtt'])
    t.match(readFileSync(join(out, name), 'utf8'), /^WEBVTT\n\n00:[^]*go forward/)
})

t.test('standard input is read with -, raw audio as declared', async t => {
  const url = await scripted(t)
  const child = start(['transcribe', '--url', url, '--raw', 's16le:16000:1', '-'])
  child.stdin.end(sound(3_000))
  t.match(await resultOf(child), { code: 0, stdout: 'go forward ten meters\n', stderr: '' })
})

t.test('--channels chooses what is heard, and must fit the file', async t => {
  const url = await scripted(t)
  const dir = t.testdir({ 'a.wav': wav(3_000) })
  const transcribe = (channels: string) =>
    cli(['transcribe', '--url', url, '--channels', channels, join(dir, 'a.wav')])
  t.match(await transcribe('0'), { code: 0, stdout: 'go forward ten meters\n' })
  t.match(await transcribe('0,1'), { code: 1, stderr: /channels must name some of the input's 1 channel,/ })
})

t.test('--channels separate hears each by itself and says which it was', async t => {
  const hello: Script = [{ startMs: 200, endMs: 600, text: 'hello' }]
  const goodbye: Script = [{ startMs: 900, endMs: 1_300, text: 'goodbye' }]
  const { server, input, audio } = await stampedChannels(t, [goodbye, hello], 2_000)
  const file = join(t.testdir({ 'a.wav': Buffer.concat([wavHeader(input, audio.length), audio]) }), 'a.wav')
  const transcribe = (format: string) =>
    cli(['transcribe', '--url', server.url, '--channels', 'separate', '--format', format, file])
  t.match(await transcribe('text'), { code: 0, stdout: 'channel 1: hello\nchannel 0: goodbye\n' })
  t.match((await transcribe('vtt')).stdout, /\n<v Channel 1>hello\n(.|\n)*\n<v Channel 0>goodbye\n/)
})

t.test('--start, --duration and --track hear a part, whose times are those of the whole', async t => {
  const url = await scripted(t)
  const file = join(t.testdir({ 'a.wav': wav(90_000) }), 'a.wav')
  const part = ['--start', '1:20', '--duration', '2.5', '--track', '0', '--progress']
  const { stdout, stderr } = await cli(['transcribe', '--url', url, '--format', 'json', ...part, file])
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { type: string; startMs?: number })
  t.match(stderr, /^a\.wav: 2\.5 of 2\.5 s/)
  const [first] = events.filter(({ type }) => type === 'speechStarted')
  t.ok(first?.startMs !== undefined && first.startMs >= 80_000 && first.startMs < 82_500, `${first?.startMs}`)
  const other = await cli(['transcribe', '--url', url, '--track', '1', file])
  t.match(other, { code: 1, stderr: /STT_ERR_DECODE_NO_AUDIO/ })
})

t.test('--resampler-quality chooses how the audio is resampled', async t => {
  const format = { encoding: 's16le', sampleRateHertz: 8_000, channels: 1 } as const
  const loud = Buffer.from(Int16Array.from({ length: 16_000 }, (_, i) => (i * i * 7_919) % 20_000).buffer)
  const file = join(t.testdir({ 'a.wav': Buffer.concat([wavHeader(format, loud.length), loud]) }), 'a.wav')
  for (const [args, quality] of [
    [[], 'high'],
    [['--resampler-quality', 'high'], 'high'],
    [['--resampler-quality', 'fast'], 'fast'],
  ] as const) {
    const heard: Buffer[] = []
    const recognizer = scriptedRecognizer(TEN_METERS)
    const server = await startLocalServer({
      recognizer: {
        ...recognizer,
        open: async options => {
          const session = await recognizer.open(options)
          const inner = session.voiceActivity?.()
          if (!inner) throw new Error('the scripted recogniser hears all audio')
          const process = (pcm: Int16Array) => {
            heard.push(Buffer.from(Int16Array.from(pcm).buffer))
            return inner.process(pcm)
          }
          session.voiceActivity = () => ({ process })
          return session
        },
      },
    })
    t.teardown(() => server.close())
    t.match(await cli(['transcribe', '--url', server.url, ...args, file]), { code: 0 })
    const stream = resample({ format, quality })
    stream.end(loud)
    const expected = Buffer.concat((await stream.toArray()) as Buffer[])
    t.equal(expected.length, 64_000)
    t.ok(Buffer.concat(heard).subarray(0, expected.length).equals(expected), args.join(' ') || 'default')
  }
})

t.test('an option that the library refuses is wrong usage', async t => {
  const url = await scripted(t)
  const file = join(t.testdir({ 'a.wav': wav(100) }), 'a.wav')
  t.match(await cli(['transcribe', '--url', url, '--language', '', file]), { code: 2, stderr: /language/ })
})

t.test('a refused key ends with 4, is never shown, and the next file is not tried', async t => {
  const url = await scripted(t, TEN_METERS, { apiKey: 'the-right-key' })
  const dir = t.testdir({ 'a.wav': wav(2_500), 'b.wav': wav(2_500) })
  const files = [join(dir, 'a.wav'), join(dir, 'b.wav')]
  const { code, stdout, stderr } = await cli([
    'transcribe',
    '--url',
    url,
    '--api-key',
    'a-wrong-key',
    ...files,
  ])
  t.strictSame({ code, stdout }, { code: 4, stdout: '' })
  t.match(stderr, /a\.wav: .*\[STT_ERR_AUTH\]\nsttstream: {3}check the key/)
  t.notMatch(stderr, /b\.wav|a-wrong-key|the-right-key/)
  const right = await cli(['transcribe', '--url', url, '--api-key', 'the-right-key', files[0]!])
  t.match(right, { code: 0, stdout: 'go forward ten meters\n' })
  const env = { ...ENV, INWORLD_API_KEY: 'the-right-key' }
  t.match(
    await cli(['transcribe', '--url', url, files[0]!], { env }),
    { code: 4 },
    "the environment's key goes to the service alone",
  )
})

t.test('without ffmpeg a file that needs it ends with 3, and WAV still works', async t => {
  const url = await scripted(t)
  const dir = t.testdir({ 'a.ogg': 'OggS and so on', 'b.wav': wav(2_500) })
  const env = { ...ENV, FFMPEG_PATH: '/no/such/ffmpeg' }
  const result = await cli(['transcribe', '--url', url, join(dir, 'a.ogg'), join(dir, 'b.wav')], { env })
  t.match(result, { code: 3, stdout: /b\.wav: go forward/, stderr: /STT_ERR_FFMPEG_NOT_FOUND/ })
})

t.test('a server that is not there ends with 1 and a remedy', async t => {
  const file = join(t.testdir({ 'a.wav': wav(100) }), 'a.wav')
  const url = await scripted(t)
  const { port } = new URL(url)
  const gone = await startLocalServer({ recognizer: scriptedRecognizer([]) })
  await gone.close()
  t.not(new URL(gone.url).port, port)
  t.match(await cli(['transcribe', '--url', gone.url, file]), {
    code: 1,
    stderr: /STT_ERR_SOCKET\]\n.*check the address/,
  })
})

t.test('the first Ctrl-C ends the audio and shows what is there', async t => {
  const url = await scripted(t)
  // A terminal signals the whole group: the children must not die of it.
  const child = start(['transcribe', '--url', url, '--format', 'json', '--raw', 's16le:16000:1', '-'], {
    detached: true,
  })
  t.teardown(() => child.kill('SIGKILL'))
  const result = resultOf(child)
  child.stdin.on('error', () => {})
  child.stdin.write(sound(1_300))
  await once(child.stdout, 'data')
  process.kill(-child.pid!, 'SIGINT')
  const { code, stdout, stderr } = await result
  t.equal(code, 130)
  t.match(stdout, /"transcript":"go forward.*"isFinal":true/)
  t.match(stderr, 'ending; Ctrl-C again aborts')
})

t.test('the first Ctrl-C ends neither ffmpeg nor the local recogniser', async t => {
  const raw = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', join(SPEECH, 'goforward.raw')]
  const mp3 = readFileSync(await encode(t.testdir(), 'a.mp3', raw))
  const child = start(['transcribe', '--local', '--format', 'json', '-'], { detached: true })
  t.teardown(() => child.kill('SIGKILL'))
  const result = resultOf(child)
  child.stdin.on('error', () => {})
  child.stdin.write(mp3)
  await once(child.stdout, 'data')
  process.kill(-child.pid!, 'SIGINT')
  t.match(await result, { code: 130, stdout: /"transcript":"go forward.*"isFinal":true/ })
})

t.test('the second Ctrl-C aborts', async t => {
  const url = await scripted(t, TEN_METERS, { faults: { end: { finalDelayMs: 60_000 } } })
  const child = start(['transcribe', '--url', url, '--format', 'json', '--raw', 's16le:16000:1', '-'])
  t.teardown(() => child.kill('SIGKILL'))
  const result = resultOf(child)
  child.stdin.on('error', () => {})
  child.stdin.write(sound(1_300))
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  await once(child.stderr, 'data')
  child.kill('SIGINT')
  t.match(await result, { code: 130, stderr: /^sttstream: ending; Ctrl-C again aborts\n$/ })
})

t.test('a URL is a file, and its secrets stand nowhere', async t => {
  const url = await scripted(t)
  const site = await webSite(t, storedFile({ bytes: wav(2_000) }))
  const missing = await webSite(t, (_, response) => response.writeHead(404).end())
  const dir = t.testdir({})
  const json = await cli(['transcribe', '--url', url, '--format', 'json', '--progress', site.url])
  t.equal(json.code, 0)
  t.match(json.stdout, `{"file":"${site.shownUrl}","type":"transcription"`)
  const file = await cli(['transcribe', '--url', url, '--out-dir', dir, site.url])
  t.equal(file.code, 0)
  t.equal(readFileSync(join(dir, 'talk.txt'), 'utf8'), 'go forward ten meters\n')
  const failed = await cli(['transcribe', '--url', url, missing.url])
  t.match(failed, { code: 1, stderr: /got HTTP 404, Not Found \[STT_ERR_SOURCE\]\n.*check the address/ })
  for (const { stdout, stderr } of [json, file, failed]) t.notMatch(stdout + stderr, SECRET)
})

t.test('the first Ctrl-C ends a live stream', async t => {
  const url = await scripted(t)
  const station = await webSite(t, (_, response) => {
    response.writeHead(200, { 'icy-name': 'Radio Silence' })
    const play = () => response.destroyed || response.write(sound(100), () => setImmediate(play))
    play()
  })
  const raw = ['--raw', 's16le:16000:1']
  const child = start(['transcribe', '--url', url, '--format', 'json', '--pace', '1', ...raw, station.url])
  t.teardown(() => child.kill('SIGKILL'))
  const result = resultOf(child)
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  t.match(await result, { code: 130, stdout: /"transcript":"go forward.*"isFinal":true/ })
  await station.idle()
})

t.test('Ctrl-C before a URL has answered aborts', async t => {
  const url = await scripted(t)
  const site = await webSite(t, () => child.kill('SIGINT'))
  const child = start(['transcribe', '--url', url, site.url])
  t.match(await resultOf(child), { code: 130, stdout: '', stderr: '' })
})

t.test('a reader of stdout that goes away is no failure', async t => {
  const url = await scripted(
    t,
    Array.from({ length: 5 }, (_, i) => ({
      startMs: 500 + i * 2_000,
      endMs: 1_000 + i * 2_000,
      text: `line ${i}`,
    })),
  )
  const child = start(['transcribe', '--url', url, '--raw', 's16le:16000:1', '-'])
  child.stdout.destroy()
  child.stdin.on('error', () => {})
  child.stdin.end(sound(12_000))
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
  t.strictSame([child.exitCode, stderr], [0, ''])
})

t.test(
  'a full disk is a failure that is told',
  { skip: !existsSync('/dev/full') && 'no /dev/full' },
  async t => {
    const url = await scripted(t)
    const file = join(t.testdir({ 'a.wav': wav(2_500) }), 'a.wav')
    const full = openSync('/dev/full', 'w')
    t.teardown(() => closeSync(full))
    const child = spawn(process.execPath, [CLI, 'transcribe', '--url', url, file], {
      env: ENV,
      stdio: ['ignore', full, 'pipe'],
    })
    let stderr = ''
    child.stderr?.on('data', chunk => (stderr += String(chunk)))
    t.strictSame(await once(child, 'close'), [1, null])
    t.match(stderr, /^sttstream: .*a\.wav: ENOSPC.*\n$/)
  },
)

t.test('--progress shows position and rate off a terminal too, --quiet nothing', async t => {
  const url = await scripted(t)
  const file = join(t.testdir({ 'a.wav': wav(3_000) }), 'a.wav')
  const { stderr } = await cli(['transcribe', '--url', url, '--progress', file])
  t.match(stderr, /^a\.wav: 3\.\d of 3\.0 s, \d+\.\d times real time\n$/)
  t.match(await cli(['transcribe', '--url', url, '--progress', '--quiet', file]), { stderr: '' })
})

t.test('on a terminal the progress is one line that is rewritten', async t => {
  const writes: string[] = []
  const terminal = { isTTY: true, columns: 80, rows: 24, write: (chunk: string) => writes.push(chunk) > 0 }
  const progress = new Progress({
    stream: terminal as unknown as NodeJS.WriteStream,
    file: 'talk.mp3',
    durationMs: 10_000,
    positionMs: () => 5_000,
  })
  progress.clear()
  t.equal(writes.at(-1), '\r\x1b[K')
  progress.stop()
  const shown = writes.join('')
  t.match(shown, /talk\.mp3 ░+ 5\.0 of 10\.0 s, [\d.]+ times real time/)
  t.notMatch(shown, '\x1b[?7l', 'long results are still wrapped')
  t.ok(
    shown.lastIndexOf('\x1b7') > shown.lastIndexOf('\r\x1b[K'),
    'the line it returns to is below the results',
  )
  t.match(writes.at(-1), /^talk\.mp3: 5\.0 of 10\.0 s, .*\n$/, 'its figures stay')
})

t.test('the duration of a file comes from its container or its declared format', async t => {
  const dir = t.testdir({ 'a.wav': wav(1_500), 'a.raw': sound(2_000), 'a.txt': 'no audio' })
  t.equal(await audioDurationMs(join(dir, 'a.wav')), 1_500)
  t.equal(await audioDurationMs(join(dir, 'a.raw'), LINEAR16), 2_000)
  t.equal(await audioDurationMs(join(dir, 'a.txt')), undefined)
  t.equal(await audioDurationMs('-'), undefined)
  t.equal(await audioDurationMs('https://example.com/a.raw', LINEAR16), undefined)
})

t.test('serve prints its address, serves, and ends at a signal', async t => {
  const server = start(['serve', '--port', '0'])
  t.teardown(() => server.kill('SIGKILL'))
  server.stdout.setEncoding('utf8')
  const [line] = (await Promise.race([once(server.stdout, 'data'), once(server.stdout, 'end')])) as [string?]
  if (line === undefined) throw new Error(`serve ended: ${await text(server.stderr)}`)
  t.match(line, /^ws:\/\/127\.0\.0\.1:\d+\/stt\/v1\/transcribe:streamBidirectional\n$/)
  const client = start(['transcribe', '--url', line.trim(), '--raw', 's16le:16000:1', '-'])
  createReadStream(join(SPEECH, 'goforward.raw')).pipe(client.stdin)
  t.match(await resultOf(client), { code: 0, stdout: /^go forward ten meters\n$/ })
  server.kill('SIGINT')
  t.strictSame(await once(server, 'close'), [0, null])
})

t.test('without key and address the local recogniser is used, and that is said', async t => {
  const result = await cli(['transcribe', '--raw', 's16le:16000:1', join(SPEECH, 'goforward.raw')])
  t.match(result, { code: 0, stdout: 'go forward ten meters\n', stderr: /using the local recogniser/ })
})

t.test('an mp4 whose index is at its end is read by path', async t => {
  const url = await scripted(t)
  const file = join(t.testdir(), 'a.m4a')
  const made = spawn('ffmpeg', [
    '-loglevel',
    'error',
    '-f',
    'lavfi',
    '-i',
    'sine=440:r=16000',
    '-t',
    '3',
    file,
  ])
  await once(made, 'close')
  t.ok(existsSync(file))
  t.match(await cli(['transcribe', '--url', url, file]), {
    code: 0,
    stdout: 'go forward ten meters\n',
    stderr: '',
  })
})
