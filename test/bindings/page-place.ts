/** The element of the page that a framework renders into, and its text. */

/** Appends an element to the page, empty or with server-rendered content. */
export function createPlace(html = ''): HTMLDivElement {
  const place = document.createElement('div')
  place.innerHTML = html
  document.body.append(place)
  return place
}

/** Returns the text of an element without whitespace, in which frameworks differ. */
export const wordsOf = (place: Node): string => place.textContent?.replaceAll(/\s+/g, ' ').trim() ?? ''

/** Records every text of the element from now on, without consecutive duplicates. */
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
    /** Records a note between the texts, followed by the current text. */
    note(name: string) {
      last = text()
      seen.push(name, last)
    },
    stop: () => observer.disconnect(),
  }
}
