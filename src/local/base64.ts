const STANDARD_OR_URL_SAFE = /^[A-Za-z0-9+/_-]*={0,2}$/

/**
 * Decodes a `bytes` field as protobuf JSON does: standard or URL-safe alphabet, padded or not. Buffer.from()
 * alone skips whatever it does not know.
 * @returns undefined where the text is not base64
 */
export function decodeBase64(text: string): Buffer | undefined {
  if (!STANDARD_OR_URL_SAFE.test(text)) return undefined
  const padded = text.endsWith('=')
  if (padded ? text.length % 4 !== 0 : text.length % 4 === 1) return undefined
  return Buffer.from(text, 'base64')
}
