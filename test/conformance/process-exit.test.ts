import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TokenServer } from '../../src/testing/token-server/token-server.ts'
import { setUp } from './harness.ts'
import { transports } from './transports.ts'

const child = fileURLToPath(new URL('./process-exit.child.ts', import.meta.url))

/** Runs the child process until it exits by itself. */
const run = async (url: string, ending: string) => {
  const spawned = spawn(process.execPath, ['--import', 'tsx', child, url, ending])
  onTestFinished(() => {
    spawned.kill('SIGKILL')
  })
  let output = ''
  let errors = ''
  spawned.stdout.on('data', (chunk) => {
    output += chunk
  })
  spawned.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code] = await once(spawned, 'close')
  return { code, output, errors }
}

describe('a process that uses every transport', () => {
  /** The child's output. The `faults` apply from its third token request on. */
  const outcome = async (ending: string, faults: (server: TokenServer) => void) => {
    const { server, url } = await setUp()
    server.delayNext(0, 2)
    faults(server)
    const { code, output, errors } = await run(url, ending)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    return JSON.parse(output)
  }
  const n = transports.length
  const answered = Array(2 * n).fill(200)

  test('a process exits after its session is disposed of, even with pending calls', async () => {
    const output = await outcome('dispose', (server) => server.hangNext(1))
    expect(output).toEqual([...answered, ...Array(n + 1).fill('disposed'), 'refreshing'])
  })

  test('a process exits although a scheduled refresh is pending', async () => {
    expect(await outcome('leave', () => {})).toEqual([...answered, 'authenticated'])
  })

  test('a process exits although the retry of a refresh is pending', async () => {
    expect(await outcome('coolDown', (server) => server.failNext(1))).toEqual([...answered, 'refreshing'])
  })

  test('a process stays alive while a call waits for the retry of a refresh', async () => {
    const output = await outcome('retry', (server) => {
      server.failNext(1)
      server.delayNext(0)
      server.failNext(1)
    })
    expect(output).toEqual([...answered, 401, 'authenticated'])
  })
})
