/** Where a framework draws, in the page, and what is to be read there. */

/** An element at the end of the page, empty or with what a server has rendered. */
export function createPlace(html = ''): HTMLDivElement {
  const place = document.createElement('div')
  place.innerHTML = html
  document.body.append(place)
  return place
}

/** Its text without the white space in which frameworks differ. */
export const wordsOf = (place: Node): string => place.textContent?.replaceAll(/\s+/g, ' ').trim() ?? ''

/** Notes every text that stands there from now on, without repetitions in a row. */
export function watchTexts(place: Node, text: () => string) {
  const seen: string[] = []
  let last: string | undefined
  const look = () => {
    const now = text()
    if (now !== last) seen.push(now)
    last = now
  }
  look()
  const observer = new MutationObserver(look)
  observer.observe(place, { childList: true, subtree: true, characterData: true })
  return {
    seen,
    /** Notes something between the texts, and what stands there by then. */
    note(name: string) {
      last = text()
      seen.push(name, last)
    },
    stop: () => observer.disconnect(),
  }
}
