export interface SystemTool {
  name: string
  use: string
  isThere: () => boolean
  apt?: string
  dnf?: string
  brew?: string
  hint?: { dnf?: string; brew?: string }
}

export const SYSTEM_TOOLS: SystemTool[]
export const TEST_TOOLS: SystemTool[]
export const CHECK_TOOLS: SystemTool[]
export const PREBUILD_TOOLS: SystemTool[]
export const ARM64_TOOLS: SystemTool[]
export const FUZZ_TOOLS: SystemTool[]
export function missingTools(tools: SystemTool[]): SystemTool[]
export function aptCommand(): string[] | undefined
export function installMissing(tools: SystemTool[]): Promise<void>
export function installWithApt(tools: SystemTool[], apt: string[]): Promise<void>
export function howToInstall(missing: SystemTool[]): string
