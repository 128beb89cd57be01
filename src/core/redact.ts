/** Parameters of RFC 6749, 7009 and 7636 that carry a secret, wherever a message quotes a URL, a form or JSON. */
const NAMED_SECRET =
  /((?:access|refresh|id)_?token|token|assertion|password|client_secret|code_verifier|code)(["']?\s*[=:]\s*["']?)[^"'&\s,}]+/gi

const EMPTY = /^$/

/** `RegExp.input` shows the last text that matched to every script of the page: after this, an empty one. */
export const forgetMatch = () => EMPTY.test('')

/** Takes the secrets out of a text somebody else wrote: those known by value, and those known by their name. */
export function redact(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text
  for (const secret of secrets) {
    if (secret)
      clean = clean.replaceAll(secret, '[redacted]').replaceAll(encodeURIComponent(secret), '[redacted]')
  }
  clean = clean.replace(NAMED_SECRET, '$1$2[redacted]')
  forgetMatch()
  return clean
}
