import { execFile } from 'node:child_process'

/**
 * What a program prints, on stdout and stderr together.
 * @returns undefined where it cannot be run or fails; ended when the signal says so
 */
export function runTool(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise(resolve => {
    execFile(command, args, { signal, killSignal: 'SIGKILL', windowsHide: true }, (error, stdout, stderr) =>
      resolve(error ? undefined : `${stdout}\n${stderr}`),
    )
  })
}
