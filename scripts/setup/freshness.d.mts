export function nodeModulesReason(root: string): string | undefined
export function addonReason(root: string): string | undefined
export function distReason(root: string): string | undefined
export function removeStrayOutputs(root: string): void
