import { spawn } from 'node:child_process'
import { ROOT } from '../paths.mjs'

/**
 * Runs a command to its end.
 * @returns {Promise<string>} its standard output
 * @throws Error with the last lines of its output, when it fails or can't run
 */
export function command(name, args, { cwd = ROOT, env = process.env, onLine, timeoutMs = 900_000 } = {}) {
  const child = spawn(name, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
  let output = ''
  let errors = ''
  child.stdout.on('data', bytes => (output += bytes))
  child.stderr.on('data', bytes => {
    errors += bytes
    for (let i = String(bytes).split('\n').length - 1; i > 0; i--) onLine?.()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${name} ended with ${signal ?? code}: ${lastLines(errors || output)}`))
    })
  })
}

function lastLines(text) {
  return text.trim().split('\n').slice(-5).join('\n')
}
