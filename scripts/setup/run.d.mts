export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  deadlineMs: number
  label: string
}

export function run(command: string, args: string[], options: RunOptions): Promise<string[]>
