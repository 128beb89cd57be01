import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform, type Writable } from 'node:stream'

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

/** Passes everything on, each part of it so many milliseconds later. */
function delayed(to: Writable, time: number): Writable {
  const line = new Transform({
    transform(part, _, done) {
      setTimeout(() => line.destroyed || line.push(part), time)
      done()
    },
  })
  line.pipe(to)
  return line
}

/** A TCP proxy in front of a database that makes trouble. */
export class TroubleProxy {
  /** The port of the database. */
  target: number
  readonly #latency: number
  readonly #pairs = new Set<Pair>()
  /** What the data of a socket is written to. */
  readonly #ways = new WeakMap<Socket, Writable>()
  readonly #dropping = new WeakSet<Socket>()
  readonly #stalled = new WeakSet<Socket>()
  readonly #server = createServer((client) => this.#accept(client))
  #isClosed = false

  /** @param latency in each direction, in milliseconds */
  constructor(target: number, latency = 0) {
    this.target = target
    this.#latency = latency
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  #accept(client: Socket): void {
    if (this.#isClosed) {
      client.destroy()
      return
    }
    const server = connect(this.target, '127.0.0.1')
    const pair = { client, server }
    this.#pairs.add(pair)
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => this.#cut(pair))
    }
    this.#connect(client, server)
    this.#connect(server, client)
  }

  #connect(from: Socket, to: Socket): void {
    const way = this.#latency > 0 ? delayed(to, this.#latency) : to
    this.#ways.set(from, way)
    from.pipe(way)
  }

  /** One of the two directions. */
  #chooseWay({ client, server }: Pair, random: () => number) {
    const from = random() < 0.5 ? client : server
    return { from, way: this.#ways.get(from) }
  }

  #cut(pair: Pair): void {
    this.#pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }

  #choose(share: number, random: () => number): Pair[] {
    return [...this.#pairs].filter(() => random() < share)
  }

  /** Closes connections. What was sent may have arrived or not. */
  cut(share: number, random: () => number): void {
    for (const pair of this.#choose(share, random)) this.#cut(pair)
  }

  /** Passes nothing on in one direction for a while, and then all of it. */
  stall(share: number, time: number, random: () => number): void {
    for (const pair of this.#choose(share, random)) {
      const { from, way } = this.#chooseWay(pair, random)
      if (!way || this.#stalled.has(from) || this.#dropping.has(from)) continue
      this.#stalled.add(from)
      from.unpipe(way)
      from.pause()
      setTimeout(() => {
        this.#stalled.delete(from)
        // What TCP delivers has no gaps.
        if (!this.#dropping.has(from)) from.pipe(way)
      }, time)
    }
  }

  /** Loses what is sent in one direction, and closes the connection a while later. */
  drop(share: number, time: number, random: () => number): void {
    for (const pair of this.#choose(share, random)) {
      const { from, way } = this.#chooseWay(pair, random)
      this.#dropping.add(from)
      from.unpipe(way)
      from.resume()
      setTimeout(() => this.#cut(pair), time)
    }
  }

  /** Refuses all connections, or accepts them again. */
  set isClosed(isClosed: boolean) {
    this.#isClosed = isClosed
    if (isClosed) this.cut(1, () => 0)
  }

  close(): void {
    this.#server.close()
    this.isClosed = true
  }
}
