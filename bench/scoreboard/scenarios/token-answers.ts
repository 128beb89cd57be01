import type { MalformedAnswer } from '../../../src/testing/index.ts'
import { same } from '../check.ts'
import { noneSucceeds, type Scenario, times, worksAgain } from '../scenario.ts'

const theme = 'unusable answers of the token endpoint'
const KINDS: readonly MalformedAnswer[] = ['html', 'bad-json', 'empty', 'no-access-token']

/** What a function or a server may give instead of tokens. */
const INVALID: readonly (readonly [what: string, value: unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a string', 'at-1'],
  ['an empty object', {}],
  ['null as a token', { access_token: null }],
  ['an object as a token', { access_token: {} }],
  ['an empty token', { access_token: '' }],
]

/** An `Authorization` header without a token: `Bearer undefined`. */
const NOT_A_TOKEN = /^(bearer)?$|undefined|null|NaN|\[object/i

export const tokenAnswers: readonly Scenario[] = [
  ...KINDS.map(
    (kind): Scenario => ({
      theme,
      title: `an answer that is not a token response (${kind}) is never used`,
      needs: ['stores'],
      oneOf: ['recovers', 'renews'],
      // Anything in between may answer with a page. Only a server answers with JSON that has no token in it.
      anyServer: kind === 'no-access-token',
      async run({ open }) {
        const { server, client, apiLog } = await open({ expired: true })
        server.malformNext(kind, Number.POSITIVE_INFINITY)
        await noneSucceeds(times(5, () => client.request('/api/x')))
        const bad = apiLog().filter(({ authorization }) => NOT_A_TOKEN.test(authorization ?? 'none'))
        same(
          'headers without a token',
          bad.map(({ authorization }) => authorization),
          [],
        )
        server.clearScripts()
        await worksAgain(() => client.request('/api/x'))
      },
    }),
  ),
  {
    theme,
    title: 'an answer with something else instead of a token never produces an Authorization header',
    covers: INVALID.map(
      ([what]) => `a refresh function that returns ${what} never produces an Authorization header`,
    ),
    needs: ['stores'],
    oneOf: ['recovers', 'renews'],
    anyServer: true,
    async run({ open }) {
      for (const [what, value] of INVALID) {
        const { client, apiLog, alterTokens } = await open({ expired: true })
        alterTokens(() => value)
        await noneSucceeds(times(1, () => client.request('/api/x')))
        await noneSucceeds(times(1, () => client.request('/api/x')))
        const bad = apiLog().filter(({ authorization }) => NOT_A_TOKEN.test(authorization ?? 'none'))
        same(
          `headers after ${what}`,
          bad.map(({ authorization }) => authorization),
          [],
        )
      }
    },
  },
]
