/**
 * What a stream's first bytes say it is. `mpeg` is an elementary MPEG audio stream (mp3, ADTS AAC), with or
 * without an ID3 tag; `mp4` any ISO base media or QuickTime file; `other` is for ffmpeg to recognise.
 */
export type Container = 'wav' | 'rf64' | 'au' | 'mp4' | 'mpeg' | 'other'

/** One known beginning: `?` stands for any byte, everything else for itself. */
const SIGNATURES: readonly (readonly [pattern: string, container: Container])[] = [
  ['RIFF????WAVE', 'wav'],
  ['RIFX????WAVE', 'wav'],
  ['RF64????WAVE', 'rf64'],
  ['BW64????WAVE', 'rf64'],
  ['.snd', 'au'],
  ['ID3', 'mpeg'],
  // QuickTime writers older than `ftyp` begin with any of these boxes.
  ...['ftyp', 'styp', 'moov', 'moof', 'mdat', 'wide', 'free', 'skip', 'pnot'].map(
    box => [`????${box}`, 'mp4'] as const,
  ),
]

const ANY = '?'.charCodeAt(0)

/**
 * Recognises a container from as few bytes as tell it apart: five for most others, twelve at most.
 * @returns undefined while more bytes are needed
 */
export function sniff(head: Uint8Array): Container | undefined {
  // A frame of MPEG audio begins with eleven set bits.
  if (head[0] === 0xff && head.length > 1 && ((head[1] ?? 0) & 0xe0) === 0xe0) return 'mpeg'
  let undecided = head[0] === 0xff && head.length < 2
  for (const [pattern, container] of SIGNATURES) {
    if (!agrees(head, pattern)) continue
    if (head.length >= pattern.length) return container
    undecided = true
  }
  return undecided ? undefined : 'other'
}

function agrees(head: Uint8Array, pattern: string): boolean {
  const length = Math.min(head.length, pattern.length)
  for (let i = 0; i < length; i++) {
    const wanted = pattern.charCodeAt(i)
    if (wanted !== ANY && wanted !== head[i]) return false
  }
  return true
}
