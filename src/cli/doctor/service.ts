import { lookup } from 'node:dns/promises'
import { WireSocket, type SocketEnd } from '../../wire/socket.js'
import { resolveCredentials } from '../../wire/auth.js'
import type { Finding, Surroundings } from './finding.js'

/** From the first packet to the answer. */
const HANDSHAKE_TIMEOUT_MS = 5_000

/** How the upgrade was answered. */
export type Answer = { kind: 'opened' } | { kind: 'unresolved'; code: string } | SocketEnd

/** Asks for the STT channel as a stream would, and leaves at once: no config is sent, and no audio. */
export async function checkService(surroundings: Surroundings): Promise<Finding[]> {
  const started = performance.now()
  const answer = await ask(surroundings)
  return [judgeService(surroundings, answer, performance.now() - started)]
}

async function ask({ url, apiKey }: Surroundings): Promise<Answer> {
  try {
    await lookup(new URL(url).hostname.replace(/^\[|\]$/g, ''))
  } catch (error) {
    return { kind: 'unresolved', code: codeOf(error) }
  }
  try {
    const credentials = await resolveCredentials({ ...(apiKey !== undefined && { apiKey }) })
    return await new Promise<Answer>(resolve => {
      const socket = new WireSocket(
        {
          url,
          credentials,
          handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
          pingIntervalMs: false,
          pongTimeoutMs: HANDSHAKE_TIMEOUT_MS,
          highWaterMarkBytes: 0,
          maxMessageBytes: 65_536,
          closeTimeoutMs: 1_000,
        },
        {
          onOpen() {
            resolve({ kind: 'opened' })
            socket.close()
          },
          onMessage() {},
          onSend() {},
          onEnd: resolve,
        },
      )
    })
  } catch (cause) {
    // A key with characters that no header may hold.
    return { kind: 'failed', cause: cause as Error }
  }
}

export function judgeService({ url, apiKey }: Surroundings, answer: Answer, tookMs: number): Finding {
  const host = new URL(url).host
  const at = `${host}, ${Math.round(tookMs)} ms`
  const found = (state: Finding['state'], detail: string, remedy?: string): Finding => ({
    check: 'service',
    state,
    detail,
    ...(remedy !== undefined && { remedy }),
  })
  switch (answer.kind) {
    case 'opened':
      return found('ok', `${at}: ${apiKey ? 'the key was accepted' : 'it takes connections'}`)
    case 'refused':
      return judgeRefusal(answer.status, apiKey !== undefined, at, found)
    case 'unresolved':
      return found(
        'missing',
        `${host}: no address is known (${answer.code})`,
        'check the address and the DNS',
      )
    case 'handshake-timeout':
      return found('missing', `${host}: no answer within ${HANDSHAKE_TIMEOUT_MS} ms`, NETWORK)
    case 'failed': {
      const code = codeOf(answer.cause)
      const isTls = /CERT|SSL|TLS|SELF_SIGNED|ISSUER|SIGNATURE/.test(code)
      return found('missing', `${host}: no connection (${code})`, isTls ? TLS : NETWORK)
    }
    default:
      return found('missing', `${at}: the connection was closed at once`, ADDRESS)
  }
}

const NETWORK = 'check the address, the network and the firewall; a proxy needs the option agent'
const TLS =
  'check the clock, and whose certificate this is; NODE_EXTRA_CA_CERTS names those of your own network'
const ADDRESS = 'check that the address is the STT channel'

function judgeRefusal(
  status: number,
  hasKey: boolean,
  at: string,
  found: (state: Finding['state'], detail: string, remedy?: string) => Finding,
): Finding {
  const refused = status === 401 || status === 403
  if (refused && !hasKey) return found('ok', `${at}: it asks for a key, as it should`)
  if (refused) return found('missing', `${at}: the key was refused (HTTP ${status})`, 'check the key')
  if (status === 402)
    return found('missing', `${at}: the account does not cover this (HTTP 402)`, 'see the account')
  if (status === 429) return found('warning', `${at}: too much at once (HTTP 429)`, 'wait, and ask again')
  if (status >= 500)
    return found('warning', `${at}: the service fails (HTTP ${status})`, 'wait, and ask again')
  return found('missing', `${at}: HTTP ${status}`, ADDRESS)
}

/** The system's code, never a message: it could hold what was sent. */
function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'no code'
}
