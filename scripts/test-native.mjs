/**
 * Builds the C++ core and its tests with the address, leak and undefined-behaviour sanitizers and runs them. Ends
 * with one line, `N passed, N failed`.
 */
import { join } from 'node:path'
import { runNativeTests } from './ctest.mjs'

const SANITIZERS = '-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1'

// Said, not left to the platform's default: a stream that is not given back is a failure.
process.env.ASAN_OPTIONS = 'detect_leaks=1'
process.env.UBSAN_OPTIONS = 'print_stacktrace=1'

const root = join(import.meta.dirname, '..')
const { passed, failed } = runNativeTests(root, join(root, 'build-native'), [
  '-DCMAKE_BUILD_TYPE=Debug',
  `-DCMAKE_CXX_FLAGS=${SANITIZERS}`,
])
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
