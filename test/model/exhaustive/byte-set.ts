/** A set of byte strings of one width, numbered in the order in which they are added. */
export function createByteSet(width: number) {
  const perPage = 1 << 14
  const pages: { bytes: Uint8Array; words: Uint32Array }[] = []
  const wordsPerState = width / 4
  const probe = new Uint8Array(width)
  const probeWords = new Uint32Array(probe.buffer)
  let table = new Int32Array(1 << 17).fill(-1)
  let size = 0

  function hash(words: Uint32Array, at: number): number {
    let value = 0x9e3779b9
    for (let index = 0; index < wordsPerState; index++) {
      value = Math.imul(value ^ words[at + index]!, 0x85ebca6b)
      value ^= value >>> 13
    }
    value = Math.imul(value, 0xc2b2ae35)
    return (value ^ (value >>> 16)) >>> 0
  }

  const offsetInWords = (index: number) => (index & (perPage - 1)) * wordsPerState
  const page = (index: number) => pages[index >> 14]!

  function isAt(index: number): boolean {
    const { words } = page(index)
    const at = offsetInWords(index)
    for (let word = 0; word < wordsPerState; word++) if (words[at + word] !== probeWords[word]) return false
    return true
  }

  function grow() {
    const old = table
    table = new Int32Array(old.length * 2).fill(-1)
    const mask = table.length - 1
    for (let index = 0; index < size; index++) {
      let slot = hash(page(index).words, offsetInWords(index)) & mask
      while (table[slot] !== -1) slot = (slot + 1) & mask
      table[slot] = index
    }
  }

  return {
    get size() {
      return size
    },
    bytes: (index: number) => page(index).bytes,
    offset: (index: number) => (index & (perPage - 1)) * width,
    get: (index: number) => {
      const at = (index & (perPage - 1)) * width
      return page(index).bytes.slice(at, at + width)
    },
    /** Returns the number of these bytes, and adds them if they are new. */
    add(bytes: Uint8Array): number {
      probe.set(bytes)
      if (size * 2 > table.length) grow()
      const mask = table.length - 1
      let slot = hash(probeWords, 0) & mask
      for (let index = table[slot]!; index !== -1; index = table[slot]!) {
        if (isAt(index)) return index
        slot = (slot + 1) & mask
      }
      table[slot] = size
      if ((size & (perPage - 1)) === 0) {
        const page = new Uint8Array(perPage * width)
        pages.push({ bytes: page, words: new Uint32Array(page.buffer) })
      }
      page(size).words.set(probeWords, offsetInWords(size))
      return size++
    },
  }
}
