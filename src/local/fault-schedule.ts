import type { ErrorFault } from './error-fault.js'
import type { FaultPoint, FaultStart } from './fault-point.js'
import type { CloseFault, Faults } from './faults.js'
import type { StrayFrame } from './stray-frame.js'

/** What the faults of a connection do to it. */
export interface FaultTarget {
  sendStray(frame: StrayFrame): void
  fail(error: ErrorFault): void
  close(code: number): void
  /** Ends the stream as `closeStream` does. */
  finish(): void
  stopReading(): void
  mute(): void
}

/** Lets each fault strike when its point is reached. */
export class FaultSchedule {
  readonly #faults: Faults
  readonly #target: FaultTarget
  #strayed = false

  constructor(faults: Faults, target: FaultTarget) {
    this.#faults = faults
    this.#target = target
  }

  reach(point: FaultPoint & string): void {
    const { stopReading, wedged } = this.#faults
    if (point === 'open' && stopReading === true) this.#target.stopReading()
    if (point === 'open' && wedged === true) this.#target.mute()
    this.#strike(at => at === point)
  }

  /** @param audioMs all audio so far */
  reachAudio(audioMs: number): void {
    const { stopReading, wedged } = this.#faults
    const isDue = (at: FaultPoint | FaultStart | undefined) =>
      typeof at === 'object' && audioMs >= at.afterAudioMs
    if (isDue(wedged)) this.#target.mute()
    this.#strike(isDue)
    if (isDue(stopReading)) this.#target.stopReading()
  }

  #strike(isDue: (at: FaultPoint) => boolean): void {
    const { stray, error, close } = this.#faults
    if (stray && !this.#strayed && isDue(stray.at)) {
      this.#strayed = true
      this.#target.sendStray(stray.frame)
    }
    if (error && isDue(error.at)) this.#target.fail(error)
    if (close && isDue(close.at)) this.#close(close)
  }

  #close({ code, at, afterFinals }: CloseFault): void {
    if (!afterFinals) this.#target.close(code)
    else if (at !== 'closeStream') this.#target.finish()
  }
}
