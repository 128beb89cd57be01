/** The longest answer that is looked into, in bytes. A refusal has a few hundred. */
const LONGEST = 65_536
/** Other bodies may be streams that the caller reads bit by bit. */
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i

/**
 * Reads a copy of a JSON answer, and leaves the answer readable for the caller.
 *
 * @returns the parsed body; `undefined` if it is not JSON, or too long for a refusal
 */
export async function jsonAnswer(answer: Response): Promise<unknown> {
  const { headers, body, bodyUsed } = answer
  const isLong = Number(headers.get('content-length') ?? 0) > LONGEST
  // In React Native an answer has no stream.
  if (body === null || bodyUsed || isLong || !JSON_TYPE.test(headers.get('content-type') ?? ''))
    return undefined
  try {
    const copy = answer.clone()
    return JSON.parse(await (body ? beginningOf(copy) : copy.text()))
  } catch {
    // It is not JSON, or too long, or it broke off: then the caller sees that.
    return undefined
  }
}

async function beginningOf(copy: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  const reader = (copy.body as ReadableStream<Uint8Array>).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.length
    text += decoder.decode(value, { stream: true })
    if (size <= LONGEST) continue
    // Not awaited: the copy is cancelled only when the caller has read the original.
    reader.cancel().catch(() => {})
    return text
  }
}
