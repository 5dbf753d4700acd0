import t, { type Test } from 'tap'
import { Results } from '#dist/stt/results.js'
import { WireSocket } from '#dist/wire/socket.js'
import { violationsOf, type Rule } from './invariants.js'
import { drawPlan, type ChaosPlan } from './plan.js'
import { runPlan } from './run.js'

/**
 * The suite must notice what it is there for: each test plants one bug in the library, for as long as it runs, and
 * expects the rule that it breaks. Runs that are destroyed, or that a fault ends, may end before the bug shows.
 */
const plans: ChaosPlan[] = []
for (let seed = 0; plans.length < 8; seed++) {
  const plan = drawPlan(seed)
  if (plan.mustSucceed && plan.stream.replayMs === undefined && plan.script.length >= 3) plans.push(plan)
}

type Method<Owner, Name extends keyof Owner> = Extract<Owner[Name], (...args: never[]) => unknown>

/** Replaces a method of a prototype until the test is over. */
function plant<Owner extends object, Name extends keyof Owner>(
  test: Test,
  prototype: Owner,
  name: Name,
  make: (original: Method<Owner, Name>) => Owner[Name],
): void {
  const original = prototype[name]
  prototype[name] = make(original as Method<Owner, Name>)
  test.teardown(() => (prototype[name] = original))
}

/** Once in each run, which `begin` starts anew. */
function once() {
  let done = false
  return { begin: () => (done = false), take: (due: boolean) => due && !done && (done = true) }
}

async function rulesBroken(begin: () => unknown): Promise<Set<Rule>[]> {
  const broken: Set<Rule>[] = []
  for (const plan of plans) {
    begin()
    broken.push(new Set(violationsOf(await runPlan(plan)).map(({ rule }) => rule)))
  }
  return broken
}

t.test('without a bug no rule is broken', async t => {
  t.ok((await rulesBroken(() => {})).every(rules => rules.size === 0))
})

t.test('a frame that is dropped is audio left out', async t => {
  const bug = once()
  let frames = 0
  plant(
    t,
    WireSocket.prototype,
    'send',
    send =>
      function (this: WireSocket, text: string | Buffer, taken?: () => void) {
        if (bug.take(Buffer.isBuffer(text) && ++frames === 5)) process.nextTick(taken ?? (() => {}))
        else send.call(this, text, taken)
      },
  )
  const broken = await rulesBroken(() => {
    bug.begin()
    frames = 0
  })
  t.ok(broken.filter(rules => rules.has('no audio is left out')).length >= plans.length / 2)
})

t.test('a frame that is sent twice is audio repeated', async t => {
  const bug = once()
  let frames = 0
  plant(
    t,
    WireSocket.prototype,
    'send',
    send =>
      function (this: WireSocket, text: string | Buffer, taken?: () => void) {
        if (bug.take(Buffer.isBuffer(text) && ++frames === 5)) send.call(this, text)
        send.call(this, text, taken)
      },
  )
  const broken = await rulesBroken(() => {
    bug.begin()
    frames = 0
  })
  t.ok(broken.filter(rules => rules.has('no audio comes twice undeclared')).length >= plans.length / 2)
})

t.test('a final that is lost is a word never heard', async t => {
  const bug = once()
  plant(
    t,
    Results.prototype,
    'accept',
    accept =>
      function (this: Results, ...[message, filter, sentMs]: Parameters<Results['accept']>) {
        const isFinal = message.kind === 'transcription' && message.isFinal && message.transcript !== ''
        if (bug.take(isFinal)) return {}
        return accept.call(this, message, filter, sentMs)
      },
  )
  const broken = await rulesBroken(bug.begin)
  t.ok(broken.filter(rules => rules.has('each word is heard once')).length >= plans.length / 2)
})
