import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'
import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import { Spool } from '../audio/spool.js'
import { checkedConfig, readFileRequest, refusal, tooLong } from './file-request.js'
import { parseJsonObject } from './json-object.js'
import type { StatusError } from './status-error.js'
import type { TranscribeRequest } from './transcribe-request.js'

/** A file that has been handed over, stored until its job has been done. */
export interface FileUpload {
  config: TranscribeRequest
  path: string
  /** Deletes the file. Idempotent. */
  remove: () => Promise<void>
}

export interface UploadLimits {
  maxBodyBytes: number
  maxUploadBytes: number
}

/**
 * Reads what a job is made of (protocol B6): JSON with the audio in base64, or a form with the part
 * `transcribeConfig` and behind it the file.
 * @throws StatusError as the service refuses
 */
export async function readUpload(request: IncomingMessage, limits: UploadLimits): Promise<FileUpload> {
  const spool = new Spool(Infinity, true)
  try {
    const isForm = /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '')
    const config = isForm
      ? await readForm(request, spool, limits.maxUploadBytes)
      : await readJson(request, spool, limits.maxBodyBytes)
    const { path } = await spool.finish()
    return { config, path: path!, remove: () => spool.remove() }
  } catch (error) {
    await spool.remove()
    throw error
  }
}

async function readJson(
  request: IncomingMessage,
  spool: Spool,
  maxBytes: number,
): Promise<TranscribeRequest> {
  const { config, audio } = await readFileRequest(request, maxBytes)
  await spool.write(audio)
  return config
}

/** The form is read to its end even where it is refused: a client hears no answer while it still sends. */
async function readForm(
  request: IncomingMessage,
  spool: Spool,
  maxBytes: number,
): Promise<TranscribeRequest> {
  const form = openForm(request, maxBytes)
  let config: unknown
  let file: BusboyFileStream | undefined
  let stored: Promise<TranscribeRequest> | undefined
  await new Promise<void>((resolve, reject) => {
    const broken = (cause: unknown) => reject(unreadable(cause))
    form.on('field', (name, value) => {
      if (isConfig(name)) config = parseJsonObject(value)
    })
    form.on('file', (_name, part) => {
      file = part.on('error', broken)
      stored = store(part, config, spool, maxBytes)
      // Told when the whole form has been read.
      stored.catch(() => part.resume())
    })
    form.on('finish', resolve).on('error', broken)
    finished(request, { writable: false }, error => {
      if (error) reject(error)
    })
    request.pipe(form)
  }).catch(async (error: unknown) => {
    request.unpipe(form)
    file?.destroy()
    // Nothing may be written to the file once it is removed.
    await stored?.catch(() => {})
    throw error
  })
  if (stored === undefined) throw refusal('audio_data is required')
  return stored
}

function openForm(request: IncomingMessage, maxBytes: number): BusboyInstance {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { fields: 10, files: 1, fileSize: maxBytes },
      // FormData names a Blob a file although it holds the config.
      isPartAFile: name => name !== undefined && !isConfig(name),
    })
  } catch (cause) {
    throw unreadable(cause)
  }
}

function unreadable(cause: unknown): StatusError {
  return refusal(`the form cannot be read: ${cause instanceof Error ? cause.message : 'it is broken'}`)
}

/** The config comes first: it is checked before the file is kept. */
async function store(
  file: BusboyFileStream,
  config: unknown,
  spool: Spool,
  maxBytes: number,
): Promise<TranscribeRequest> {
  const checked = checkedConfig(config)
  let bytes = 0
  for await (const chunk of file.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    await spool.write(chunk as Buffer)
  }
  if (file.truncated) throw tooLong(maxBytes)
  if (bytes === 0) throw refusal('audio data is required')
  return checked
}

function isConfig(name: string): boolean {
  return name === 'transcribeConfig' || name === 'transcribe_config'
}
