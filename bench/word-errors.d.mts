export function wordsOf(text: string): string[]
export function countErrors(spoken: readonly string[], heard: readonly string[]): number
export function readTranscripts(folder: string): { path: string; file: string; spoken: string[] }[]
