import type { Socket } from 'node:net'

/** Tracks which pages are offline, and their open connections. */
export function createConnections() {
  const offline = new Set<string>()
  const open = new Map<string, Set<Socket>>()

  return {
    /** Registers a request of a page. If the page is offline, closes the connection and returns `false`. */
    admit(page: string, socket: Socket): boolean {
      if (offline.has(page)) {
        socket.destroy()
        return false
      }
      const sockets = open.get(page) ?? new Set()
      open.set(page, sockets.add(socket))
      socket.once('close', () => {
        sockets.delete(socket)
        if (sockets.size === 0 && open.get(page) === sockets) open.delete(page)
      })
      return true
    },

    /** Takes a page offline, and closes its open connections. */
    cut(page: string) {
      offline.add(page)
      for (const socket of open.get(page) ?? []) socket.destroy()
    },

    restore(page: string) {
      offline.delete(page)
    },
  }
}

export type Connections = ReturnType<typeof createConnections>
