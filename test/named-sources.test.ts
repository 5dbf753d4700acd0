import { execFile } from 'node:child_process'
import { createWriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { decode, type DecodeWarning } from '#dist/audio/decode.js'
import { wavHeader } from '#dist/audio/wav-header.js'
import { transcribe } from '#dist/index.js'
import { readAll } from './fixtures/audio.js'
import { runNode } from './fixtures/run-node.js'
import { scriptedServer, tone, toneWav } from './fixtures/scripted.js'
import { webSite } from './fixtures/web-site.js'

const RAW = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const
const EMPTY = { code: 'STT_ERR_DECODE_NO_AUDIO', message: /^the source is empty/ }
const noPipes =
  process.platform === 'linux' ? false : 'only Linux waits for the writer of a pipe without a thread'

const directory = t.testdir({ empty: '' })
const empty = join(directory, 'empty')

async function namedPipe(name: string): Promise<string> {
  const path = join(directory, name)
  await promisify(execFile)('mkfifo', [path])
  return path
}

t.test('a file or an address without a byte is an error, what a program hands over is not', async t => {
  const { url } = await scriptedServer(t, { script: [] })
  const site = await webSite(t, (_, response) => response.end())
  const source = await fetch(site.origin)
  for (const options of [{ url }, { url, input: RAW }]) {
    await t.rejects(transcribe(empty, options), EMPTY)
    await t.rejects(transcribe(site.origin, options), EMPTY)
    t.match(await transcribe(Buffer.alloc(0), options), { text: '', durationMs: 0 })
  }
  t.match(await transcribe(source, { url }), { text: '', durationMs: 0 })
})

t.test('a file that ends behind its header is an error, a call that does so is not', async t => {
  const path = join(directory, 'header.wav')
  for (const bytes of [wavHeader(RAW), wavHeader(RAW, 0)]) {
    writeFileSync(path, bytes)
    await t.rejects(readAll(decode({ path })), { code: 'STT_ERR_DECODE_NO_AUDIO', message: /no sample/ })
    const call = decode()
    call.end(bytes)
    t.equal((await readAll(call)).length, 0)
  }
  writeFileSync(path, toneWav(100))
  const warnings: string[] = []
  const later = decode({ path, startMs: 1_000 }).on('warning', ({ code }: DecodeWarning) =>
    warnings.push(code),
  )
  t.equal((await readAll(later)).length, 0)
  t.strictSame(warnings, ['STT_WARN_BEYOND_END'], 'who asks for a part may ask for too late a one')
})

t.test('raw audio is read by its path too', async t => {
  const path = join(directory, 'tone.raw')
  writeFileSync(path, tone(3_000))
  const { url } = await scriptedServer(t)
  t.match(await transcribe(path, { url, input: RAW }), { text: 'turn the lamp on thank you' })
})

t.test('a named pipe is read as its writer writes', { skip: noPipes }, async t => {
  const path = await namedPipe('late')
  const decoder = decode({ path })
  const read = readAll(decoder)
  const writer = createWriteStream(path)
  const wav = toneWav(1_000)
  writer.write(wav.subarray(0, 10_000), () => writer.end(wav.subarray(10_000)))
  t.ok((await read).equals(tone(1_000)))
})

t.test('a pipe that gives nothing keeps no process', { skip: noPipes }, async t => {
  const path = await namedPipe('silent')
  // With a writer that is silent, and with none.
  for (const opened of ["await import('node:fs').then(fs => fs.openSync(path, 'r+'))", 'undefined']) {
    const program = `import { decode, openSource } from ${JSON.stringify(import.meta.resolve('#dist/index.js'))}
      const path = ${JSON.stringify(path)}
      const writer = ${opened}
      const { bytes } = await openSource(path)
      for (const stream of [decode({ path }), bytes]) stream.resume().once('close', () => console.log('closed'))
        && setImmediate(() => setImmediate(() => stream.destroy()))`
    const run = await runNode(['--input-type=module', '--eval', program])
    t.strictSame(run, { code: 0, stdout: 'closed\nclosed\n', stderr: '' })
  }
})
