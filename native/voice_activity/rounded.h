#pragma once

// GCC fuses a product and a sum into one instruction, rounded once, where the processor can: then processors
// would disagree. What passes through here stays a product of its own; it costs no instruction.

namespace sttstream {

inline float rounded(float product) noexcept {
#if defined(__GNUC__) && defined(__aarch64__)
  asm("" : "+w"(product));
#elif defined(__GNUC__) && defined(__FMA__)
  asm("" : "+x"(product));
#endif
  return product;
}

} // namespace sttstream
