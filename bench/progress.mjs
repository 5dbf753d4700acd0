import cliProgress from 'cli-progress'

/** One bar over all steps on a terminal; elsewhere a line for each step that is new. */
export function startProgress(total) {
  if (!process.stdout.isTTY) {
    let last
    return {
      step(text) {
        if (text !== last) console.log(text)
        last = text
      },
      stop() {},
    }
  }
  const bar = new cliProgress.SingleBar({
    format: '{bar} {percentage} %  {eta_formatted} left  {text}',
    barCompleteChar: '━',
    barIncompleteChar: '─',
    hideCursor: true,
    clearOnComplete: true,
  })
  bar.start(total, 0, { text: '' })
  return { step: text => bar.increment({ text }), stop: () => bar.stop() }
}
