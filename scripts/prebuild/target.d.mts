export interface PrebuildTarget {
  platform: NodeJS.Platform
  arch: string
  libc?: 'glibc' | 'musl'
  armv?: string
}

export const PUBLISHED: Partial<PrebuildTarget>[]
export function prebuildTarget(wanted?: Partial<PrebuildTarget>): PrebuildTarget
export function isHost(target: PrebuildTarget): boolean
export function prebuildPath(target: PrebuildTarget, name?: string): string
export function toolchain(target: PrebuildTarget, env?: NodeJS.ProcessEnv): NodeJS.ProcessEnv
