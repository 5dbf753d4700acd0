/**
 * Many streams under shared limits, and a shutdown that loses no word: a TCP server that transcribes whatever audio
 * it is sent. On SIGTERM it takes no more calls, lets those that are under way say their last, and exits.
 *
 *   node examples/fleet.mjs 7000
 *   nc localhost 7000 < talk.mp3
 */
import { createServer } from 'node:net'
import { Fleet, sttStream } from 'sttstream'

const [port = '7000'] = process.argv.slice(2)
const url = process.env.STT_URL ?? 'local'
const fleet = new Fleet({ maxSessions: 20, maxHandshakesPerSecond: 10 })
fleet.on('circuit', ({ state, cause }) => console.error(`circuit ${state}`, cause?.message ?? ''))

const server = createServer({ allowHalfOpen: true }, call => {
  const stream = call.pipe(sttStream({ url, fleet }))
  stream.on('data', event => {
    if (event.type === 'transcription' && event.isFinal) call.write(`${event.transcript}\n`)
  })
  stream.on('error', error => console.error(`${error.code}: ${error.message}`))
  stream.on('close', () => call.end())
  call.on('error', () => stream.destroy())
})
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`))

process.once('SIGTERM', async () => {
  server.close()
  console.log(await fleet.drain({ deadlineMs: 10_000 }))
})
