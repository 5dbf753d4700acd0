import { ALAW, MULAW } from './g711.js'
import { bytesPerSample, type PcmEncoding } from './pcm-format.js'

/**
 * Fills `output` with samples of `view`, full scale 1: the one with index `first`, and then every `step`th. NaN and
 * infinities stay as they are.
 */
export function readFloats(
  view: DataView,
  encoding: PcmEncoding,
  output: Float32Array,
  first = 0,
  step = 1,
): void {
  const isLittle = encoding.endsWith('le')
  const size = bytesPerSample(encoding)
  const stride = step * size
  let at = first * size
  switch (encoding) {
    case 'u8':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = (view.getUint8(at) - 128) / 128
      }
      return
    case 's8':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = view.getInt8(at) / 128
      }
      return
    case 's16le':
    case 's16be':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = view.getInt16(at, isLittle) / 2 ** 15
      }
      return
    case 's24le':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23
      }
      return
    case 's24be':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = (view.getInt8(at) * 2 ** 16 + view.getUint16(at + 1, false)) / 2 ** 23
      }
      return
    case 's32le':
    case 's32be':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = view.getInt32(at, isLittle) / 2 ** 31
      }
      return
    case 'f32le':
    case 'f32be':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = view.getFloat32(at, isLittle)
      }
      return
    case 'f64le':
    case 'f64be':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = view.getFloat64(at, isLittle)
      }
      return
    case 'mulaw':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = MULAW[view.getUint8(at)]! / 2 ** 15
      }
      return
    case 'alaw':
      for (let i = 0; i < output.length; i++, at += stride) {
        output[i] = ALAW[view.getUint8(at)]! / 2 ** 15
      }
  }
}
