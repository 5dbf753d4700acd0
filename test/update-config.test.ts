import { once } from 'node:events'
import t from 'tap'
import { sttStream } from '#dist/index.js'
import { rawServer } from './fixtures/raw-server.js'

const input = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const

t.test('applies changes one after the other, and takes back only what is refused', async t => {
  const configs: Record<string, unknown>[] = []
  const server = await rawServer(async peer => {
    const config = await peer.next('transcribeConfig')
    configs.push(config)
    if (config.language === 'xx') {
      peer.send({ error: { code: 3, message: 'no such language' } })
      peer.ws.close(1000)
      return
    }
    await peer.next('closeStream')
    peer.usage()
    peer.ws.close(1000)
  })
  t.teardown(() => server.close())
  const stream = sttStream({ url: server.url, input, keepAlive: false })
  stream.resume()
  stream.write(Buffer.alloc(32_000))
  const changes = [
    stream.updateConfig({ prompts: ['Inworld'] }),
    stream.updateConfig({ language: 'xx' }),
    stream.updateConfig({ endOfTurnConfidenceThreshold: 0.6 }),
  ]
  const outcomes = await Promise.allSettled(changes)
  t.strictSame(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.match(configs.at(-1), { prompts: ['Inworld'], endOfTurnConfidenceThreshold: 0.6, language: undefined })
  t.throws(() => stream.updateConfig({ endOfTurnConfidenceThreshold: 2 }), RangeError)
  stream.end()
  await once(stream, 'close')
  t.throws(() => stream.updateConfig({ language: 'de' }), TypeError)
})

t.test('a change that waits for another fails with it when the stream is destroyed', async t => {
  const server = await rawServer(() => {})
  t.teardown(() => server.close())
  const stream = sttStream({ url: server.url, input, keepAlive: false })
  stream.write(Buffer.alloc(32_000))
  await once(stream, 'open')
  const changes = ['de', 'fr'].map(language => stream.updateConfig({ language }))
  stream.destroy()
  for (const change of changes) await t.rejects(change, { code: 'STT_ERR_CLOSED' })
})
