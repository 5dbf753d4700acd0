/** ITU-T G.711: what each code stands for, 14-bit and 13-bit magnitudes scaled to 16 bits. */

export const MULAW = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff
  const magnitude = ((((bits & 15) << 3) | 0x84) << ((bits >> 4) & 7)) - 0x84
  return bits & 0x80 ? -magnitude : magnitude
})

export const ALAW = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55
  const exponent = (bits >> 4) & 7
  const step = ((bits & 15) << 4) | 8
  const magnitude = exponent === 0 ? step : (step | 0x100) << (exponent - 1)
  return bits & 0x80 ? magnitude : -magnitude
})
