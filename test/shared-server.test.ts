import { mock } from 'node:test'
import t, { type Test } from 'tap'

type Shared = typeof import('#dist/local/shared-server.js')

/** The module afresh, with servers that are only counted; `fail` lets a start fail when its turn comes. */
async function shared(t: Test) {
  const log: string[] = []
  const starts: { resolve(): void; reject(error: Error): void }[] = []
  let number = 0
  const startLocalServer = () => {
    const name = `server ${++number}`
    log.push(`start ${name}`)
    return new Promise((resolve, reject) => {
      const server = { url: name, unref: () => {}, close: () => void log.push(`close ${name}`) }
      starts.push({ resolve: () => resolve(server), reject })
    })
  }
  const { acquireLocalServer } = await t.mockImport<Shared>('../dist/local/shared-server.js', {
    '../dist/local/server.js': { startLocalServer },
  })
  const started = async (count: number) => {
    while (starts.length < count) await new Promise(setImmediate)
    return starts[count - 1]!
  }
  return { acquireLocalServer, log, started }
}

t.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
t.afterEach(() => mock.timers.reset())

t.test('starts one server for all streams and closes it a little after the last', async t => {
  const { acquireLocalServer, log, started } = await shared(t)
  const both = Promise.all([acquireLocalServer(), acquireLocalServer()])
  ;(await started(1)).resolve()
  const [first, second] = await both
  first.release()
  first.release()
  mock.timers.tick(10_000)
  t.strictSame(log, ['start server 1'], 'the second still has it, a release counts once')
  second.release()
  mock.timers.tick(1_000)
  const third = await acquireLocalServer()
  mock.timers.tick(10_000)
  t.strictSame(log, ['start server 1'], 'taken up again while it lingers')
  third.release()
  mock.timers.tick(2_000)
  await new Promise(setImmediate)
  t.strictSame(log, ['start server 1', 'close server 1'])
})

t.test('forgets a start that failed, so that the next stream tries again', async t => {
  const { acquireLocalServer, log, started } = await shared(t)
  const [early, late] = [acquireLocalServer(), acquireLocalServer()]
  const again = early.catch(() => acquireLocalServer())
  ;(await started(1)).reject(new Error('no model'))
  await t.rejects(late, { message: 'no model' })
  ;(await started(2)).resolve()
  const retried = await again
  const sharing = await acquireLocalServer()
  t.equal(sharing.url, retried.url)
  t.strictSame(log, ['start server 1', 'start server 2'])
})
