import type { Socket } from 'node:net'

/** Which pages are offline, and what they have open. */
export function createConnections() {
  const offline = new Set<string>()
  const open = new Map<string, Set<Socket>>()

  return {
    /** Takes note of a request of a page; one that is offline loses its connection, and `false` is returned. */
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

    /** Nothing comes from the page any more, and what is under way for it is cut off. */
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
