/**
 * What a microphone hears, as it is said, until Ctrl-C; what was said by then still comes.
 *
 *   node microphone.mjs [device] [url]
 */
import { microphone, microphones, sttStream } from 'sttstream'

const [device, url = process.env.STT_URL] = process.argv.slice(2)
for (const { id, name, isDefault } of await microphones()) console.log(isDefault ? '*' : ' ', id, name)

const mic = microphone({ device })
mic.on('open', opened => console.log(`listening to ${opened.device}`))
mic.on('warning', ({ message }) => console.error(message))
const stream = sttStream({ url })
// pipe() passes no error on: without a microphone there is nothing to transcribe.
mic.on('error', error => stream.destroy(error))
mic.pipe(stream)
process.once('SIGINT', () => mic.stop())

for await (const event of stream)
  if (event.type === 'transcription' && event.isFinal) console.log(event.transcript)
