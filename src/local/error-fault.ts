import type { FaultPoint } from './fault-point.js'
import type { Status } from './server-message.js'

/** An error frame, followed by a close with 1000. */
export interface ErrorFault extends Status {
  at: FaultPoint
  /** 40: how the error is spelled; 'object' is `{error: {code, message, details}}`. Default 'object'. */
  shape?: 'object' | 'text' | 'flat' | 'result.error' | 'result.status'
  /** 42: the TCP connection is cut right behind the frames, so that the client's next send fails. */
  racingClose?: boolean
}

/** An error in its spelling on the wire. */
export function spellError(status: Status, shape: ErrorFault['shape'] = 'object'): unknown {
  const body = { code: status.code, message: status.message, details: [] }
  switch (shape) {
    case 'object':
      return { error: body }
    case 'text':
      return { error: status.message }
    case 'flat':
      return { code: status.code, message: status.message }
    case 'result.error':
      return { result: { error: body } }
    case 'result.status':
      return { result: { status: body } }
  }
}
