#pragma once

#include "base64/base64.h"
#include "instruction_set.h"

namespace sttstream {

inline constexpr char kBase64Alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

extern const Base64Kernel kBase64Scalar;
#ifdef STTSTREAM_X86_KERNELS
extern const Base64Kernel kBase64Ssse3;
extern const Base64Kernel kBase64Avx2;
extern const Base64Kernel kBase64Avx512;
#endif
#ifdef STTSTREAM_NEON_KERNELS
extern const Base64Kernel kBase64Neon;
#endif

} // namespace sttstream
