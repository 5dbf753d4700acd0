#include "kernels.h"

namespace sttstream {

const Kernels &kernels() noexcept { return kScalarKernels; }

} // namespace sttstream
