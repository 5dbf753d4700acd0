import type { Finding, Surroundings } from './finding.js'

/** Looks at the shape of the key alone; whether it is accepted is for the service to say. */
export function judgeKey({ apiKey, isService, keySource }: Surroundings, now = Date.now()): Finding {
  if (!apiKey) {
    return {
      check: 'key',
      state: 'warning',
      detail: 'none; the recogniser of this machine is used',
      remedy: 'for the service put its key into the environment variable INWORLD_API_KEY',
    }
  }
  const doubt = isService ? doubtAbout(apiKey.trim().replace(/^(?:basic|bearer)\s+/i, ''), now) : undefined
  if (doubt === undefined) return { check: 'key', state: 'ok', detail: `given by ${keySource}` }
  return {
    check: 'key',
    state: 'warning',
    detail: `given by ${keySource}, and ${doubt}`,
    remedy: 'copy the key of the Inworld Portal as it stands there: it is base64 already',
  }
}

/** What speaks against it; undefined for nothing. Never a part of the key. */
function doubtAbout(key: string, now: number): string | undefined {
  if (/[\s"'`]/.test(key)) return 'it holds spaces or quotes'
  if (key.startsWith('eyJ')) return doubtAboutToken(key, now)
  const inner = base64Text(key)
  if (inner === undefined) return 'it is not base64'
  if (base64Text(inner)?.includes(':')) return 'it is base64 of a key that is base64 already'
  return inner.includes(':') ? undefined : 'it is base64, but not of an id and a secret'
}

/** A JWT (RFC 7519): three parts, the second with its end, `exp`, in s. */
function doubtAboutToken(token: string, now: number): string | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return 'it begins like a token (JWT) and has not its three parts'
  try {
    const { exp } = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' && exp * 1_000 <= now ? 'this token has expired' : undefined
  } catch {
    return 'it begins like a token (JWT) and cannot be read as one'
  }
}

/** Undefined for what is no base64 of plain text. */
function base64Text(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{4,}={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  const decoded = Buffer.from(text, 'base64').toString('latin1')
  return /^[\x20-\x7e]+$/.test(decoded) ? decoded : undefined
}
