import type { SttEvent, TranscriptionEvent } from '#dist/index.js'
import { stampedRuns, type SessionRecord, type StampedRun } from '#dist/testing.js'
import { SourceError, type Notice, type Observation } from './run.js'

/** What may not be, and what was seen instead. */
export interface Violation {
  rule: Rule
  detail: string
}

export type Rule =
  | 'audio is the source byte for byte'
  | 'no audio is left out'
  | 'no audio comes twice undeclared'
  | 'a connection begins where its notice says'
  | 'a turn has one final'
  | 'seq has no gaps'
  | 'each word is heard once'
  | 'words stand where they were said'
  | 'the clock never goes back'
  | 'one end or one error, one close, in time'
  | 'every promise settles'
  | 'nothing drawn makes it fail'

type Report = (rule: Rule, detail: string) => void

const BYTES_PER_MS = 32
/** Wire times are whole ms, and a connection may begin within a sample's fraction of one. */
const ROUNDING_MS = 2
/** So much speech may stand in a frame that voice activity took for silence: what makes speech of it, and its lag. */
const ONSET_MS = 110
const DEFAULT_REPLAY_MS = 30_000

/** All that is wrong with a run. */
export function violationsOf(seen: Observation): Violation[] {
  const violations: Violation[] = []
  const report: Report = (rule, detail) => violations.push({ rule, detail })
  checkOutcome(seen, report)
  checkAudio(seen, report)
  const finals = checkTurns(seen.events, report)
  checkClock(finals, seen.plan.durationMs, report)
  checkWords(seen, finals, report)
  return violations
}

function checkOutcome({ plan, errors, closes, ended, timely, promises }: Observation, report: Report): void {
  const rule = 'one end or one error, one close, in time'
  const torn = plan.acts.some(({ kind }) => kind === 'destroy')
  if (!timely) report(rule, 'it did not close')
  if (closes !== 1) report(rule, `${closes} closes`)
  if (errors.length > 1) report(rule, `${errors.length} errors: ${errors.map(String).join(', ')}`)
  if (ended && errors.length > 0) report(rule, `an end, and ${String(errors[0])}`)
  if (timely && !ended && errors.length === 0 && !torn) report(rule, 'neither an end nor an error')
  for (const error of errors) {
    const expected =
      error.code?.startsWith('STT_ERR_') || error.name === 'AbortError' || error instanceof SourceError
    if (!expected) report(rule, `an error of no documented kind: ${error.stack}`)
  }
  if (promises.settled !== promises.made)
    report('every promise settles', `${promises.settled} of ${promises.made}`)
  if (plan.mustSucceed && !ended) report('nothing drawn makes it fail', String(errors[0]))
}

/** What a connection brought of the source, and the first and last byte of it. */
interface Heard {
  runs: StampedRun[]
  from: number
  to: number
}

function checkAudio(seen: Observation, report: Report): void {
  const heard = seen.records
    .map(record => hear(record, seen.source, report))
    .filter(each => each.runs.length > 0)
  const notices = seen.notices.filter(isHandover)
  const begins = new Set([0, ...notices.map(({ fromMs }) => Math.round(fromMs * BYTES_PER_MS))])
  let reached = 0
  let repeated = 0
  for (const { from, to } of heard.sort((a, b) => a.from - b.from)) {
    if (!begins.has(from))
      report(
        'a connection begins where its notice says',
        `${ms(from)}; told were ${[...begins].map(ms).join(', ')}`,
      )
    if (from > reached) checkHole(seen, reached, from, report)
    repeated += Math.max(0, Math.min(reached, to) - from)
    reached = Math.max(reached, to)
  }
  const declared = notices.reduce((sum, { replayedMs = 0, overlapMs = 0 }) => sum + replayedMs + overlapMs, 0)
  if (repeated > declared * BYTES_PER_MS + 1)
    report('no audio comes twice undeclared', `${ms(repeated)} again; declared were ${declared} ms`)
  if (seen.ended && reached < seen.source.length && !mayMissTail(seen))
    checkHole(seen, reached, seen.source.length, report)
}

/** Within one connection the source comes in one piece, with nothing but zeros between. */
function hear(record: SessionRecord, source: Buffer, report: Report): Heard {
  const audio = record.audio()
  const runs = stampedRuns(audio)
  let at = 0
  let from = runs[0]?.sourceAt ?? 0
  let reached = from
  for (const run of runs) {
    if (audio.subarray(at, run.at).some(byte => byte !== 0))
      report('audio is the source byte for byte', `connection ${record.index}: foreign audio at ${ms(at)}`)
    const original = source.subarray(run.sourceAt, run.sourceAt + run.length)
    if (!audio.subarray(run.at, run.at + run.length).equals(original))
      report(
        'audio is the source byte for byte',
        `connection ${record.index}: changed from ${ms(run.sourceAt)} on`,
      )
    if (run.sourceAt > reached)
      report('no audio is left out', `connection ${record.index}: ${ms(reached)} to ${ms(run.sourceAt)}`)
    if (run.sourceAt < reached)
      report(
        'no audio comes twice undeclared',
        `connection ${record.index}: ${ms(run.sourceAt)} to ${ms(reached)}`,
      )
    at = run.at + run.length
    reached = run.sourceAt + run.length
    from = Math.min(from, run.sourceAt)
  }
  return { runs, from, to: reached }
}

/** Nobody got this part of the source: allowed where it is silent and the stream says why, or declared as lost. */
function checkHole(seen: Observation, from: number, to: number, report: Report): void {
  const [fromMs, toMs] = [from / BYTES_PER_MS, to / BYTES_PER_MS]
  const spokenMs = seen.plan.script.reduce(
    (sum, { startMs, endMs }) => sum + overlapOf(startMs, endMs, fromMs, toMs),
    0,
  )
  const isTold =
    seen.notices.some(({ name, code }) => name === 'hibernating' || code === 'STT_WARN_CLOSED_LATE') ||
    seen.notices.filter(isHandover).some(handover => handover.fromMs >= toMs)
  if (!isTold || spokenMs > lostMsOf(seen)) report('no audio is left out', `${fromMs} to ${toMs} ms`)
}

function checkTurns(events: SttEvent[], report: Report): TranscriptionEvent[] {
  const transcriptions = events.filter(event => event.type === 'transcription')
  let turn = 1
  for (const [index, { turnId, seq, isFinal }] of transcriptions.entries()) {
    if (seq !== index + 1) report('seq has no gaps', `${seq} in place ${index + 1}`)
    if (turnId !== turn) report('a turn has one final', `turn ${turnId} where ${turn} was due`)
    if (isFinal) turn = turnId + 1
  }
  return transcriptions.filter(({ isFinal }) => isFinal)
}

function checkClock(finals: TranscriptionEvent[], durationMs: number, report: Report): void {
  let lastMs = 0
  for (const { startMs, endMs, overlapMs, turnId } of finals) {
    if (startMs === undefined || endMs === undefined) continue
    const where = `turn ${turnId}: ${startMs} to ${endMs} after ${lastMs}`
    if (startMs + ROUNDING_MS < lastMs - (overlapMs ?? 0)) report('the clock never goes back', where)
    if (endMs + ROUNDING_MS < Math.max(startMs, lastMs) || endMs > durationMs + ROUNDING_MS)
      report('the clock never goes back', where)
    lastMs = Math.max(lastMs, endMs)
  }
}

interface PlacedWord {
  word: string
  startMs: number
  endMs: number
}

/** Each word has a name of its own, so it is known which of the script's it is. */
function checkWords(seen: Observation, finals: TranscriptionEvent[], report: Report): void {
  const scripted = new Map(wordsOf(seen.plan.script).map(word => [word.word, word]))
  const heard = new Map<string, number>()
  const rewritten = seen.plan.faults.some(({ rewrites }) => rewrites)
  let deliveredMs = -1
  for (const final of finals) {
    const placed = final.wordTimestamps ?? []
    for (const { word, startMs, endMs } of placed) {
      const said = scripted.get(word)
      // Its first 20 ms may be lost and the word is heard nevertheless.
      const earlyMs = lostMsOf(seen) > 0 ? 20 : 0
      const isThere =
        said && startMs - said.startMs <= earlyMs + ROUNDING_MS && said.startMs - startMs <= ROUNDING_MS
      if (!isThere || Math.abs(said.endMs - endMs) > ROUNDING_MS)
        report(
          'words stand where they were said',
          `${word} at ${startMs} to ${endMs}; said at ${said?.startMs} to ${said?.endMs}`,
        )
      // What lies before the end of an earlier final is declared to overlap with it.
      const overlaps = final.overlapMs !== undefined && (startMs + endMs) / 2 <= deliveredMs
      if (!overlaps) heard.set(word, (heard.get(word) ?? 0) + 1)
    }
    const names = final.transcript
      .toLowerCase()
      .split(' ')
      .filter(name => name !== '')
    if (placed.length === 0) for (const name of names) heard.set(name, (heard.get(name) ?? 0) + 1)
    else if (!rewritten && names.join(' ') !== placed.map(({ word }) => word).join(' '))
      report(
        'each word is heard once',
        `'${final.transcript}' has the words ${placed.map(({ word }) => word).join(' ')}`,
      )
    deliveredMs = Math.max(deliveredMs, final.endMs ?? -1)
  }
  checkMissing(
    seen,
    [...scripted.values()].filter(({ word }) => !heard.has(word)),
    [...heard.keys()].map(word => scripted.get(word)?.endMs ?? 0),
    report,
  )
  for (const [word, times] of heard)
    if (times > 1) report('each word is heard once', `${word} ${times} times`)
}

/** A word may be missing where it is declared lost, or behind the last one of a stream that was cut short. */
function checkMissing(seen: Observation, missing: PlacedWord[], heardEndsMs: number[], report: Report): void {
  const lastHeardMs = Math.max(-1, ...heardEndsMs)
  const lossEndMs = Math.max(0, ...seen.notices.filter(isHandover).map(({ fromMs }) => fromMs))
  const givenUpMs = hasGivenUp(seen) ? Math.max(-1, ...seen.notices.map(asleepMs)) : -1
  // A turn that the stream had to split in the middle of a word is told of, and the word is torn.
  let torn = seen.notices.filter(({ code }) => code === 'STT_WARN_TURN_SPLIT').length
  let unexplainedMs = 0
  const unexplained: PlacedWord[] = []
  for (const said of missing) {
    const isBehind = said.startMs + ROUNDING_MS > lastHeardMs
    if (said.startMs < givenUpMs) continue
    if (isBehind && (!seen.ended || mayMissTail(seen))) continue
    if (torn-- > 0) continue
    unexplained.push(said)
    // Of a word that was torn, the part before the gap is what was lost.
    unexplainedMs += said.startMs < lossEndMs ? overlapOf(said.startMs, said.endMs, 0, lossEndMs) : Infinity
  }
  if (unexplainedMs <= lostMsOf(seen)) return
  const named = unexplained.map(({ word, startMs, endMs }) => `${word} (${startMs} to ${endMs})`).join(', ')
  report('each word is heard once', `never: ${named}; ${lostMsOf(seen)} ms are declared lost`)
}

/** Where the stream was told to end in peace before all was said, or had to give up waiting. */
function mayMissTail(seen: Observation): boolean {
  return seen.plan.faults.some(({ effect }) => effect === 'cut') || hasGivenUp(seen)
}

/** A service that stays silent at the end, or before a hibernation, is not awaited for ever; the stream says so. */
function hasGivenUp({ notices }: Observation): boolean {
  return notices.some(({ code }) => code === 'STT_WARN_FINISH_TIMEOUT')
}

function asleepMs({ name, atMs }: Notice): number {
  return name === 'hibernating' ? Number(atMs) : -1
}

/** Declared losses, in ms; where a full ring has dropped silence, with the onset of speech that may be in it. */
function lostMsOf({ plan, notices }: Observation): number {
  const { replayMs = DEFAULT_REPLAY_MS } = plan.stream
  const onsetMs = plan.durationMs > replayMs ? ONSET_MS : 0
  return notices.filter(isHandover).reduce((sum, { lostMs = 0 }) => sum + lostMs + onsetMs, 0)
}

function overlapOf(aFromMs: number, aToMs: number, bFromMs: number, bToMs: number): number {
  return Math.max(0, Math.min(aToMs, bToMs) - Math.max(aFromMs, bFromMs))
}

interface Handover extends Notice {
  fromMs: number
  replayedMs?: number
  overlapMs?: number
  lostMs?: number
}

function isHandover(notice: Notice): notice is Handover {
  return notice.name === 'reconnected' || notice.name === 'rotated'
}

function wordsOf(script: Observation['plan']['script']): PlacedWord[] {
  return script.flatMap(({ text, startMs, endMs }) => {
    const names = text.split(' ')
    const share = (endMs - startMs) / names.length
    return names.map((word, index) => ({
      word,
      startMs: startMs + index * share,
      endMs: startMs + (index + 1) * share,
    }))
  })
}

function ms(bytes: number): string {
  return `${bytes / BYTES_PER_MS} ms`
}
