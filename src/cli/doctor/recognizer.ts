import type { Finding } from './finding.js'

/** Opens the recogniser, model and all, since what is there may still not work. */
export async function checkRecognizer(): Promise<Finding[]> {
  try {
    const { pocketsphinxRecognizer } = await import('../../local/recognizers/pocketsphinx.js')
    const recognizer = await pocketsphinxRecognizer({ sessions: 1 })
    await recognizer.close()
    return [{ check: 'recogniser', state: 'ok', detail: `${recognizer.name} runs on this machine` }]
  } catch (error) {
    return [judgeNoRecognizer(error)]
  }
}

/** The message of STT_ERR_RECOGNIZER_UNAVAILABLE is what is wrong, a semicolon, and what to do. */
export function judgeNoRecognizer(error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error)
  const [detail = message, ...remedy] = message.split('; ')
  return {
    check: 'recogniser',
    state: 'warning',
    detail,
    ...(remedy.length > 0 && { remedy: remedy.join('; ') }),
  }
}
