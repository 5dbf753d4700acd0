import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { scriptedRecognizer, startLocalServer, type Recognizer } from '#dist/testing.js'
import { encodeBase64 } from '#dist/native.js'
import { encodeAudioChunk } from '#dist/stt/protocol.js'

/** A recogniser that decodes nothing until it is let go. */
function slowRecognizer() {
  const inner = scriptedRecognizer([{ startMs: 0, endMs: 900, text: 'slow but sure' }])
  let letGo = () => {}
  const gate = new Promise<void>(resolve => (letGo = resolve))
  const recognizer: Recognizer = {
    ...inner,
    async open(options) {
      const session = await inner.open(options)
      const push = session.push.bind(session)
      session.push = async pcm => {
        await gate
        return push(pcm)
      }
      return session
    },
  }
  return { recognizer, letGo: () => letGo() }
}

t.test('stops reading above its backlog, shows that it lives, and catches up', async t => {
  const { recognizer, letGo } = slowRecognizer()
  const server = await startLocalServer({
    recognizer,
    limits: { backlogMs: 500 },
    // Its beats come without waiting; every other timer keeps its time.
    startTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs === 2_000 ? 1 : delayMs)
      return () => clearTimeout(timer)
    },
  })
  t.teardown(() => server.close())
  const client = new WebSocket(server.url)
  await once(client, 'open')
  const transcribeConfig = { modelId: 'inworld/inworld-stt-1', audioEncoding: 'LINEAR16' }
  client.send(JSON.stringify({ transcribeConfig }))
  const chunk = encodeAudioChunk(Buffer.alloc(3_200), encodeBase64)
  for (let i = 0; i < 10; i++) client.send(chunk, { binary: false })
  for (let beats = 0; beats < 3; beats++) await once(client, 'ping')
  t.ok((server.sessions[0]?.audioMs ?? 0) >= 500)
  client.send('{"closeStream":{}}')
  letGo()
  const messages: string[] = []
  client.on('message', data => messages.push((data as Buffer).toString()))
  const [code] = (await once(client, 'close')) as [number]
  t.equal(code, 1000)
  t.match(messages.join('\n'), /slow but sure/)
  t.equal(server.sessions[0]?.audioMs, 1_000)
})
