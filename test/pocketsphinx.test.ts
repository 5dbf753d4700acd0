import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { SttError } from '#dist/errors.js'
import type { Recognizer, RecognizerSession, RecognizedUtterance } from '#dist/local/recognizer.js'
import { pocketsphinxRecognizer, type PocketsphinxOptions } from '#dist/local/recognizers/pocketsphinx.js'
import { cards, goForward, librivox, readSamples, youngMan } from './fixtures/speech.js'

const DIST = fileURLToPath(new URL('../dist/', import.meta.url))
const MODEL_DIRECTORY = '/usr/share/pocketsphinx/model/en-us'
const CHUNK = 1_600
/** Enough to tell that a decoder works: a recording costs about half its length of processor time. */
const BRIEF = { pcm: readSamples(goForward).subarray(0, 1_300 * 16), transcript: 'go forward' }

async function open(t: Test, options?: PocketsphinxOptions): Promise<Recognizer> {
  const recognizer = await pocketsphinxRecognizer({ sessions: 1, ...options })
  t.teardown(() => recognizer.close())
  return recognizer
}

async function pushAll(session: RecognizerSession, pcm: Int16Array): Promise<string[]> {
  const interims: Promise<string>[] = []
  for (let at = 0; at < pcm.length; at += CHUNK) interims.push(session.push(pcm.subarray(at, at + CHUNK)))
  return Promise.all(interims)
}

async function recognize(session: RecognizerSession, pcm: Int16Array): Promise<RecognizedUtterance> {
  session.start()
  await pushAll(session, pcm)
  return session.finish()
}

/** Children of a process that run our program, by pid. */
function decodersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  return children.filter(child => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('pocketsphinx-child.js')
    } catch {
      return false // gone meanwhile
    }
  })
}

/** Resolves when none of the processes is left. They are not all ours, so there is no event; tap ends the wait. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some(pid => existsSync(`/proc/${pid}`))) await new Promise(resolve => setTimeout(resolve, 20))
}

t.test('recognises what is said, with growing interims and times of words', async t => {
  const recognizer = await open(t)
  t.equal(recognizer.name, 'pocketsphinx')
  const session = await recognizer.open({})
  const pcm = readSamples(goForward)
  session.start()
  const interims = await pushAll(session, pcm)
  const { text, words } = await session.finish()

  t.equal(text, goForward.transcript)
  t.equal(interims[0], '', 'nothing is said in the first 100 ms')
  const different = interims.filter((interim, i) => interim !== interims[i - 1])
  t.ok(different.length >= 4, `${different.length} different interims`)
  t.ok(interims.includes('go forward'))
  t.equal(interims.at(-1), goForward.transcript)

  t.same(
    words.map(({ word }) => word),
    goForward.transcript.split(' '),
  )
  let previousEndMs = 0
  for (const { startMs, endMs, confidence } of words) {
    t.ok(startMs >= previousEndMs && endMs > startMs, `${startMs} to ${endMs} ms`)
    t.ok(confidence >= 0.7 && confidence <= 1, `confidence ${confidence}`)
    previousEndMs = endMs
  }
  t.ok(previousEndMs <= pcm.length / 16)
  const { startMs = 0, endMs = 0 } = words[1] ?? {}
  t.ok(startMs > 500 && startMs < 750 && endMs > 1_000 && endMs < 1_300, 'where "forward" is spoken')
})

t.test('recognises several utterances of one session, each with times of its own', async t => {
  const session = await (await open(t)).open({})
  const first = await recognize(session, readSamples(youngMan))
  t.match(first.text, /^he was not an .* young man$/)
  const second = await recognize(session, BRIEF.pcm)
  t.equal(second.text, BRIEF.transcript)
  t.ok((second.words[0]?.startMs ?? 0) < 600, 'from the start of its own utterance')
})

t.test('gives a session nothing of the one before it', async t => {
  const recognizer = await open(t)
  const results: RecognizedUtterance[] = []
  const novel = readSamples(youngMan)
  for (const utterances of [[BRIEF.pcm], [novel, BRIEF.pcm], [BRIEF.pcm]]) {
    const session = await recognizer.open({})
    for (const pcm of utterances) results.push(await recognize(session, pcm))
    await session.close()
  }
  t.same(results[3], results[0])
})

t.test('keeps sessions that run side by side apart', async t => {
  const recognizer = await open(t, { sessions: 2 })
  const [a, b] = await Promise.all([recognizer.open({}), recognizer.open({})])
  const [one, other] = await Promise.all([
    recognize(a, readSamples(goForward)),
    recognize(b, readSamples(youngMan)),
  ])
  t.equal(one.text, goForward.transcript)
  t.match(other.text, /young man$/)
  t.notMatch(other.text, /meters/)
})

t.test('hears nothing in digital silence', async t => {
  const session = await (await open(t)).open({})
  t.same(await recognize(session, new Int16Array(3 * 16_000)), { text: '', words: [] })
  t.equal((await recognize(session, BRIEF.pcm)).text, BRIEF.transcript)
})

t.test('answers an utterance without audio with an empty one', async t => {
  const session = await (await open(t)).open({})
  session.start()
  t.equal(await session.push(new Int16Array(0)), '')
  t.same(await session.finish(), { text: '', words: [] })
  t.equal((await recognize(session, BRIEF.pcm)).text, BRIEF.transcript)
})

t.test('joins the segments of a long utterance on one time axis', async t => {
  const session = await (await open(t)).open({})
  const pauseMs = 500
  const pause = new Int16Array(pauseMs * 16)
  let lengthMs = 0
  session.start()
  for (const recording of [...librivox, goForward]) {
    const pcm = readSamples(recording)
    await pushAll(session, pcm)
    await session.push(pause)
    lengthMs += pcm.length / 16 + pauseMs
  }
  const { text, words } = await session.finish()
  t.match(text, /young man.*selfish.*respectable.*amiable.*go forward ten meters$/)
  t.equal(text, words.map(({ word }) => word).join(' '))
  const starts = words.map(({ startMs }) => startMs)
  t.same(
    starts,
    starts.toSorted((a, b) => a - b),
  )
  // "meters" ends 660 ms before the recording does.
  const endMs = words.at(-1)?.endMs ?? 0
  t.ok(Math.abs(endMs - (lengthMs - pauseMs - 660)) < 200, `"meters" ends at ${endMs} of ${lengthMs} ms`)
})

t.test('prefers the phrases of the prompts', async t => {
  const recognizer = await open(t)
  const [, , , , hand] = cards
  if (!hand) return t.fail('pocketsphinx-testdata has no fifth card')
  const plain = await recognizer.open({})
  const unbiased = await recognize(plain, readSamples(hand))
  await plain.close()
  const prompts = ['Eight of spades, four of clubs.', 'seven of hearts', 'xyzzyqwf of nothing']
  const biased = await recognize(await recognizer.open({ prompts }), readSamples(hand))
  t.not(unbiased.text, hand.transcript)
  t.equal(biased.text, hand.transcript)
})

t.test('ignores prompts that hold no word it knows', async t => {
  const session = await (await open(t)).open({ prompts: ['', '...', 'xyzzyqwf', '<s> </s>'] })
  t.equal((await recognize(session, BRIEF.pcm)).text, BRIEF.transcript)
})

t.test('refuses a session when all decoders are taken, and lends one again after close', async t => {
  const recognizer = await open(t)
  const session = await recognizer.open({})
  await t.rejects(recognizer.open({}), { code: 'STT_ERR_QUOTA', retryable: true })
  await session.close()
  const next = await recognizer.open({})
  t.equal((await recognize(next, BRIEF.pcm)).text, BRIEF.transcript)
})

t.test('releases the decoder in the middle of an utterance', async t => {
  const recognizer = await open(t)
  const session = await recognizer.open({})
  session.start()
  const unanswered = pushAll(session, readSamples(youngMan))
  await session.close()
  await session.close()
  await t.rejects(unanswered, { code: 'STT_ERR_CLOSED' })
  await t.rejects(session.push(new Int16Array(160)), { code: 'STT_ERR_CLOSED' })
  await t.rejects(session.finish(), { code: 'STT_ERR_CLOSED' })
  t.throws(() => session.start(), { code: 'STT_ERR_CLOSED' })
  const next = await recognizer.open({})
  t.equal((await recognize(next, BRIEF.pcm)).text, BRIEF.transcript)
})

t.test('takes no more than 30 s of undecoded audio', async t => {
  const session = await (await open(t)).open({})
  session.start()
  await t.rejects(session.push(new Int16Array(30_001 * 16)), { code: 'STT_ERR_QUOTA', retryable: true })
  await pushAll(session, BRIEF.pcm)
  t.equal((await session.finish()).text, BRIEF.transcript, 'and goes on without what it refused')
})

t.test('names calls in the wrong order', async t => {
  const session = await (await open(t)).open({})
  await t.rejects(session.push(new Int16Array(160)), TypeError)
  await t.rejects(session.finish(), TypeError)
  session.start()
  t.throws(() => session.start(), TypeError)
})

t.test('a dying child fails its own session only and is replaced', async t => {
  const recognizer = await open(t, { sessions: 2 })
  const sessions = [await recognizer.open({}), await recognizer.open({})]
  const errors: Error[] = []
  const outcomes = sessions.map(async session => {
    session.onError = error => errors.push(error)
    session.start()
    await pushAll(session, BRIEF.pcm)
    return (await session.finish()).text
  })
  const [victim] = decodersOf(process.pid)
  if (victim === undefined) return t.fail('no child is there')
  process.kill(victim, 'SIGKILL')
  const settled = await Promise.allSettled(outcomes)
  const failed = settled.filter(outcome => outcome.status === 'rejected')
  const done = settled.filter(outcome => outcome.status === 'fulfilled')
  t.same(
    done.map(({ value }) => value),
    [BRIEF.transcript],
  )
  t.equal(failed.length, 1)
  t.match(failed[0]?.reason, { code: 'STT_ERR_SERVER', retryable: true, message: /SIGKILL/ })
  t.equal(errors.length, 1, 'onError is called once')
  t.equal(errors[0], failed[0]?.reason)
  await Promise.all(sessions.map(session => session.close()))
  const again = await Promise.all([recognizer.open({}), recognizer.open({})])
  for (const session of again) {
    t.equal((await recognize(session, BRIEF.pcm)).text, BRIEF.transcript)
  }
})

t.test('replaces a child that dies idle', async t => {
  const recognizer = await open(t)
  const victims = decodersOf(process.pid)
  for (const pid of victims) process.kill(pid, 'SIGKILL')
  await gone(victims)
  const session = await recognizer.open({})
  t.equal((await recognize(session, BRIEF.pcm)).text, BRIEF.transcript)
})

t.test('close() fails open sessions and leaves no child', async t => {
  const recognizer = await open(t, { sessions: 2 })
  const session = await recognizer.open({})
  session.start()
  const unanswered = session.push(readSamples(youngMan))
  const failed = new Promise<Error>(resolve => (session.onError = resolve))
  const pids = decodersOf(process.pid)
  t.equal(pids.length, 2)
  await Promise.all([recognizer.close(), t.rejects(unanswered, SttError)])
  t.match(await failed, { code: 'STT_ERR_SERVER' })
  await gone(pids)
  t.same(decodersOf(process.pid), [])
  await t.rejects(recognizer.open({}), { code: 'STT_ERR_RECOGNIZER_UNAVAILABLE' })
  await recognizer.close()
})

t.test('says what to install where library or model is missing', async t => {
  const hint = /apt install libpocketsphinx3 pocketsphinx-en-us.*dnf install/
  for (const [options, message] of [
    [{ modelDir: '/nowhere' }, /\/nowhere\/en-us\/feat.params is missing/],
    [{ libraryPath: '/nowhere/libpocketsphinx.so.3' }, /\/nowhere\/libpocketsphinx.so.3 is missing/],
  ] as const) {
    const error = await pocketsphinxRecognizer(options).catch((cause: unknown) => cause)
    t.match(error, { code: 'STT_ERR_RECOGNIZER_UNAVAILABLE', retryable: false, message })
    t.match(error, { message: hint })
  }
})

t.test('refuses a damaged model before a decoder sees it', async t => {
  const modelDir = modelCopy(t, {
    'en-us/sendump': readFileSync(`${MODEL_DIRECTORY}/en-us/sendump`).subarray(0, 1e6),
  })
  await t.rejects(pocketsphinxRecognizer({ modelDir }), {
    code: 'STT_ERR_RECOGNIZER_UNAVAILABLE',
    message: /sendump is damaged: it has 1000000 bytes instead of 1969024/,
  })
})

t.test('outlives a library that ends its process on a bad model', async t => {
  const features = readFileSync(`${MODEL_DIRECTORY}/en-us/feat.params`, 'utf8')
  const modelDir = modelCopy(t, { 'en-us/feat.params': features.replace('-cmn batch', '-cmn nonsense') })
  await t.rejects(pocketsphinxRecognizer({ modelDir, sessions: 1 }), {
    code: 'STT_ERR_RECOGNIZER_UNAVAILABLE',
    message: /its process ended with exit code 1: .*cmn/i,
  })
  t.same(decodersOf(process.pid), [])
})

t.test('refuses a library that is none', async t => {
  const directory = t.testdir({ 'libpocketsphinx.so.3': 'not a library' })
  await t.rejects(pocketsphinxRecognizer({ libraryPath: join(directory, 'libpocketsphinx.so.3') }), {
    code: 'STT_ERR_RECOGNIZER_UNAVAILABLE',
  })
})

t.test('says so where koffi is not installed', async t => {
  // Not below this package, whose node_modules would be found.
  const directory = mkdtempSync(join(tmpdir(), 'sttstream-test-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  for (const part of ['errors.js', 'audio', 'local']) {
    cpSync(join(DIST, part), join(directory, 'dist', part), { recursive: true })
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  const script = `
    import { pocketsphinxRecognizer } from './dist/local/recognizers/pocketsphinx.js'
    await pocketsphinxRecognizer().catch(error => console.log(error.code, error.message))`
  writeFileSync(join(directory, 'script.mjs'), script)
  const { stdout } = await promisify(execFile)(process.execPath, ['script.mjs'], { cwd: directory })
  t.match(stdout, /^STT_ERR_RECOGNIZER_UNAVAILABLE .*koffi/)
})

t.test('says so where the system refuses it a process', async t => {
  t.intercept(process, 'execPath', { value: 'no\0program' })
  await t.rejects(pocketsphinxRecognizer(), {
    code: 'STT_ERR_RECOGNIZER_UNAVAILABLE',
    message: /process could not be started/,
  })
})

t.test('refuses a number of sessions that makes no sense', async t => {
  await t.rejects(pocketsphinxRecognizer({ sessions: 0 }), RangeError)
  await t.rejects(pocketsphinxRecognizer({ sessions: 1.5 }), RangeError)
  await t.rejects(pocketsphinxRecognizer({ sessions: '2' as never }), TypeError)
})

t.test('the process ends by itself, and its children with it', async t => {
  const use = `const session = await recognizer.open({}); session.start(); await session.push(new Int16Array(1600))`
  for (const [name, body] of [
    ['idle, after close()', 'await recognizer.close()'],
    ['idle, without close()', ''],
    ['with an open session', use],
  ] as const) {
    const { child, pids } = await runWithRecognizer(t, body)
    const [code] = (await once(child, 'close')) as [number]
    t.equal(code, 0, name)
    await gone(pids)
  }
})

t.test('children end with a parent that is killed, even while they decode', async t => {
  const audio = JSON.stringify(youngMan.path)
  const body = `
    const session = await recognizer.open({})
    session.start()
    const bytes = (await import('node:fs')).readFileSync(${audio})
    const pcm = new Int16Array(bytes.buffer.slice(0, bytes.length & ~1))
    for (let i = 0; i < 9; i++) session.push(pcm)
    await new Promise(resolve => setTimeout(resolve, 60_000))`
  const { child, pids } = await runWithRecognizer(t, body)
  child.kill('SIGKILL')
  await once(child, 'close')
  await gone(pids)
  t.equal(pids.length, 2)
})

/** A process of its own that opens a recogniser of two sessions, waits for a line on stdin and runs `body`. */
async function runWithRecognizer(t: Test, body: string): Promise<{ child: ChildProcess; pids: number[] }> {
  const directory = t.testdir({})
  const script = join(directory, 'script.mjs')
  const module = JSON.stringify(join(DIST, 'local/recognizers/pocketsphinx.js'))
  const source = `
    import { once } from 'node:events'
    import { pocketsphinxRecognizer } from ${module}
    const recognizer = await pocketsphinxRecognizer({ sessions: 2 })
    process.stdout.write('ready')
    await once(process.stdin, 'data')
    process.stdin.destroy()
    ${body}`
  writeFileSync(script, source)
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const pids = decodersOf(child.pid ?? 0)
  child.stdin.write('go')
  return { child, pids }
}

/** The installed model by symlinks, with some files replaced. */
function modelCopy(t: Test, replaced: Record<string, string | Buffer>): string {
  const directory = t.testdir({})
  mkdirSync(join(directory, 'en-us'))
  for (const name of readdirSync(MODEL_DIRECTORY, { recursive: true, encoding: 'utf8' })) {
    const content = replaced[name]
    if (content !== undefined) writeFileSync(join(directory, name), content)
    else if (name !== 'en-us') symlinkSync(join(MODEL_DIRECTORY, name), join(directory, name))
  }
  return directory
}
