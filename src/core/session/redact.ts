/** Parameters of RFC 6749, 7009 and 7636 that carry a secret, wherever a message quotes a URL, a form or JSON. */
const NAMED_SECRET =
  /((?:access|refresh|id)_?token|token|assertion|password|client_secret|code_verifier|code)(["']?\s*[=:]\s*["']?)[^"'&\s,}]+/gi

const WORD = /^[a-z_]{1,40}$/

/** Whether a foreign value is a word that may be shown as a reason: an OAuth error code, or a word of the library. */
export const isWord = (value: unknown): value is string => typeof value === 'string' && WORD.test(value)

const EMPTY = /^$/

/** The legacy static `RegExp.input` exposes the last matched string to every script of the page. Clears it. */
export const forgetMatch = () => EMPTY.test('')

/** Removes the secrets from a foreign text that are known by the name of their parameter. */
export function redact(text: string): string {
  const clean = text.replace(NAMED_SECRET, '$1$2[redacted]')
  forgetMatch()
  return clean
}
