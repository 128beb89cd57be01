/** Tracks which pages are offline, and their open connections. */
export function createConnections() {
  const offline = new Set<string>()
  const open = new Map<string, Set<() => void>>()

  return {
    /**
     * Opens a connection of a page.
     *
     * @param drop closes the connection, when the page goes offline
     * @returns a function for the end of the request
     * @throws TypeError if the page is offline
     */
    open(page: string, drop: () => void): () => void {
      if (offline.has(page)) throw new TypeError('The page is offline')
      const drops = open.get(page) ?? new Set()
      open.set(page, drops.add(drop))
      return () => {
        drops.delete(drop)
        if (drops.size === 0 && open.get(page) === drops) open.delete(page)
      }
    },

    /** Takes a page offline, and closes its open connections. */
    cut(page: string) {
      offline.add(page)
      for (const drop of open.get(page) ?? []) drop()
    },

    restore(page: string) {
      offline.delete(page)
    },
  }
}

export type Connections = ReturnType<typeof createConnections>
