/** Run by Node: starts workerd with the bundle of a suite, listens on its behalf, and prints the report on the last line. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import type { Answered, Arrived } from './protocol.ts'

const [binary = '', script = ''] = process.argv.slice(2)

const listen = async (server: Server) => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const freePort = async () => {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

const read = async (stream: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const worker = await freePort()

/** Sends a message to the worker. No time limit: the suite takes minutes. */
async function send(path: string, message: unknown): Promise<unknown> {
  const outgoing = request({ host: '127.0.0.1', port: worker, path, method: 'POST', agent: false })
  outgoing.end(JSON.stringify(message))
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = (await read(incoming)).toString()
  if (incoming.statusCode !== 200) throw new Error(`The worker answered ${incoming.statusCode}: ${text}`)
  return JSON.parse(text)
}

let requests = 0

/** Passes a request on to the worker, and its answer back. */
async function pass(port: number, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const id = ++requests
  const { method = 'GET', url = '/', rawHeaders } = incoming
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) void send('/gone', { id }).catch(() => {})
  })
  const body = (await read(incoming)).toString('base64')
  const arrived: Arrived = { id, port, method, url, rawHeaders, body }
  const answered = (await send('/arrived', arrived)) as Answered | null
  if (!answered) return void incoming.socket.destroy()
  outgoing.statusCode = answered.status
  outgoing.statusMessage = answered.statusText
  for (const [name, value] of answered.headers) outgoing.appendHeader(name, value)
  outgoing.end(Buffer.from(answered.body, 'base64'))
}

const servers = new Map<number, Server>()

/** Where the worker asks for ports, and gives them back. */
const control = createServer(async ({ url = '' }, answer) => {
  if (url === '/listen') {
    const server = createServer((incoming, outgoing) => {
      pass(port, incoming, outgoing).catch(() => incoming.socket.destroy())
    })
    const port = await listen(server)
    servers.set(port, server)
    answer.end(String(port))
    return
  }
  const port = Number(url.split('?')[1])
  const server = servers.get(port)
  servers.delete(port)
  server?.closeAllConnections()
  server?.close()
  answer.end('0')
})

const folder = mkdtempSync(join(tmpdir(), 'authchart-workerd-'))
symlinkSync(resolve(script), join(folder, 'suite.mjs'))
writeFileSync(
  join(folder, 'config.capnp'),
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "suite", worker = .suite),
    (name = "loopback", network = (allow = ["local", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${worker}", http = (), service = "suite")],
);
const suite :Workerd.Worker = (
  modules = [(name = "suite.mjs", esModule = embed "suite.mjs")],
  compatibilityDate = "2026-11-01",
  durableObjectNamespaces = [(className = "Suite", uniqueKey = "suite", preventEviction = true)],
  durableObjectStorage = (inMemory = void),
  bindings = [
    (name = "SUITE", durableObjectNamespace = "Suite"),
    (name = "NODE", text = "http://127.0.0.1:${await listen(control)}"),
  ],
  globalOutbound = "loopback",
);`,
)

const workerd = spawn(binary, ['serve', join(folder, 'config.capnp')], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
process.once('SIGTERM', () => {
  workerd.kill()
  process.exit(1)
})
try {
  const exited = once(workerd, 'exit').then(([code]) => {
    throw new Error(`workerd exited with ${code}`)
  })
  await Promise.race([exited, untilOpen()])
  const report = await Promise.race([exited, send('/run', null)])
  console.log(JSON.stringify(report))
} finally {
  workerd.kill()
  rmSync(folder, { recursive: true })
}
process.exit()

/** Waits until the worker takes connections. */
async function untilOpen(): Promise<void> {
  for (;;) {
    const isOpen = await fetch(`http://127.0.0.1:${worker}/arrived`, { method: 'POST', body: '{}' }).then(
      () => true,
      () => false,
    )
    if (isOpen) return
    await new Promise((later) => setTimeout(later, 50))
  }
}
