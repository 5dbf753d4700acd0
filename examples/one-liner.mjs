import { createReadStream } from 'node:fs'
import { sttStream } from 'sttstream'
const [file, url] = process.argv.slice(2)
for await (const event of createReadStream(file).pipe(sttStream({ url })))
  if (event.type === 'transcription' && event.isFinal) console.log(event.transcript)
