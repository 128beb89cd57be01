import { describe, expect, it } from 'vitest'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { nextEvent } from '../conformance/harness.ts'
import { begin, outcome, sendBy, watching } from './inspect-requests-harness.ts'

describe('inspectRequests', () => {
  describe('over a custom transport', () => {
    it.each([[undefined], [null], ['text'], [{ status: 'ok' }], [{ response: {} }]])(
      'reports no answer if it contains no status: %j',
      async (answer) => {
        const { auth } = await begin()
        const { stories } = watching(auth)

        expect(await sendBy(auth, 'GET /a', answer)).toBe(answer)

        expect(stories()).toEqual([['arrived GET /a', 'sent', 'done']])
      },
    )

    it('passes on what the transport throws, unchanged', async () => {
      const { auth } = await begin()
      const { stories } = watching(auth)
      const why = { not: 'an error' }
      const send = () => {
        throw why
      }

      const error = await outcome(
        bearerRequest(auth, { send, challenge: () => undefined, replayable: true, key: () => 'GET /a' }),
      )

      expect(error).toBe(why)
      expect(stories()).toEqual([['arrived GET /a', 'sent', 'rejected failed']])
    })

    it('sends a request whose key throws', async () => {
      const { auth } = await begin()
      const { stories } = watching(auth)

      const answer = await bearerRequest(auth, {
        send: async () => ({ status: 200 }),
        challenge: () => undefined,
        replayable: true,
        key: () => {
          throw new Error('no name')
        },
      })

      expect(answer).toEqual({ status: 200 })
      expect(stories()).toEqual([['arrived ', 'sent', 'answered 200', 'done']])
    })

    it('discards answers that are not returned, replays the request, and reports a step-up', async () => {
      const { auth, server } = await begin()
      const { stories } = watching(auth)
      const discarded: unknown[] = []
      const steps = nextEvent(auth, 'stepUpRequired')
      const answers = [{ status: 401 }, { status: 403 }]
      const sent: (string | undefined)[] = []
      server.reset()

      const answer = await bearerRequest(auth, {
        send: async (authorization) => {
          sent.push(authorization)
          return answers[sent.length - 1]
        },
        challenge: async (given) => (given?.status === 401 ? 'refresh' : { scope: 'admin' }),
        replayable: true,
        key: () => 'GET /a',
        discard: (given) => void discarded.push(given),
      })

      expect(answer).toBe(answers[1])
      expect(discarded).toEqual([answers[0]])
      expect(new Set(sent).size).toBe(2)
      expect(await steps).toMatchObject({ scope: 'admin' })
      expect(stories()).toEqual([
        ['arrived GET /a', 'sent', 'answered 401', 'held', 'replayed', 'answered 403', 'done'],
      ])
    })

    it('does not replay a request that is not replayable', async () => {
      const { auth } = await begin()
      const { stories } = watching(auth)
      const refreshed = nextEvent(auth, 'refreshed')

      const answer = await bearerRequest(auth, {
        send: async () => ({ status: 401 }),
        challenge: () => 'refresh',
        replayable: false,
        key: () => 'POST /a',
      })

      expect(answer).toEqual({ status: 401 })
      expect(stories()).toEqual([['arrived POST /a', 'sent', 'answered 401', 'done']])
      await refreshed
    })
  })
})
