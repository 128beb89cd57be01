import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { collect } from './collect.ts'
import { isOwnTimeout, ownTransport } from './own-transport.ts'

const child = fileURLToPath(new URL('./other-runner.child.ts', import.meta.url))

describe('the conformance suite under node:test, with an expect over node:assert', () => {
  test('the conformance suite passes a custom transport over node:http under node:test', async () => {
    const declared = collect(ownTransport, { isTimeout: isOwnTimeout })
    const args = ['--import', 'tsx', '--test', '--test-reporter=tap', child]
    const runner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => {
      runner.kill('SIGKILL')
    })
    let output = ''
    for (const stream of [runner.stdout, runner.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }

    const [code] = await once(runner, 'close')

    expect([code, output.match(/^ *not ok .*|^ *error: .*/gm)]).toEqual([0, null])
    expect(output).toContain(`\n# tests ${declared.length}\n`)
    expect(output).toContain(`\n# pass ${declared.length}\n`)
  }, 120_000)
})
