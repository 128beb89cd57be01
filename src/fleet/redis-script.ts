/** A script that the server knows by its hash after the first call. */
export class RedisScript {
  readonly #text: string
  #hash: Promise<string> | undefined

  constructor(text: string) {
    this.#text = text
  }

  async run(
    send: (command: readonly string[]) => Promise<unknown>,
    key: string,
    values: readonly string[],
  ): Promise<unknown> {
    this.#hash ??= sha1(this.#text)
    try {
      return await send(['EVALSHA', await this.#hash, '1', key, ...values])
    } catch (error) {
      if (!isUnknown(error)) throw error
      // The server was started again, or is another one. It has run nothing yet.
      return send(['EVAL', this.#text, '1', key, ...values])
    }
  }
}

async function sha1(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Each client has its own class and wording around the word of the server. */
const isUnknown = (error: unknown) =>
  /NOSCRIPT|NoScript/.test(String((Object(error) as { readonly message?: unknown }).message))
