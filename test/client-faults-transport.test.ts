import t from 'tap'
import type { SttStream } from '#dist/index.js'
import type { Faults, LatencyFault, LinkFault, LinkPoint } from '#dist/testing.js'
import { checkRecovery, faultRun, FINALS, first, named, SOURCE, texts } from './fixtures/fault-run.js'

/** Faults 51 to 57: a link that breaks, or says nothing of it. 58 is among the upgrades. */

const wait = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** By the ping or by the watchdog, whichever comes first. */
const DEAD = /^STT_ERR_(PING_TIMEOUT|UNRESPONSIVE)$/

/** The second turn is on its way when the source goes on hold, for longer than any deadline. */
const holdInTurn = async (stream: SttStream) => {
  stream.write(SOURCE.subarray(0, 2_700 * 32))
  await wait(120_000)
  stream.end(SOURCE.subarray(2_700 * 32))
}

t.test('51: a service that stops reading is left by its ping deadline, and no word is missing', async t => {
  const outcome = await faultRun(t, {
    faults: first({ stopReading: { afterAudioMs: 2_300 } }),
    options: { watchdogMs: false },
    feed: holdInTurn,
  })
  checkRecovery(t, outcome, { code: 'STT_ERR_PING_TIMEOUT', retryable: true })
})

t.test('51: services that all stop reading are one error', async t => {
  const outcome = await faultRun(t, {
    faults: { stopReading: true },
    server: { limits: { configTimeoutMs: 3_600_000 } },
    options: { retry: { maxAttempts: 2 } },
    feed: holdInTurn,
  })
  t.match(outcome.error, { code: DEAD, retryable: true })
  t.equal(outcome.upgrades, 3)
})

t.test('51: the source waits for a service that stops reading, in bounded memory', async t => {
  const chunk = Buffer.alloc(1_000 * 32)
  let taken = 0
  const outcome = await faultRun(t, {
    faults: { stopReading: { afterAudioMs: 100 } },
    options: { pace: false, retry: false },
    feed: async stream => {
      const closed = new Promise<boolean>(resolve => stream.once('close', () => resolve(false)))
      const writes = () => new Promise<boolean>(resolve => stream.write(chunk, error => resolve(!error)))
      while (await Promise.race([writes(), closed])) taken++
    },
  })
  t.match(outcome.error, { code: 'STT_ERR_PING_TIMEOUT' })
  // The kernel's socket buffers hold some MB, at 43 bytes a ms.
  t.ok(taken < 600, `${taken} s of audio were taken`)
})

const POINTS: [string, LinkPoint, LinkPoint][] = [
  ['received', { afterBytesReceived: 60_000 }, { afterBytesReceived: 3_000 }],
  ['received in the config', { afterBytesReceived: 100 }, { afterBytesReceived: 100 }],
  ['sent', { afterBytesSent: 1_400 }, { afterBytesSent: 400 }],
  ['sent in the answer to the upgrade', { afterBytesSent: 50 }, { afterBytesSent: 50 }],
]

for (const how of ['reset', 'close'] as const) {
  for (const [where, once, always] of POINTS) {
    t.test(`52: a link that breaks (${how}) at a byte ${where} takes no word with it`, async t => {
      const outcome = await faultRun(t, { faults: first({ link: { cut: { ...once, how } } }) })
      t.equal(outcome.upgrades, 2)
      t.match(named(outcome, 'reconnecting'), [{ cause: { code: /^STT_ERR_(SOCKET|CLOSED)$/ } }])
      t.strictSame(texts(outcome), FINALS)
    })

    t.test(`52: links that all break (${how}) at a byte ${where} are one error`, async t => {
      const outcome = await faultRun(t, {
        faults: { link: { cut: { ...always, how } } },
        options: { retry: { maxAttempts: 3 } },
      })
      t.match(outcome.error, { code: /^STT_ERR_(SOCKET|CLOSED)$/, retryable: true })
      t.equal(outcome.upgrades, 4)
      t.strictSame(outcome.finals, [])
    })
  }
}

for (const [where, halfOpen] of [
  ['a byte received', { afterBytesReceived: 100_000 }],
  ['a byte sent', { afterBytesSent: 1_400 }],
  ['a time', { afterMs: 2_000 }],
] as [string, LinkFault['halfOpen']][]) {
  t.test(`53: a link that is half-open from ${where} on is found by its ping`, async t => {
    const outcome = await faultRun(t, { faults: first({ link: { halfOpen } }), feed: holdInTurn })
    checkRecovery(t, outcome, { code: DEAD })
    t.ok(outcome.elapsedMs >= 120_000)
  })
}

t.test('53: links that are all half-open are one error', async t => {
  const outcome = await faultRun(t, {
    faults: { link: { halfOpen: { afterBytesReceived: 5_000 } } },
    options: { retry: { maxAttempts: 2 } },
    feed: holdInTurn,
  })
  t.match(outcome.error, { code: DEAD })
  t.equal(outcome.upgrades, 3)
})

/** The first turn is complete; then nothing is said for a while. */
const holdBetweenTurns = async (stream: SttStream) => {
  stream.write(SOURCE.subarray(0, 2_100 * 32))
  await wait(40_000)
  stream.end(SOURCE.subarray(2_100 * 32))
}

t.test('54: without a pong the connection is given up, and the next audio has another', async t => {
  const outcome = await faultRun(t, { faults: first({ pong: 'never' }), feed: holdBetweenTurns })
  checkRecovery(t, outcome, { code: 'STT_ERR_PING_TIMEOUT' })
})

for (const [delayMs, pongTimeoutMs, survives] of [
  [5_000, 10_000, true],
  [12_000, 10_000, false],
  [12_000, 15_000, true],
] as const) {
  t.test(`54: a pong after ${delayMs} ms, with a deadline of ${pongTimeoutMs} ms`, async t => {
    const outcome = await faultRun(t, {
      faults: first({ pong: { delayMs } }),
      options: { pongTimeoutMs },
      feed: holdBetweenTurns,
    })
    t.equal(named(outcome, 'reconnecting').length, survives ? 0 : 1)
    t.strictSame(texts(outcome), FINALS)
  })
}

for (const [title, wedged] of [
  ['from the start', true],
  ['in mid-turn', { afterAudioMs: 2_300 }],
] as [string, Faults['wedged']][]) {
  t.test(`55: a service that is wedged ${title} is replaced by the watchdog`, async t => {
    const outcome = await faultRun(t, { faults: first({ wedged }), feed: holdInTurn })
    checkRecovery(t, outcome, { code: 'STT_ERR_UNRESPONSIVE', retryable: true })
  })
}

for (const [title, faults] of [
  ['51: a link that dies', { link: { halfOpen: { afterMs: 2_000 } } }],
  ['53: a service that stops reading', { stopReading: { afterAudioMs: 1_000 } }],
  ['55: a service that is wedged', { wedged: true }],
] as [string, Faults][]) {
  t.test(`${title} shortly before the end of the audio costs no turn`, async t => {
    const outcome = await faultRun(t, { faults: first(faults) })
    checkRecovery(t, outcome, { code: 'STT_ERR_UNRESPONSIVE', retryable: true })
    t.strictSame(named(outcome, 'warning'), [])
  })
}

for (const [title, retry, upgrades] of [
  ['replaced once, then believed', {}, 2],
  ['believed at once where nothing is retried', false, 1],
] as const) {
  t.test(`55: a service that is wedged at the end of the audio is ${title}`, async t => {
    const outcome = await faultRun(t, { faults: { wedged: true }, options: { retry } })
    t.equal(outcome.upgrades, upgrades)
    t.match(named(outcome, 'warning'), [{ code: 'STT_WARN_FINISH_TIMEOUT' }])
    t.strictSame(outcome.finals, [])
  })
}

t.test('51: a link that is dead after its first message has not held, and attempts are used up', async t => {
  const outcome = await faultRun(t, {
    faults: { link: { halfOpen: { afterBytesSent: 300 } } },
    options: { retry: { maxAttempts: 2 } },
    feed: async stream => {
      stream.write(SOURCE.subarray(0, 2_700 * 32))
      await wait(120_000)
      stream.end()
    },
  })
  t.match(outcome.error, { code: DEAD })
  t.equal(outcome.upgrades, 3)
})

t.test('55: when the next one is silent as well, it is believed, with warnings', async t => {
  const outcome = await faultRun(t, { faults: { wedged: true }, feed: holdInTurn })
  t.equal(outcome.upgrades, 2)
  t.match(named(outcome, 'warning'), [
    { code: 'STT_WARN_NOTHING_HEARD' },
    { code: 'STT_WARN_FINISH_TIMEOUT' },
  ])
  t.strictSame(outcome.finals, [])
})

t.test('55: without retry a wedged service is the error', async t => {
  const outcome = await faultRun(t, { faults: { wedged: true }, options: { retry: false }, feed: holdInTurn })
  t.match(outcome.error, { code: 'STT_ERR_UNRESPONSIVE' })
})

for (const [title, latency] of [
  ['50 to 900 ms', { minMs: 50, maxMs: 900, seed: 7 }],
  ['1 s and none in turn', message => (message % 2) * 1_000],
] as [string, LatencyFault][]) {
  t.test(`56: messages that take ${title} change no final and no time of a word`, async t => {
    const outcome = await faultRun(t, { faults: { latency } })
    t.strictSame(texts(outcome), FINALS)
    t.match(outcome.finals, [
      { startMs: 200, endMs: 900 },
      { startMs: 2_200, endMs: 2_700 },
    ])
    t.strictSame(outcome.notices, [{ name: 'open' }])
  })

  t.test(`56: messages that take ${title} are lost with their connection, and said again`, async t => {
    const outcome = await faultRun(t, {
      faults: index => ({ latency, ...(index === 0 && { link: { cut: { afterBytesReceived: 110_000 } } }) }),
    })
    checkRecovery(t, outcome, {})
  })
}

t.test('57: compression is not offered', async t => {
  const outcome = await faultRun(t, { faults: { deflate: 'agree' } })
  t.strictSame(texts(outcome), FINALS)
  t.equal(outcome.sessions[0]?.webSocketExtensions, undefined)
})

t.test('57: compression that is imposed is refused, and tried again', async t => {
  const outcome = await faultRun(t, { faults: first({ deflate: 'unasked' }) })
  t.match(named(outcome, 'reconnecting'), [{ cause: { code: 'STT_ERR_SOCKET', message: /Extensions/ } }])
  t.strictSame(texts(outcome), FINALS)
})

t.test('57: compression that is always imposed is one error', async t => {
  const outcome = await faultRun(t, { faults: { deflate: 'unasked' } })
  t.match(outcome.error, { code: 'STT_ERR_SOCKET', message: /Extensions/ })
  t.equal(outcome.upgrades, 4)
})
