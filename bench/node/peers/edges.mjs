/** What libraries for JavaScript leave to their users: samples of a Buffer, downmix, rounding to int16. */

/** The samples of a chunk, without a copy; the bench's chunks lie at even offsets. */
export function samplesOf(chunk) {
  return new Int16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2)
}

export function downmixToInt16(samples, channels) {
  if (channels === 1) return samples
  const mono = new Int16Array(samples.length / channels)
  for (let i = 0; i < mono.length; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += samples[i * channels + c]
    mono[i] = Math.round(sum / channels)
  }
  return mono
}

export function downmixToFloat(samples, channels) {
  const mono = new Float32Array(samples.length / channels)
  const scale = 1 / (32_768 * channels)
  for (let i = 0; i < mono.length; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += samples[i * channels + c]
    mono[i] = sum * scale
  }
  return mono
}

/** @param fullScale what the values call full scale: 1, or 32768 */
export function toInt16(values, length, fullScale) {
  const samples = new Int16Array(length)
  const scale = 32_768 / fullScale
  for (let i = 0; i < length; i++) {
    samples[i] = Math.max(-32_768, Math.min(32_767, Math.round(values[i] * scale)))
  }
  return samples
}
