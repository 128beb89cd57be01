import type { RequestListener } from 'node:http'

/** What can go wrong on the way to a token endpoint. */
export type Fault = 'serverError' | 'tooManyRequests' | 'dropped'

/** A layer in front of a server: requests to one path fail as planned. Each failure calls `onFault`. */
export function createFaults(onFault: (fault: Fault) => void = () => {}) {
  const planned: Fault[] = []

  return {
    /** Plans the failures of the next requests, one after another. */
    plan(...faults: Fault[]) {
      planned.push(...faults)
    },

    /** The number of planned failures that have not happened yet. */
    get outstanding() {
      return planned.length
    },

    inFrontOf(path: string, handler: RequestListener): RequestListener {
      return (request, response) => {
        const fault = request.url === path ? planned.shift() : undefined
        if (!fault) return handler(request, response)
        onFault(fault)
        if (fault === 'dropped') request.socket.destroy()
        else if (fault === 'serverError') response.writeHead(500).end('Out of order')
        else response.writeHead(429, { 'retry-after': '1' }).end('Not so fast')
      }
    },
  }
}

export type Faults = ReturnType<typeof createFaults>
