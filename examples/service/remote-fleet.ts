/** A fleet in the memory of another process, which this one reaches by messages: for the example without a database. */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Fleet } from 'authchart/server'

type Method = Exclude<keyof Fleet, 'lease' | 'notifies' | 'subscribe'>

interface Call {
  readonly id: string
  readonly method: Method
  readonly args: readonly unknown[]
}

/** Answers the calls of a child process, and passes the messages on that it subscribed to. */
export function answerFleet(child: ChildProcess, fleet: Fleet): void {
  const stops = new Map<string, () => void>()
  const tell = (message: object) => child.connected && child.send(message)
  child.on('message', async (message: { call?: Call; subscribe?: string; unsubscribe?: string }) => {
    const { call, subscribe, unsubscribe } = message
    if (subscribe !== undefined && !stops.has(subscribe))
      stops.set(
        subscribe,
        fleet.subscribe(subscribe, (text) => tell({ about: subscribe, text })),
      )
    if (unsubscribe !== undefined) {
      stops.get(unsubscribe)?.()
      stops.delete(unsubscribe)
    }
    if (!call) return
    const method = fleet[call.method] as (...args: readonly unknown[]) => Promise<unknown>
    tell({ answer: call.id, value: await method(...call.args) })
  })
  child.on('exit', () => [...stops.values()].map((stop) => stop()))
}

/** The fleet of the parent process. */
export function remoteFleet(): Fleet {
  const calls = new Map<string, (value: never) => void>()
  const listeners = new Map<string, Set<(message: string) => void>>()
  process.on(
    'message',
    ({
      answer,
      value,
      about,
      text,
    }: Partial<Record<'answer' | 'about' | 'text', string>> & { value?: never }) => {
      if (answer !== undefined) calls.get(answer)?.(value as never)
      if (answer !== undefined) calls.delete(answer)
      if (about !== undefined) for (const hear of [...(listeners.get(about) ?? [])]) hear(text ?? '')
    },
  )
  const remote = (method: Method) =>
    ((...args: readonly unknown[]) =>
      new Promise((resolve) => {
        const id = randomUUID()
        calls.set(id, resolve)
        process.send?.({ call: { id, method, args } })
      })) as never
  return {
    lease: 3_000,
    notifies: true,
    read: remote('read'),
    readStart: remote('readStart'),
    replace: remote('replace'),
    remove: remote('remove'),
    find: remote('find'),
    readLastUse: remote('readLastUse'),
    writeLastUse: remote('writeLastUse'),
    acquire: remote('acquire'),
    present: remote('present'),
    release: remote('release'),
    publish: remote('publish'),
    subscribe(key, hear) {
      const set = listeners.get(key) ?? new Set()
      if (set.size === 0) process.send?.({ subscribe: key })
      listeners.set(key, set.add(hear))
      return () => {
        set.delete(hear)
        if (set.size > 0 || listeners.get(key) !== set) return
        listeners.delete(key)
        process.send?.({ unsubscribe: key })
      }
    },
  }
}
