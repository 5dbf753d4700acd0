import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, symlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t from 'tap'
import { wavHeader } from '#dist/audio/wav-header.js'
import { audioDurationMs } from '#dist/cli/audio-duration.js'
import { Reporter } from '#dist/cli/report.js'
import { parseInput } from '#dist/cli/option-values.js'
import { runNode } from './fixtures/run-node.js'
import { scriptedServer, tone } from './fixtures/scripted.js'

const CLI = join(import.meta.dirname, '../dist/cli/main.js')
/** Runs a command on a terminal of its own (util-linux). */
const SCRIPT = '/usr/bin/script'
const LINEAR16 = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const

t.test('each file that cannot be read has its reason and a remedy, and its name once', async t => {
  const { url } = await scriptedServer(t)
  const dir = t.testdir({
    'empty.mp3': '',
    'page.mp3': '<!doctype html><title>404</title>',
    'cut.wav': wavHeader(LINEAR16, 1_000),
    folder: {},
  })
  symlinkSync('circle', join(dir, 'circle'))
  const told: [name: string, reason: string, code: string, remedy?: string][] = [
    ['none.mp3', 'cannot be read: no such file or directory (ENOENT)', 'DECODE', 'check the name; a pattern'],
    [
      'folder',
      'cannot be read: illegal operation on a directory (EISDIR)',
      'DECODE',
      'name the files in the',
    ],
    ['circle', 'cannot be read: too many symbolic links', 'DECODE', 'check where the link leads'],
    [
      'page.mp3',
      'this is a web page or other markup, not audio',
      'DECODE_NOT_MEDIA',
      'is it the file that was meant? Audio without a header',
    ],
    ['empty.mp3', 'the source is empty: it ended without a byte', 'DECODE_NO_AUDIO'],
    ['cut.wav', 'the file ends 1000 bytes before its header says, after 0', 'DECODE_TRUNCATED'],
  ]
  const files = told.map(([name]) => join(dir, name))
  const { code, stdout, stderr } = await runNode([CLI, 'transcribe', '--url', url, ...files])
  t.strictSame([code, stdout], [1, ''])
  const lines = stderr.trimEnd().split('\n')
  for (const [i, [, reason, errorCode, remedy]] of told.entries()) {
    const line = lines.shift() ?? ''
    t.ok(line.startsWith(`sttstream: ${files[i]}: ${reason}`), line)
    t.ok(line.endsWith(`[STT_ERR_${errorCode}]`), line)
    if (remedy !== undefined) t.match(lines.shift(), `sttstream:   ${remedy}`)
  }
  t.strictSame(lines, [], 'nothing more is said')
})

t.test('standard input without a byte is a failure', async t => {
  const { url } = await scriptedServer(t)
  for (const raw of [[], ['--raw', 's16le:16000:1']]) {
    const child = spawn(process.execPath, [CLI, 'transcribe', '--url', url, ...raw, '-'], {
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
    t.equal(child.exitCode, 1)
    t.match(stderr, /^sttstream: -: the source is empty.* \[STT_ERR_DECODE_NO_AUDIO\]\n$/)
  }
})

t.test(
  'a terminal is no audio',
  { skip: !existsSync(SCRIPT) && 'no program that makes a terminal' },
  async t => {
    const command = `'${process.execPath}' '${CLI}' transcribe -`
    const terminal = spawn(SCRIPT, ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = await Promise.all([text(terminal.stdout), once(terminal, 'close')])
    t.equal(terminal.exitCode, 2)
    t.match(said, /^error: standard input \('-'\) is the terminal: pipe audio into it/)
  },
)

t.test('what is no source is told in words of the command line', t => {
  t.strictSame(parseInput('-', ['a.wav']), ['a.wav', '-'])
  for (const wrong of ['', 'ftp://example.com/a.mp3', 'http://', 'file://elsewhere/a.mp3'])
    t.throws(() => parseInput(wrong), { message: /^Expected a path, .* or '-' for standard input\.$/ }, wrong)
  t.end()
})

t.test('a remedy is of the error, not of what caused an error of another kind', async t => {
  const said: string[] = []
  t.intercept(process.stderr, 'write', { value: (line: string) => said.push(line) > 0 })
  const { SttError } = await import('#dist/errors.js')
  const cause = Object.assign(new Error('spawn ffmpeg ENOENT'), { code: 'ENOENT' })
  const reporter = new Reporter(false)
  reporter.error(new SttError('STT_ERR_FFMPEG_NOT_FOUND', 'no ffmpeg', { cause }), 'a.mp3')
  reporter.error(new SttError('STT_ERR_DECODE', 'a broken header'), 'a.mp3')
  reporter.error(Object.assign(new Error('EEXIST: file exists'), { code: 'EEXIST' }))
  t.strictSame(said, [
    'sttstream: a.mp3: no ffmpeg [STT_ERR_FFMPEG_NOT_FOUND]\n',
    'sttstream: a.mp3: a broken header [STT_ERR_DECODE]\n',
    'sttstream:   see what ffprobe says of it\n',
    'sttstream: EEXIST: file exists [EEXIST]\n',
    'sttstream:   --out-dir takes the name of a directory\n',
  ])
})

t.test('nobody looks into a pipe for its duration', { skip: process.platform === 'win32' }, async t => {
  const pipe = join(t.testdir(), 'pipe.wav')
  await promisify(execFile)('mkfifo', [pipe])
  const wav = Buffer.concat([wavHeader(LINEAR16, 3_200), tone(100)])
  createWriteStream(pipe).end(wav)
  t.equal(await audioDurationMs(pipe), undefined)
  t.equal(await audioDurationMs(pipe, LINEAR16), undefined)
  t.ok((await readFile(pipe)).equals(wav), 'all of it is still there')
})
