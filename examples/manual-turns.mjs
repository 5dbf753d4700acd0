/**
 * Push to talk: the program says when a turn is over, not the service. Each file is one press of the button.
 *
 *   node examples/manual-turns.mjs [FILE…]     raw LINEAR16 files, 16 kHz mono
 */
import { readFile } from 'node:fs/promises'
import { sttStream } from 'sttstream'

const RECORDINGS = '/usr/share/pocketsphinx/test/data'
const given = process.argv.slice(2)
const files = given.length > 0 ? given : [`${RECORDINGS}/goforward.raw`, `${RECORDINGS}/numbers.raw`]

const stream = sttStream({
  url: process.env.STT_URL ?? 'local',
  input: { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 },
  // 0 hands the turns to the client.
  inworldSttV1Config: { vadThreshold: 0 },
})
// A stream that nobody reads does not end; here endTurn() tells all there is to know.
stream.resume()

for (const file of files) {
  stream.write(await readFile(file))
  const final = await stream.endTurn()
  console.log(final ? `turn ${final.turnId}: ${final.transcript}` : 'nothing was said')
}
stream.end()
