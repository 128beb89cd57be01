import { expect, it, vi } from 'vitest'
import { createPageRequests } from '../../src/worker/page-requests.ts'

const answer = {
  status: 200,
  statusText: '',
  headers: [],
  url: '',
  redirected: false,
  kind: 'basic',
} as const
const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>

it('a request of a page takes one answer, one body, and only chunks that it requested', async () => {
  const post = vi.fn()
  let lastId = 0
  const requests = createPageRequests(post, () => ++lastId)
  const id = 1
  const text = requests.send('https://api.example.com/').then((response) => response.text())
  // Before its answer, there is nothing to end.
  requests.receive({ type: 'end', id })
  requests.receive({ type: 'chunk', id, bytes: bytes('early') })
  expect(requests.pending).toBe(true)
  for (const hasBody of [true, true, false]) requests.receive({ type: 'answer', id, answer, hasBody })
  requests.receive({ type: 'chunk', id, bytes: bytes('one') })
  requests.receive({ type: 'end', id })
  expect(await text).toBe('one')
  expect(requests.pending).toBe(false)

  const flooded = requests.send('https://api.example.com/')
  requests.receive({ type: 'answer', id: 2, answer, hasBody: true })
  for (let count = 0; count < 9; count++) requests.receive({ type: 'chunk', id: 2, bytes: bytes('x') })
  await expect((await flooded).text()).rejects.toMatchObject({ code: 'worker_failed', reason: 'garbled' })
  expect(post).toHaveBeenLastCalledWith({ type: 'abort', id: 2 })

  // A response without a body is complete, whatever the worker announces.
  const empty = requests.send('https://api.example.com/')
  requests.receive({ type: 'answer', id: 3, answer: { ...answer, status: 204 }, hasBody: true })
  expect(await (await empty).text()).toBe('')
  expect(requests.pending).toBe(false)
})
