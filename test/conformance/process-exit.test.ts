import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TokenServer } from '../../src/testing/token-server/token-server.ts'
import { setUp } from './harness.ts'
import { transports } from './transports.ts'

const child = fileURLToPath(new URL('./process-exit.child.ts', import.meta.url))

/** Runs the child until it exits by itself. */
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
  /** What the child says at the end; the third of its token requests is the first that the `faults` meet. */
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

  test('exits once its auth is disposed of, whatever was under way', async () => {
    const said = await outcome('dispose', (server) => server.hangNext(1))
    expect(said).toEqual([...answered, ...Array(n + 1).fill('disposed'), 'refreshing'])
  })

  test('exits although a renewal is ahead', async () => {
    expect(await outcome('leave', () => {})).toEqual([...answered, 'authenticated'])
  })

  test('exits although the next try of a renewal is ahead', async () => {
    expect(await outcome('suspend', (server) => server.failNext(1))).toEqual([...answered, 'refreshing'])
  })

  test('stays as long as somebody waits for the next try', async () => {
    const said = await outcome('retry', (server) => {
      server.failNext(1)
      server.delayNext(0)
      server.failNext(1)
    })
    expect(said).toEqual([...answered, 401, 'authenticated'])
  })
})
