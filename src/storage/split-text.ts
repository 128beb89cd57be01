/** The methods that are used of `expo-secure-store`. Its types fit without a cast. */
export interface SecureStoreLike<Access = object> {
  /** Returns the text of a key, or `null` if it is missing. `options` are those of `secureStorage`. */
  getItemAsync(key: string, options?: Access): Promise<string | null>
  /** Stores a text of at most 2,048 bytes, in the place of the one before. */
  setItemAsync(key: string, value: string, options?: Access): Promise<void>
  /** Removes a key. A missing key is not an error. */
  deleteItemAsync(key: string, options?: Access): Promise<void>
}

/** The longest value of the store, in bytes. Some versions of iOS refuse longer ones. */
const MOST = 2_048

/** What is stored under the key if the text is split: in which slot the parts are, and how many they are. */
const HEAD = /^#([ab])([1-9]\d{0,3})$/

type Slot = 'a' | 'b'

/**
 * A text in a store whose values are short. A short text is the value of the key itself. A long one is split: its parts are
 * written into the slot that is not in use, and then the value of the key names that slot. So the text is replaced in one step,
 * and the app may be closed at any time.
 *
 * The parts of a slot have no gap: they are written from the first on, and removed from the last on. So leftovers of a write
 * that was interrupted are found, too.
 */
export class SplitText<Access> {
  readonly #store: SecureStoreLike<Access>
  readonly #key: string
  readonly #access: Access | undefined

  constructor(store: SecureStoreLike<Access>, key: string, access: Access | undefined) {
    this.#store = store
    this.#key = key
    this.#access = access
  }

  /** Returns the text as ASCII; `undefined` if the store is empty. */
  async read(): Promise<string | undefined> {
    const value = await this.#get(this.#key)
    // The app may have been closed while it removed the text.
    if (value === null) await this.#trimAll()
    const head = value === null ? undefined : headOf(value)
    if (!head) return value ?? undefined
    const parts = await this.#parts(head.slot, head.count)
    return parts.join('')
  }

  /** Replaces the text. Characters outside of ASCII are written as in JSON. */
  async write(text: string): Promise<void> {
    const ascii = escaped(text)
    const head = headOf((await this.#get(this.#key)) ?? '')
    const slot = head?.slot === 'a' ? 'b' : 'a'
    const count = ascii.length > MOST ? Math.ceil(ascii.length / MOST) : 0
    for (let n = 0; n < count; n++)
      await this.#set(this.#part(slot, n), ascii.slice(n * MOST, (n + 1) * MOST))
    await this.#set(this.#key, count > 0 ? `#${slot}${count}` : ascii)
    await this.#trim(slot, count)
    await this.#trim(slot === 'a' ? 'b' : 'a', 0)
  }

  async remove(): Promise<void> {
    await this.#delete(this.#key)
    await this.#trimAll()
  }

  async #trimAll(): Promise<void> {
    await this.#trim('a', 0)
    await this.#trim('b', 0)
  }

  async #parts(slot: Slot, most: number, from = 0): Promise<string[]> {
    const parts: string[] = []
    for (let n = from; n < most; n++) {
      const part = await this.#get(this.#part(slot, n))
      if (part === null) break
      parts.push(part)
    }
    return parts
  }

  /** Removes the parts of a slot from `count` on. */
  async #trim(slot: Slot, count: number): Promise<void> {
    const { length } = await this.#parts(slot, Number.POSITIVE_INFINITY, count)
    for (let n = count + length - 1; n >= count; n--) await this.#delete(this.#part(slot, n))
  }

  #part(slot: Slot, n: number) {
    return `${this.#key}.${slot}${n}`
  }

  #get(key: string) {
    return this.#store.getItemAsync(key, this.#access)
  }

  #set(key: string, value: string) {
    return this.#store.setItemAsync(key, value, this.#access)
  }

  #delete(key: string) {
    return this.#store.deleteItemAsync(key, this.#access)
  }
}

/** The slot and the number of parts that the value of a key names. A record in JSON never looks like that. */
function headOf(value: string): { readonly slot: Slot; readonly count: number } | undefined {
  // Tokens meet no regular expression.
  const match = value.length < 8 ? HEAD.exec(value) : null
  return match ? { slot: match[1] as Slot, count: Number(match[2]) } : undefined
}

/** The text of JSON with `\u` escapes, so that each character is one byte. */
function escaped(text: string): string {
  let ascii = ''
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x80) continue
    ascii += `${text.slice(from, at)}\\u${code.toString(16).padStart(4, '0')}`
    from = at + 1
  }
  return ascii + text.slice(from)
}
