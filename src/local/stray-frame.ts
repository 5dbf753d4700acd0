/** 38: frames that are no message of the service. */
export type StrayFrame = 'notJson' | 'notObject' | 'binary' | 'large'

/** More than a client should be ready to take. */
const LARGE_BYTES = 8 * 1024 * 1024

export function strayFrame(kind: StrayFrame): { data: Buffer; binary: boolean } {
  switch (kind) {
    case 'notJson':
      return { data: Buffer.from('{"result":'), binary: false }
    case 'notObject':
      return { data: Buffer.from('["result"]'), binary: false }
    case 'binary':
      return { data: Buffer.from([0, 1, 2, 255]), binary: true }
    case 'large':
      return {
        data: Buffer.from(JSON.stringify({ result: { filler: 'x'.repeat(LARGE_BYTES) } })),
        binary: false,
      }
  }
}
