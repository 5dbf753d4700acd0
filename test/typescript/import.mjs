/**
 * What `tap` runs tests in TypeScript with, under the name of the package that it would take for it (ts-node), and with
 * the same import. ts-node loads the compiler twice in each of the hundred processes of a run, half a second each;
 * this keeps what was compiled, and loads the compiler only for what has changed. Types are not checked, there or here:
 * that is `npm run check`.
 */
import { register } from 'node:module'

register(new URL('./hooks.mjs', import.meta.url))
