import type { CaptureSystem } from './microphone-device.js'

/** A device as ffmpeg lists it. */
export interface ListedDevice {
  /** What ffmpeg opens it by. */
  readonly name: string
  /** What people know it by. */
  readonly title: string
  readonly isDefault: boolean
}

/** Reads what ffmpeg answers when asked for its devices. What does not look like one is passed over. */
export function parseDeviceList(system: CaptureSystem, text: string): ListedDevice[] {
  const lines = text.split(/\r?\n/)
  switch (system) {
    case 'pulse':
      return sources(lines)
    case 'alsa':
      return sources(lines).filter(isAlsaInput).map(withAlsaName)
    case 'avfoundation':
      return avfoundation(lines)
    case 'dshow':
      return dshow(lines)
  }
}

/** `* name [title] (media types)`: the star is the default's, the types are of ffmpeg 5 and newer. */
function sources(lines: readonly string[]): ListedDevice[] {
  return lines.flatMap(line => {
    const [, star, name, title] = /^(\*| ) (\S+) \[(.*)\](?: \([\w, ]*\))?$/.exec(line) ?? []
    return name === undefined || title === undefined ? [] : [{ name, title, isDefault: star === '*' }]
  })
}

/** ALSA lists converters too, and raw hardware, which takes one format only; `plughw` is the same and takes any. */
function isAlsaInput({ name }: ListedDevice): boolean {
  return /^(default|plughw:|dsnoop:)/.test(name)
}

/** The titles say what kind of device it is, and are the same for all cards. */
function withAlsaName({ name, title }: ListedDevice): ListedDevice {
  return { name, title: `${title} (${name})`, isDefault: name === 'default' }
}

/** `[AVFoundation indev @ 0x…] [0] name`, below a heading for each kind of device. */
function avfoundation(lines: readonly string[]): ListedDevice[] {
  const heading = lines.findIndex(line => line.includes('AVFoundation audio devices'))
  if (heading < 0) return []
  const found = lines.slice(heading + 1).flatMap(line => {
    const [, index, title] = /^\[AVFoundation [^\]]*\] \[(\d+)\] (.+)$/.exec(line) ?? []
    return index === undefined || title === undefined ? [] : [{ index, title: title.trim() }]
  })
  if (found.length === 0) return []
  const named = found.map(({ index, title }, at) => {
    // Indices change with what is plugged in. A name does not, but ffmpeg takes a digit first for an index, cuts at a
    // colon, and opens the first of several that begin alike.
    const clear = !/^\d|:/.test(title) && !found.slice(0, at).some(other => other.title.startsWith(title))
    return { name: clear ? title : index, title, isDefault: false }
  })
  return [{ name: 'default', title: 'the input chosen in System Settings', isDefault: true }, ...named]
}

/**
 * `[dshow @ …] "title" (audio)`, or without the kind below a heading for each (ffmpeg 4 and older); then the name that
 * no other device has. ffmpeg 7 writes `[in#0 @ …]` in front.
 */
function dshow(lines: readonly string[]): ListedDevice[] {
  const devices: { name: string; title: string }[] = []
  let kind = ''
  let last: { name: string; title: string } | undefined
  for (const line of lines) {
    const heading = /DirectShow (audio|video) devices/.exec(line)
    const device = /^\[[^\]]*\] +"([^"]+)"(?: \(([\w, ]+)\))?$/.exec(line)
    const alternative = /^\[[^\]]*\] +Alternative name "([^"]+)"$/.exec(line)
    if (heading) kind = heading[1] ?? ''
    if (device) {
      const title = device[1] ?? ''
      last = (device[2] ?? kind).includes('audio') ? { name: title, title } : undefined
      if (last) devices.push(last)
    }
    if (alternative && last) last.name = alternative[1] ?? last.name
  }
  // DirectShow names no default: the first one is heard.
  return devices.map((device, index) => ({ ...device, isDefault: index === 0 }))
}
