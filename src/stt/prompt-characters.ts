/**
 * What biasing terms may hold (protocol B4): letters, digits, spaces and basic punctuation; `#`, `/`, `@`, `|` and
 * control characters are refused by name. Which punctuation is basic is not said, so all of Unicode's passes, and
 * `+`, which names such as C++ need. The joiners (U+200C, U+200D) belong to the spelling of Persian and Hindi.
 */
const REFUSED = /[^\p{L}\p{M}\p{N}\p{Zs}\p{P}+\u200c\u200d]|[#/@]/u

/** The first character of a biasing term that the service refuses. */
export function refusedPromptCharacter(prompt: string): string | undefined {
  return REFUSED.exec(prompt)?.[0]
}
