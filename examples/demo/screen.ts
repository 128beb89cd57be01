import type { WriteStream } from 'node:tty'

const COLORS = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 }

/** Prints lines of text and, on a terminal, one progress line below them that is updated in place. */
export function createScreen(out: WriteStream, silent: boolean) {
  const terminal = out.isTTY === true && process.env.TERM !== 'dumb'
  const colored = terminal && !process.env.NO_COLOR
  let bottom = ''
  let open = !silent

  // The reading process may end first: `npm run demo | head`.
  out.on('error', () => {
    open = false
  })
  const write = (text: string) => open && out.write(text)

  const paint = (color: keyof typeof COLORS, text: string) =>
    colored ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text

  return {
    paint,

    /** Milliseconds between two progress lines. Without a terminal each is a new line, so there are fewer. */
    pace: terminal ? 100 : 1_000,

    line(text = '') {
      write(terminal ? `\r\x1b[K${text}\n${bottom}` : `${text}\n`)
    },

    progress(text: string) {
      bottom = paint('dim', text.slice(0, (out.columns || 80) - 1))
      write(terminal ? `\r\x1b[K${bottom}` : `${text}\n`)
    },

    endProgress() {
      bottom = ''
      write(terminal ? '\r\x1b[K' : '')
    },
  }
}

export type Screen = ReturnType<typeof createScreen>
