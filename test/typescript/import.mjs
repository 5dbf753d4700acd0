/**
 * What `tap` runs tests in TypeScript with, under the name of the package that it would take for it (ts-node), and with
 * the same import. ts-node loads the compiler twice in each of the hundred processes of a run, half a second each;
 * this keeps what was compiled, and loads the compiler only for what has changed. Types are not checked, there or here:
 * that is `npm run check`.
 */
import { register } from 'node:module'
import processOnSpawn from 'process-on-spawn'

register(new URL('./hooks.mjs', import.meta.url))

/*
 * tap watches every process that a test starts, and each that those start, for the sake of coverage: 0.2 s of the
 * processor for each of hundreds. It has begun to by now; where no coverage is measured that is taken back.
 */
if (process.env._TAPJS_PROCESSINFO_COVERAGE_ !== '1') {
  processOnSpawn.removeAllListeners()
  delete process.env.NODE_OPTIONS
}
