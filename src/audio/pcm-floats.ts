import { ALAW, MULAW } from './g711.js'
import type { PcmEncoding } from './pcm-format.js'

/** Fills `output` with the samples at the beginning of `view`, full scale 1. NaN and infinities stay as they are. */
export function readFloats(view: DataView, encoding: PcmEncoding, output: Float32Array): void {
  const isLittle = encoding.endsWith('le')
  switch (encoding) {
    case 'u8':
      for (let i = 0; i < output.length; i++) output[i] = (view.getUint8(i) - 128) / 128
      return
    case 's8':
      for (let i = 0; i < output.length; i++) output[i] = view.getInt8(i) / 128
      return
    case 's16le':
    case 's16be':
      for (let i = 0; i < output.length; i++) output[i] = view.getInt16(2 * i, isLittle) / 2 ** 15
      return
    case 's24le':
      for (let i = 0, at = 0; i < output.length; i++, at += 3) {
        output[i] = (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23
      }
      return
    case 's24be':
      for (let i = 0, at = 0; i < output.length; i++, at += 3) {
        output[i] = (view.getInt8(at) * 2 ** 16 + view.getUint16(at + 1, false)) / 2 ** 23
      }
      return
    case 's32le':
    case 's32be':
      for (let i = 0; i < output.length; i++) output[i] = view.getInt32(4 * i, isLittle) / 2 ** 31
      return
    case 'f32le':
    case 'f32be':
      for (let i = 0; i < output.length; i++) output[i] = view.getFloat32(4 * i, isLittle)
      return
    case 'f64le':
    case 'f64be':
      for (let i = 0; i < output.length; i++) output[i] = view.getFloat64(8 * i, isLittle)
      return
    case 'mulaw':
      for (let i = 0; i < output.length; i++) output[i] = MULAW[view.getUint8(i)]! / 2 ** 15
      return
    case 'alaw':
      for (let i = 0; i < output.length; i++) output[i] = ALAW[view.getUint8(i)]! / 2 ** 15
  }
}
