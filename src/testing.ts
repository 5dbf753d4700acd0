export { scriptedRecognizer, type ScriptedRecognizerOptions } from './local/recognizers/scripted.js'
export type { Script, ScriptedUtterance, ScriptedWord } from './local/recognizers/script.js'
export { stampedAudio, stampedRuns, type StampedRun } from './local/stamped-audio.js'
export { pocketsphinxRecognizer, type PocketsphinxOptions } from './local/recognizers/pocketsphinx.js'
export { startLocalServer, type LocalServer } from './local/server.js'
export type { LocalServerOptions, ServerLimits } from './local/server-options.js'
export type { EndFault } from './local/end-fault.js'
export type { ErrorFault } from './local/error-fault.js'
export type { FaultPoint, FaultStart } from './local/fault-point.js'
export type { CloseFault, FaultPlan, Faults, ResultFaults, UpgradeFault, UsageFault } from './local/faults.js'
export type { LatencyFault } from './local/latency.js'
export type { LinkFault, LinkPoint } from './local/link-fault.js'
export type { StrayFrame } from './local/stray-frame.js'
export type { Authorization } from './local/auth.js'
export type { Status } from './local/server-message.js'
export type { SessionMessage, SessionRecord } from './local/session-record.js'
export type { StartTimer } from './local/timer.js'
export type {
  RecognizedUtterance,
  RecognizedWord,
  Recognizer,
  RecognizerSession,
  RecognizerSessionOptions,
  VoiceActivity,
  VoiceProfile,
} from './local/recognizer.js'
