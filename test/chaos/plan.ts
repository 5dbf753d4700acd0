import type { SttStreamOptions } from '#dist/index.js'
import type { LocalServerOptions, Script } from '#dist/testing.js'
import type { Cut } from '../fixtures/tcp-proxy.js'
import { Dice } from './dice.js'
import { ANSWER_BYTES, FAULT_MAKERS, WIRE_BYTES_PER_MS, type DrawnFault } from './fault-catalogue.js'

/** Something that the caller does when so much of the source has been written. */
export type Act = { atMs: number } & (
  | { kind: 'endTurn' }
  | { kind: 'updateConfig'; language: string }
  | { kind: 'destroy' }
  | { kind: 'abort' }
  | { kind: 'sourceError' }
)

/** One run, all of it drawn from its seed. */
export interface ChaosPlan {
  seed: number
  script: Script
  durationMs: number
  /** Chunks are of 1 to so many bytes. */
  maxChunkBytes: number
  /** After so much of the source the caller rests for a moment, in ms. */
  pauseEveryMs: number
  /** Between two events read, in ms. */
  readerDelayMs: number
  stream: SttStreamOptions
  server: LocalServerOptions
  acts: Act[]
  faults: DrawnFault[]
  /** Of each connection by its number, what the server does. */
  faultsOf: (index: number) => DrawnFault[]
  /** Of each connection by its number, what the network does to it. */
  cutOf: (index: number) => Cut | undefined
  /** Nothing that was drawn may make the stream fail. */
  mustSucceed: boolean
}

const LANGUAGES = ['en-US', 'de', 'fr']

/**
 * Waits a hundredth of the customary ones where the service waits; the client's are short as far as a busy machine
 * does not make them strike by itself.
 */
const SHORT_WAITS: SttStreamOptions = {
  handshakeTimeoutMs: 1_000,
  finishTimeoutMs: 4_000,
  closeGraceMs: 50,
  pingIntervalMs: 100,
  pongTimeoutMs: 400,
  watchdogMs: 600,
}
const RETRY = { maxAttempts: 10, maxConnectAttempts: 10, baseDelayMs: 1, maxDelayMs: 20 }

export function drawPlan(seed: number): ChaosPlan {
  const dice = new Dice(seed)
  const script = drawScript(dice)
  const durationMs = Math.ceil(script.at(-1)!.endMs / 10) * 10 + dice.step(0, 2_000, 10)
  const manual = dice.chance(0.2)
  const faulty = drawFaultyConnections(dice, seed, durationMs)
  const faults = faulty.flat()
  const cuts = dice.times(dice.chance(0.3) ? dice.int(1, 3) : 0, () => drawCut(dice, durationMs))
  const teardown = drawTeardown(dice, durationMs)
  const retry = dice.chance(0.05) ? false : RETRY
  const stream: SttStreamOptions = {
    input: { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 },
    includeWordTimestamps: true,
    ...SHORT_WAITS,
    frameMs: dice.pick([100, 100, dice.step(20, 1_000, 10), dice.int(20, 1_000)]),
    sendBufferMs: dice.scale(20, 2_000),
    retry,
    ...dice.sometimes(0.3, () => ({ keepAlive: false as const })),
    ...dice.sometimes(0.2, () => ({ replayMs: dice.scale(500, 20_000) })),
    ...dice.sometimes(0.3, () => ({ maxConnectionMs: dice.int(1_000, 15_000) })),
    ...dice.sometimes(0.15, () => ({ hibernateAfterMs: dice.int(700, 3_000) })),
    ...dice.sometimes(0.3, () => ({ maxUnreadResults: dice.scale(1, 100) })),
    ...dice.sometimes(0.2, () => ({ interimResults: false })),
    ...(manual && { inworldSttV1Config: { vadThreshold: 0 }, maxManualTurnMs: dice.int(1_000, 28_000) }),
    ...faults.reduce<SttStreamOptions>((merged, each) => ({ ...merged, ...each.stream }), {}),
  }
  const count = (effect: DrawnFault['effect']) => faults.filter(each => each.effect === effect).length
  return {
    seed,
    script,
    durationMs,
    maxChunkBytes: dice.scale(1_000, 65_536) - dice.int(0, 999),
    pauseEveryMs: dice.sometimes(0.3, () => durationMs / dice.int(5, 60)) ?? Infinity,
    readerDelayMs: dice.sometimes(0.2, () => dice.int(1, 3)) ?? 0,
    stream,
    server: faults.reduce<LocalServerOptions>((merged, each) => ({ ...merged, ...each.server }), {}),
    acts: [...drawActs(dice, script, durationMs, manual), ...teardown].sort((a, b) => a.atMs - b.atMs),
    faults,
    faultsOf: index => faulty[index] ?? [],
    cutOf: index => cuts[index],
    mustSucceed:
      retry !== false &&
      teardown.length === 0 &&
      count('fatal') === 0 &&
      count('mute') <= 2 &&
      cuts.length + faulty.length < 8,
  }
}

/** Every word is unlike all others, so that each can be found again. */
function drawScript(dice: Dice): Script {
  let atMs = dice.step(0, 1_000, 10)
  let word = 0
  return dice.times(dice.scale(1, 12), () => {
    const words = dice.times(dice.int(1, 8), () => `w${++word}`)
    const startMs = atMs
    const endMs = startMs + words.length * dice.step(150, 400, 10)
    atMs = endMs + dice.scale(20, 400) * 10
    return { startMs, endMs, text: words.join(' ') }
  })
}

/** The seed's own fault strikes the first connection: so that each has its turn. */
function drawFaultyConnections(dice: Dice, seed: number, durationMs: number): DrawnFault[][] {
  const own = FAULT_MAKERS[seed % FAULT_MAKERS.length]!
  // A second fault that is fatal would often hide the first.
  const another = (): DrawnFault => {
    const drawn = dice.pick(FAULT_MAKERS)(dice, durationMs)
    return drawn.effect === 'fatal' && dice.chance(0.9) ? another() : drawn
  }
  const first = [own(dice, durationMs), ...dice.times(dice.chance(0.3) ? 1 : 0, another)]
  return [first, ...dice.times(dice.pick([0, 0, 1, 2, 3]), () => [another()])]
}

function drawCut(dice: Dice, durationMs: number): Cut {
  const direction = dice.pick(['up', 'up', 'down'] as const)
  return {
    direction,
    afterBytes: dice.scale(1, direction === 'up' ? durationMs * WIRE_BYTES_PER_MS : ANSWER_BYTES),
    how: dice.pick(['reset', 'close', 'halfOpen'] as const),
  }
}

function drawTeardown(dice: Dice, durationMs: number): Act[] {
  if (dice.chance(0.8)) return []
  return [{ atMs: dice.int(1, durationMs), kind: dice.pick(['destroy', 'abort', 'sourceError'] as const) }]
}

function drawActs(dice: Dice, script: Script, durationMs: number, manual: boolean): Act[] {
  const endTurns = dice.times(manual || dice.chance(0.2) ? dice.int(1, 5) : 0, (): Act => {
    // Behind a word: who ends a turn in the middle of one has no right to that word. Where the service ends turns,
    // behind an utterance: what is left of it might be too short for it to be speech.
    const { startMs, endMs, text } = dice.pick(script)
    const words = text.split(' ').length
    return {
      kind: 'endTurn',
      atMs: startMs + ((endMs - startMs) / words) * (manual ? dice.int(1, words) : words),
    }
  })
  // Right before the end the caller's end of turn would ask for what fault 36 makes of it.
  const early = endTurns.filter(({ atMs }) => atMs < durationMs - 500)
  const configs = dice.times(dice.chance(0.15) ? dice.int(1, 2) : 0, (): Act => ({
    kind: 'updateConfig',
    language: dice.pick(LANGUAGES),
    atMs: dice.int(1, durationMs),
  }))
  return [...early, ...configs]
}
