import { spawn } from 'node:child_process'

const TAIL_LINES = 30
const KILL_GRACE_MS = 5_000
/** How often a long step says that it is still at work where no terminal can show its output. */
const HEARTBEAT_MS = 20_000

/**
 * Runs one command to its end and returns its last lines. On a terminal its newest line is shown in place,
 * elsewhere a line now and then. Fails with the last lines when it exits with another code than 0, and after
 * `deadlineMs`; it and its children are then gone.
 */
export function run(command, args, { cwd, env = process.env, deadlineMs, label }) {
  return new Promise((resolve, reject) => {
    // A group of its own, so that npm, cmake and ninja end together with what they started.
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const output = watchOutput(child, label)
    const kill = signal => {
      try {
        process.kill(-child.pid, signal)
      } catch {
        // already gone
      }
    }
    let late = false
    const deadline = setTimeout(() => {
      late = true
      kill('SIGTERM')
      setTimeout(kill, KILL_GRACE_MS, 'SIGKILL').unref()
    }, deadlineMs)
    const interrupt = signal => {
      kill('SIGTERM')
      output.stop()
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
    const settle = failure => {
      clearTimeout(deadline)
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      const lines = output.stop()
      if (failure === undefined) resolve(lines)
      else reject(new Error(`${failure}\n${lines.map(line => `  | ${line}`).join('\n')}`))
    }
    const what = `${command} ${args.join(' ')}`
    child.once('error', error => settle(`${what}: ${error.message}`))
    child.once('close', (code, signal) => {
      if (late) settle(`${what} took longer than ${deadlineMs / 60_000} minutes`)
      else settle(code === 0 ? undefined : `${what} ended with ${signal ?? `exit code ${code}`}`)
    })
  })
}

/** Keeps the last lines and shows that something happens. */
function watchOutput(child, label) {
  const started = Date.now()
  const lines = []
  const terminal = process.stdout.isTTY
  const add = newLines => {
    lines.push(...newLines.filter(line => line.trim() !== ''))
    lines.splice(0, lines.length - TAIL_LINES)
    if (terminal) showInPlace(`set-up: ${label}: ${lines.at(-1) ?? ''}`)
  }
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', text => {
      const parts = (rest + text).split(/[\r\n]+/)
      rest = parts.pop()
      add(parts)
    })
    stream.on('end', () => add([rest]))
  }
  const heartbeat = setInterval(() => {
    if (!terminal) console.log(`set-up: ${label}: ${Math.round((Date.now() - started) / 1000)} s so far`)
  }, HEARTBEAT_MS)
  return {
    stop() {
      clearInterval(heartbeat)
      if (terminal) showInPlace('')
      return lines
    },
  }
}

function showInPlace(text) {
  process.stdout.write(`\r\x1b[K${text.slice(0, (process.stdout.columns || 80) - 1)}`)
}
