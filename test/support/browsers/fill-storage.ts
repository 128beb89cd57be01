/** Fills localStorage completely, to the last character. Runs in a page. */
export function fillUp() {
  let count = 0
  const put = (key: string, text: string) => {
    try {
      localStorage.setItem(key, text)
      return true
    } catch {
      return false
    }
  }
  for (let size = 2 ** 22; size >= 1; size /= 2) while (put(`filling ${count}`, 'x'.repeat(size))) count++
  // The remaining space is too small for another key.
  const last = `filling ${count - 1}`
  while (put(last, `${localStorage.getItem(last)}x`));
}
