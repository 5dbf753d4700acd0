/** When a fault strikes: once connected, once configured, at closeStream, or when so much audio has come. */
export type FaultPoint = 'open' | 'config' | 'closeStream' | { afterAudioMs: number }

/** From the start on, or once so much audio has come. */
export type FaultStart = true | { afterAudioMs: number }
