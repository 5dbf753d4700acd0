import t from 'tap'
import { SttError } from '#dist/errors.js'
import { parseServerMessage, type ServerMessage } from '#dist/stt/protocol.js'

/**
 * parseServerMessage() reads what a stranger sends: any text gives messages that keep the promises of their types,
 * or STT_ERR_PROTOCOL, and nothing else.
 */

/** Mulberry32 (Tommy Ettinger 2017): the same texts in every run. */
const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
  return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
}
const random = generator(20_261_121)
const below = (limit: number) => Math.floor(random() * limit)
const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T

const KEYS = [
  ...[
    'result',
    'transcription',
    'speechStarted',
    'speechStopped',
    'usage',
    'error',
    'status',
    'code',
    'message',
  ],
  ...[
    'transcript',
    'isFinal',
    'is_final',
    'wordTimestamps',
    'word_timestamps',
    'word',
    'confidence',
    'speaker',
  ],
  ...['startTimeMs', 'start_time_ms', 'startTime', 'endTime', 'endTimeMs', 'endTimeSeconds', 'language'],
  ...['voiceProfile', 'voice_profile', 'vocal_style', 'age', 'label', 'languageCode', 'silenceDurationMs'],
  ...[
    'transcribedAudioMs',
    'durationSeconds',
    'duration',
    'modelId',
    '__proto__',
    'constructor',
    '',
    '_',
    '_a',
    'é',
  ],
]
const LEAVES = [
  ...[null, true, false, 0, -0, 1, -1, 0.5, 3, 14, 1e308, -1e308, 5e-324, 2 ** 53],
  ...[
    '',
    ' ',
    'text',
    '3000',
    '1.5s',
    's',
    '-2',
    '1e999',
    'NaN',
    '0x10',
    'en-US',
    '\u0000',
    '\ud800',
    '__proto__',
  ],
]

/** A value with the service's own keys in any place, so that most of the reading is reached. */
function anyValue(depth: number): unknown {
  const kind = depth === 0 ? 0 : below(4)
  if (kind === 0) return oneOf(LEAVES)
  if (kind === 1) return Array.from({ length: below(4) }, () => anyValue(depth - 1))
  const entries = Array.from({ length: below(6) }, () => [oneOf(KEYS), anyValue(depth - 1)] as const)
  return Object.fromEntries(entries)
}

/** A message that is right but for one leaf or branch. */
function nearMiss(): unknown {
  const message = {
    result: {
      speechStarted: { startTimeMs: anyValue(1), confidence: 0.5 },
      transcription: {
        transcript: anyValue(0),
        isFinal: anyValue(0),
        wordTimestamps: [
          { word: 'a', startTimeMs: anyValue(0), endTimeMs: anyValue(0), speaker: anyValue(1) },
        ],
        voiceProfile: { age: [{ label: anyValue(0), confidence: anyValue(0) }], [oneOf(KEYS)]: anyValue(2) },
        [oneOf(KEYS)]: anyValue(2),
      },
      usage: oneOf<unknown>([{ transcribedAudioMs: anyValue(0) }, anyValue(2)]),
      [oneOf(KEYS)]: anyValue(2),
    },
  }
  return message
}

const mangle = (text: string) => {
  const at = below(text.length + 1)
  return oneOf([
    text.slice(0, at),
    text.slice(at),
    text.slice(0, at) + oneOf(['"', '}', '\\', ',']) + text.slice(at),
  ])
}

const isTime = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isShare = (value: unknown) => value === undefined || (isTime(value) && (value as number) <= 1)
const isOptional = (value: unknown) => value === undefined || (typeof value === 'string' && value !== '')

function keepsPromises(message: ServerMessage): boolean {
  switch (message.kind) {
    case 'transcription': {
      const { transcript, isFinal, words, voiceProfile, language, silenceDurationMs } = message
      const classes = Object.values(voiceProfile ?? { none: [{ label: 'x', confidence: 0 }] })
      return (
        typeof transcript === 'string' &&
        typeof isFinal === 'boolean' &&
        isOptional(language) &&
        isTime(silenceDurationMs ?? 0) &&
        words.every(
          ({ word, startMs, endMs, confidence, speaker }) =>
            typeof word === 'string' &&
            isTime(startMs) &&
            isTime(endMs) &&
            endMs >= startMs &&
            isShare(confidence) &&
            isOptional(speaker),
        ) &&
        classes.length > 0 &&
        classes.every(
          labels =>
            labels.length > 0 &&
            labels.every(
              ({ label, confidence }, i) =>
                label !== '' && isShare(confidence) && confidence <= (labels[i - 1]?.confidence ?? 1),
            ),
        )
      )
    }
    case 'speechStarted':
      return isTime(message.startMs) && isShare(message.confidence)
    case 'speechStopped':
      return isTime(message.silenceDurationMs)
    case 'usage':
      return isTime(message.transcribedAudioMs) && isOptional(message.modelId)
    case 'error':
      return message.error instanceof SttError && message.error.message.length < 1_000
    case 'unknown':
      return true
  }
}

t.test('any text gives messages that keep the promises of their types, or STT_ERR_PROTOCOL', async t => {
  const seen: Record<string, number> = {}
  const count = (name: string) => (seen[name] = (seen[name] ?? 0) + 1)
  for (let run = 0; run < 40_000; run++) {
    const value = run % 2 === 0 ? nearMiss() : anyValue(5)
    const json = JSON.stringify(value)
    const text = run % 5 === 4 ? mangle(json) : json
    try {
      const messages = parseServerMessage(text)
      if (messages.length === 0 || messages.length > 4 || !messages.every(keepsPromises)) t.fail(text)
      for (const { kind } of messages) count(kind)
    } catch (error) {
      if (!(error instanceof SttError) || error.code !== 'STT_ERR_PROTOCOL')
        t.fail(`${String(error)} for ${text}`)
      count('refused')
    }
  }
  t.comment(JSON.stringify(seen))
  const kinds = ['transcription', 'speechStarted', 'speechStopped', 'usage', 'error', 'unknown', 'refused']
  for (const kind of kinds) t.ok((seen[kind] ?? 0) > 100, `${kind} is reached`)
})

t.test('neither depth nor width overflows anything', async t => {
  const deep = (open: string, close: string, times: number) => `${open.repeat(times)}1${close.repeat(times)}`
  const nested = [
    deep('{"some_key":', '}', 300_000),
    `{"result":{"transcription":{"transcript":${deep('[', ']', 1_000_000)}}}}`,
    `{"result":{"transcription":{"voice_profile":${deep('{"a_b":', '}', 300_000)}}}}`,
    `{"error":${deep('{"error":', '}', 300_000)}}`,
  ]
  for (const text of nested) t.equal(parseServerMessage(text).length, 1)
  const wide = `{"result":{"usage":[${'{"transcribed_audio_ms":1},'.repeat(150_000)}{}]}}`
  t.strictSame(parseServerMessage(wide), [{ kind: 'usage', transcribedAudioMs: 150_000 }])
  const words = `{"transcription":{"wordTimestamps":[${'{"endTimeMs":1},'.repeat(200_000)}{}]}}`
  const [message] = parseServerMessage(words)
  t.equal(message?.kind === 'transcription' && message.words.length, 200_000)
})
