/**
 * What one 100 ms message costs its sender: user and system time of the sending process, per message, for 100
 * connections to a server in another process on loopback that get one message each per round. Rounds of the cases
 * alternate; medians. The case to beat is the obvious one: `ws.send(JSON.stringify({… toString('base64')}))`.
 *
 *   node bench/sending-path.mjs [blocks]     default 15; needs `npm run build` and openssl
 *
 * ws masks what a client sends. Where Node has no `http.websocketMask`, it does so in JavaScript unless the
 * package bufferutil is installed: then both ways are measured.
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { encodeBase64, nativeBackend } from '../dist/native.js'
import { encodeAudioChunk } from '../dist/stt/protocol.js'

const CONNECTIONS = 100
const ROUNDS_PER_BLOCK = 50
/** The receiver must have read a round before the next comes: a full socket would be another bench. */
const ROUND_MS = 6

const CASES = {
  'JSON.stringify': (ws, pcm) => ws.send(JSON.stringify({ audioChunk: { content: pcm.toString('base64') } })),
  encodeAudioChunk: (ws, pcm) => ws.send(encodeAudioChunk(pcm, encodeBase64), { binary: false }),
}
const [BASELINE, OURS] = Object.keys(CASES)

const [role = '15', ...rest] = process.argv.slice(2)
if (role === 'receive') await receive(...rest)
else if (role === 'send') await send(...rest)
else await compare(Number(role))

async function compare(blocks) {
  const directory = mkdtempSync(join(tmpdir(), 'sending-path-'))
  const [key, certificate] = ['key.pem', 'certificate.pem'].map(name => join(directory, name))
  const subject = ['-subj', '/CN=localhost', '-days', '2']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-nodes', ...curve, ...subject, '-keyout', key, '-out', certificate],
    {
      stdio: 'ignore',
    },
  )
  console.log(`Node ${process.version}, addon ${nativeBackend()}, 3200 bytes of LINEAR16 per message`)
  console.log(
    `${'masking'.padEnd(12)} ${'url'.padEnd(7)} ${BASELINE.padStart(15)} ${OURS.padStart(17)}  ratio`,
  )
  try {
    for (const masking of maskings()) {
      for (const protocol of ['ws:', 'wss:']) {
        const { [BASELINE]: before, [OURS]: after } = await measure(
          protocol,
          masking,
          blocks,
          key,
          certificate,
        )
        const figures = `${`${before.toFixed(2)} us`.padStart(15)} ${`${after.toFixed(2)} us`.padStart(17)}`
        console.log(`${masking.padEnd(12)} ${protocol.padEnd(7)} ${figures}  ${(before / after).toFixed(2)}`)
      }
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function maskings() {
  const require = createRequire(import.meta.url)
  if (require('node:http').websocketMask) return ['Node']
  try {
    require.resolve('bufferutil')
    return ['JavaScript', 'bufferutil']
  } catch {
    return ['JavaScript']
  }
}

async function measure(protocol, masking, blocks, key, certificate) {
  const receiver = fork(import.meta.filename, ['receive', protocol, key, certificate])
  const [port] = await once(receiver, 'message')
  const env = { ...process.env, ...(masking === 'JavaScript' && { WS_NO_BUFFER_UTIL: '1' }) }
  const sender = fork(import.meta.filename, ['send', `${protocol}//localhost:${port}`, blocks], { env })
  const [medians] = await once(sender, 'message')
  receiver.kill()
  return medians
}

async function receive(protocol, key, certificate) {
  const tls = { key: readFileSync(key), cert: readFileSync(certificate) }
  const server = protocol === 'wss:' ? createHttpsServer(tls) : createHttpServer()
  new WebSocketServer({ server }).on('connection', socket => socket.on('message', () => {}))
  server.listen(0, 'localhost', () => process.send(server.address().port))
  await once(process, 'disconnect')
  process.exit()
}

async function send(url, blocks) {
  const sockets = Array.from({ length: CONNECTIONS }, () => new WebSocket(url, { rejectUnauthorized: false }))
  await Promise.all(sockets.map(socket => once(socket, 'open')))
  const pcm = Buffer.from(Array.from({ length: 3_200 }, (_, i) => (i * 7_919) & 255))
  const costs = Object.fromEntries(Object.keys(CASES).map(name => [name, []]))
  // The first blocks of each warm up.
  for (let block = -2; block < blocks; block++) {
    for (const [name, sendOne] of Object.entries(CASES)) {
      const start = process.cpuUsage()
      for (let round = 0; round < ROUNDS_PER_BLOCK; round++) {
        for (const socket of sockets) sendOne(socket, pcm)
        await sleep(ROUND_MS)
      }
      const { user, system } = process.cpuUsage(start)
      if (block >= 0) costs[name].push((user + system) / (ROUNDS_PER_BLOCK * CONNECTIONS))
    }
  }
  const medians = Object.entries(costs).map(([name, values]) => [name, median(values)])
  process.send(Object.fromEntries(medians), () => process.exit())
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}
