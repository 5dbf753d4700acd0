import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { encode } from './fixtures/audio.js'
import { scriptedServer } from './fixtures/scripted.js'

const CLI = join(import.meta.dirname, '../dist/cli/main.js')

function transcribe(t: Test, args: string[]) {
  const child = spawn(process.execPath, [CLI, 'transcribe', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  return { child, ended: Promise.all([once(child, 'close'), text(child.stderr)]) }
}

t.test('the first Ctrl-C ends a file that ffmpeg seeks in, and shows what was heard', async t => {
  const { url } = await scriptedServer(t)
  const file = await encode(t.testdir(), 'a.m4a', ['-f', 'lavfi', '-i', 'sine=440:r=16000:d=60'])
  const { child, ended } = transcribe(t, ['--url', url, '--format', 'json', '--pace', '4', file])
  await once(child.stdout, 'readable')
  child.kill('SIGINT')
  const [stdout, [, stderr]] = await Promise.all([buffer(child.stdout), ended])
  t.equal(child.exitCode, 130)
  t.match(stdout.toString(), /"isFinal":true[^]*"type":"usage"/, 'to the end of what was sent')
  t.equal(stderr, 'sttstream: ending; Ctrl-C again aborts\n')
})

t.test('Ctrl-C ends a pipe that nobody writes to', { skip: process.platform !== 'linux' }, async t => {
  const server = await scriptedServer(t)
  const pipe = join(t.testdir(), 'pipe')
  await promisify(execFile)('mkfifo', [pipe])
  const { child, ended } = transcribe(t, ['--url', server.url, pipe])
  while (server.sessions.length === 0) await new Promise(setImmediate)
  child.kill('SIGINT')
  await ended
  t.equal(child.exitCode, 130)
})
