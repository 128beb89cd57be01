/** How often a path is decoded: a proxy, a server and its router may each decode it once. */
const DECODINGS = 8

/**
 * The same text for all spellings of a URL that some server could take for the same. It ignores the scheme, the query, the
 * case, encodings, empty and dot segments, parameters of segments, trailing dots and the extension.
 */
export function canonicalEndpoint({ hostname, port, pathname }: URL): string {
  const [path = ''] = decode(pathname).split(/[?#]/, 1)
  const segments: string[] = []
  for (const part of path.normalize('NFKC').toLowerCase().split(/[/\\]/)) {
    const [segment = ''] = part.split(';', 1)
    if (segment === '..') segments.pop()
    else {
      const bare = trimEnd(segment)
      if (bare !== '') segments.push(bare)
    }
  }
  const last = (segments.pop() ?? '').replace(/\.\w+$/, '')
  const server = `${trimEnd(hostname)}:${port === '443' || port === '80' ? '' : port}`
  return [server, ...segments, last].join('/')
}

/** Removes dots, spaces and control characters at the end. A regular expression takes quadratic time for many dots. */
function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === '.' || text.charCodeAt(end - 1) <= 32)) end--
  return text.slice(0, end)
}

function decode(path: string): string {
  let decoded = path
  for (let round = 0; round < DECODINGS && decoded.includes('%'); round++) {
    decoded = decoded
      .replace(/%u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replace(/(?:%[0-9a-f]{2})+/gi, decodeBytes)
  }
  return decoded
}

function decodeBytes(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    // Some servers also decode bytes that are no UTF-8.
    return encoded.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
  }
}
