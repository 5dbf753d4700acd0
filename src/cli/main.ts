#!/usr/bin/env node
import { runProgram } from './program.js'

// A failed write is known to its writer; unheard, the event would end the process.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

// Not process.exit(): what stands in the pipes is still to be written.
process.exitCode = await runProgram(process.argv.slice(2))
