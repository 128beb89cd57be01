/** How lines are coloured: with CSS in browsers, with escape codes in terminals, and not at all in files. */
export type ConsoleStyle = 'css' | 'ansi' | 'plain'

/** What a text means. Each style maps it to a colour. */
export type Ink = 'name' | 'sent' | 'held' | 'rejected' | 'quiet' | 'plain'

const CSS: Readonly<Record<Ink, string>> = {
  name: 'color:#8250df;font-weight:bold',
  sent: 'color:#1a7f37;font-weight:bold',
  held: 'color:#9a6700;font-weight:bold',
  rejected: 'color:#cf222e;font-weight:bold',
  quiet: 'color:#818b98;font-weight:normal',
  plain: 'color:inherit;font-weight:normal',
}

const ANSI: Readonly<Record<Ink, string>> = {
  name: '35',
  sent: '32',
  held: '33',
  rejected: '31',
  quiet: '90',
  plain: '0',
}

export type Part = readonly [ink: Ink, text: string]

/** Returns the arguments of `console.log` for a line. Percent signs in texts are escaped, so the console reads no directives. */
export function inked(parts: readonly Part[], style: ConsoleStyle): string[] {
  if (style === 'css') {
    return [
      parts.map(([, text]) => `%c${text.replaceAll('%', '%%')}`).join(' '),
      ...parts.map(([ink]) => CSS[ink]),
    ]
  }
  const texts = parts.map(([ink, text]) =>
    style === 'ansi' && ink !== 'plain' ? `\u001b[${ANSI[ink]}m${text}\u001b[0m` : text,
  )
  return [texts.join(' ').replaceAll('%', '%%')]
}

/** The globals that decide the style. Each may be missing. */
interface Surroundings {
  readonly document?: object
  readonly process?: {
    readonly stdout?: { readonly isTTY?: boolean }
    readonly env?: Readonly<Record<string, string | undefined>>
  }
}

/** Returns `css` in a page, `ansi` in a terminal without `NO_COLOR`, and `plain` otherwise. */
export function styleHere(surroundings: Surroundings = globalThis as Surroundings): ConsoleStyle {
  const { document, process } = surroundings
  if (document !== undefined) return 'css'
  return process?.stdout?.isTTY === true && !process.env?.NO_COLOR ? 'ansi' : 'plain'
}
