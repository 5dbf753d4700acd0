import t from 'tap'
import { parseDeviceList } from '#dist/audio/microphone-list-text.js'

/** What ffmpeg writes, as it writes it, by version. */

t.test('reads the sources of PulseAudio and PipeWire', async t => {
  const text = `Auto-detected sources for pulse:
  alsa_output.pci-0000_00_1f.3.analog-stereo.monitor [Monitor of Built-in Audio Analog Stereo] (none)
* alsa_input.pci-0000_00_1f.3.analog-stereo [Built-in Audio Analog Stereo] (none)
  bluez_input.00:1B:66:AA:BB:CC [Headset [left]]
`
  t.strictSame(parseDeviceList('pulse', text), [
    {
      name: 'alsa_output.pci-0000_00_1f.3.analog-stereo.monitor',
      title: 'Monitor of Built-in Audio Analog Stereo',
      isDefault: false,
    },
    {
      name: 'alsa_input.pci-0000_00_1f.3.analog-stereo',
      title: 'Built-in Audio Analog Stereo',
      isDefault: true,
    },
    { name: 'bluez_input.00:1B:66:AA:BB:CC', title: 'Headset [left]', isDefault: false },
  ])
  const unreachable = `Auto-detected sources for pulse:
Cannot list sources: Generic error in an external library
`
  t.strictSame(parseDeviceList('pulse', unreachable), [])
})

t.test('reads those of ALSA that take any format', async t => {
  const text = `Auto-detected sources for alsa:
  null [Discard all samples (playback) or generate zero samples (capture)] (none)
* default [Playback/recording through the PulseAudio sound server] (none)
  lavrate [Rate Converter Plugin Using Libav/FFmpeg Library] (none)
  hw:CARD=PCH,DEV=0 [Direct hardware device without any conversions] (none)
  plughw:CARD=PCH,DEV=0 [Hardware device with all software conversions] (none)
  plughw:CARD=Webcam,DEV=0 [Hardware device with all software conversions] (none)
  front:CARD=PCH,DEV=0 [Front output / input] (none)
`
  t.strictSame(parseDeviceList('alsa', text), [
    {
      name: 'default',
      title: 'Playback/recording through the PulseAudio sound server (default)',
      isDefault: true,
    },
    {
      name: 'plughw:CARD=PCH,DEV=0',
      title: 'Hardware device with all software conversions (plughw:CARD=PCH,DEV=0)',
      isDefault: false,
    },
    {
      name: 'plughw:CARD=Webcam,DEV=0',
      title: 'Hardware device with all software conversions (plughw:CARD=Webcam,DEV=0)',
      isDefault: false,
    },
  ])
})

t.test('reads what AVFoundation hears, by name where ffmpeg finds it by that name', async t => {
  const heading = (version: string) => `[AVFoundation ${version} @ 0x7fee1fe05980]`
  for (const version of ['input device', 'indev']) {
    const tag = heading(version)
    const text = `${tag} AVFoundation video devices:
${tag} [0] FaceTime HD Camera (Built-in)
${tag} [1] Capture screen 0
${tag} AVFoundation audio devices:
${tag} [0] MacBook Pro Microphone
${tag} [1] 2- USB Audio
${tag} [2] Desk: left
${tag} [3] MacBook Pro
: Input/output error
`
    t.strictSame(
      parseDeviceList('avfoundation', text),
      [
        { name: 'default', title: 'the input chosen in System Settings', isDefault: true },
        { name: 'MacBook Pro Microphone', title: 'MacBook Pro Microphone', isDefault: false },
        { name: '1', title: '2- USB Audio', isDefault: false },
        { name: '2', title: 'Desk: left', isDefault: false },
        { name: '3', title: 'MacBook Pro', isDefault: false },
      ],
      version,
    )
  }
  t.strictSame(parseDeviceList('avfoundation', `${heading('indev')} AVFoundation audio devices:\n`), [])
  t.strictSame(parseDeviceList('avfoundation', "Unknown input format: 'avfoundation'\n"), [])
})

t.test('reads what DirectShow hears, in the words of each version, by the names that are unique', async t => {
  const wave = (id: string) => `@device_cm_{33D9A762-90C8-11D0-BD43-00A0C911CE86}\\wave_{${id}}`
  const camera =
    '@device_pnp_\\\\?\\usb#vid_046d&pid_0853&mi_00#{65e8773d-8f56-11d0-a3b9-00a0c9223196}\\global'
  const expected = [
    { name: wave('E26AD2BE'), title: '麦克风 (High Definition Audio 设备)', isDefault: true },
    { name: 'virtual-audio-capturer', title: 'virtual-audio-capturer', isDefault: false },
  ]
  const old = [
    '[dshow @ 00000000001c23c0] DirectShow video devices (some may be both video and audio devices)',
    '[dshow @ 00000000001c23c0]  "PTZ Pro 2"',
    `[dshow @ 00000000001c23c0]     Alternative name "${camera}"`,
    '[dshow @ 00000000001c23c0] DirectShow audio devices',
    '[dshow @ 00000000001c23c0]  "麦克风 (High Definition Audio 设备)"',
    `[dshow @ 00000000001c23c0]     Alternative name "${wave('E26AD2BE')}"`,
    '[dshow @ 00000000001c23c0]  "virtual-audio-capturer"',
    'dummy: Immediate exit requested',
  ]
  const since5 = (tag: string) => [
    `${tag} "PTZ Pro 2" (video)`,
    `${tag}   Alternative name "${camera}"`,
    `${tag} "麦克风 (High Definition Audio 设备)" (audio)`,
    `${tag}   Alternative name "${wave('E26AD2BE')}"`,
    `${tag} "Virtual Camera" (none)`,
    `${tag}   Alternative name "@device_sw_{860BB310}\\{A3FCE0F5}"`,
    `${tag} "virtual-audio-capturer" (audio)`,
    'Error opening input file dummy.',
  ]
  for (const lines of [old, since5('[dshow @ 000001d0]'), since5('[in#0 @ 000001c2760f36c0]')]) {
    t.strictSame(parseDeviceList('dshow', lines.join('\r\n')), expected)
  }
  t.strictSame(parseDeviceList('dshow', 'Could not enumerate audio only devices (or none found).'), [])
})
