/** How a WebSocket upgrade proves who asks (protocol A2, B2). */
export interface CredentialOptions {
  /**
   * The portal key or a token, sent verbatim (the portal key is base64 already), or a function that is asked
   * before each connection. Never part of a message, event or error.
   */
  apiKey?: string | (() => string | Promise<string>)
  /** 'auto' (default): Bearer for a JWT (it begins with 'eyJ'), Basic otherwise. */
  authScheme?: 'auto' | 'basic' | 'bearer'
  /**
   * 'header' (default): `Authorization`. 'query': `?authorization=`, for hops that drop headers.
   * 'subprotocol': `bearer_<token>`, for one-time tokens.
   */
  authIn?: 'header' | 'query' | 'subprotocol'
}

/** What an upgrade request carries for its credentials. */
export interface UpgradeCredentials {
  headers: Record<string, string>
  query: Record<string, string>
  protocols: string[]
  /** What must be struck out of anything shown. Empty without a key. */
  secret: string
  /** When a JWT ends (its `exp`, RFC 7519 §4.1.4), ms since the epoch. */
  expiresAtMs?: number
}

export async function resolveCredentials(options: CredentialOptions): Promise<UpgradeCredentials> {
  const { apiKey, authScheme = 'auto', authIn = 'header' } = options
  const given = typeof apiKey === 'function' ? await apiKey() : apiKey
  const nothing = { headers: {}, query: {}, protocols: [], secret: '' }
  if (!given) return nothing
  const [, prefix, secret = ''] = /^(?:(basic|bearer)\s+)?(.*)$/is.exec(given.trim()) ?? []
  const none = { ...nothing, ...expiryOf(secret) }
  if (authIn === 'subprotocol') return { ...none, protocols: [`bearer_${secret}`], secret }
  const scheme =
    authScheme === 'auto'
      ? (prefix?.toLowerCase() ?? (secret.startsWith('eyJ') ? 'bearer' : 'basic'))
      : authScheme
  const value = `${scheme === 'bearer' ? 'Bearer' : 'Basic'} ${secret}`
  return authIn === 'query'
    ? { ...none, query: { authorization: value }, secret }
    : { ...none, headers: { Authorization: value }, secret }
}

function expiryOf(token: string): { expiresAtMs?: number } {
  const [, payload] = token.split('.')
  if (!payload) return {}
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' && Number.isFinite(exp) ? { expiresAtMs: exp * 1_000 } : {}
  } catch {
    return {}
  }
}
