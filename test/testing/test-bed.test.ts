import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  authTestModel,
  createTestBed,
  inState,
  type TestBed,
  type TestBedOptions,
  testBedDrivers,
} from '../../src/testing/index.ts'

interface Credentials {
  readonly email: string
  readonly pin: string
}
interface Claims {
  readonly roles: readonly string[]
}
interface User {
  readonly name: string
}

const APP: TestBedOptions<Credentials, Claims, User> = {
  credentials: ({ email, pin }) => ({ username: email, password: pin }),
  claims: (subject) => ({ roles: subject === 'ada' ? ['editor'] : [] }),
  user: (subject) => ({ name: `${subject} of the test` }),
}
const ADA = {
  subject: 'ada',
  claims: { sub: 'ada', roles: ['editor'] },
  user: { name: 'ada of the test' },
}

describe('the users of a test bed', () => {
  it('a bed has the types of the credentials, claims and facts of the app', async () => {
    const bed = await createTestBed(APP)
    expectTypeOf(bed).toEqualTypeOf<TestBed<Credentials, Claims, User>>()
    expectTypeOf(bed.auth.signIn).parameter(0).toEqualTypeOf<Credentials>()
    expectTypeOf(bed.auth.session?.claims).toEqualTypeOf<Claims | undefined>()
    expectTypeOf(bed.auth.session?.user).toEqualTypeOf<User | undefined>()
    await bed.close()
  })

  it('the app signs in with its own credentials, and gets the claims and facts of the user', async () => {
    const bed = await createTestBed(APP)
    const refused = bed.auth.signIn({ email: 'ada', pin: 'wrong' })
    await expect(refused).rejects.toMatchObject({ status: 400 })
    await bed.auth.signIn({ email: 'ada', pin: 'correct' })
    expect(bed.auth.session).toMatchObject(ADA)
    await bed.auth.refresh()
    expect(bed.auth.session).toMatchObject({ ...ADA, generation: 2 })
    await bed.close()
  })

  it.each(['stored', 'initialTokens', 'cookie'] as const)(
    'a session that starts as %s has the claims and facts of its user',
    async (start) => {
      const bed = await createTestBed({ ...APP, start })
      await bed.settle()
      expect(bed.auth.session).toMatchObject(ADA)
      await bed.close()
    },
  )

  it('bed.signIn signs a user in, whatever the credentials of the app look like', async () => {
    const bed = await createTestBed(APP)
    bed.signIn('grace')
    await bed.settle()
    expect(bed.auth.session).toMatchObject({ subject: 'grace', claims: { roles: [] } })
    bed.signIn('ada', 'wrong')
    await bed.settle()
    expect(bed.auth.session?.subject).toBe('grace')
    await bed.close()
  })

  it('the drivers of the model drive a bed of an app with its own types', async () => {
    const { signIn, signOut, signInAsOther, adoptTokens } = testBedDrivers
    const events = { signIn, signOut, signInAsOther, adoptTokens }
    const model = authTestModel<TestBed<Credentials, Claims, User>>({ events })
    const path = model.shortestPaths().find(({ description }) => description.includes('tokens of its own'))
    const bed = await createTestBed(APP)
    expect(path?.events).toContain('adoptTokens')
    await path?.test(bed)
    expect(bed.auth.session?.user?.name).toMatch(/ of the test$/)
    await bed.close()
  })

  it('inState brings a session with the types of the app into a state', async () => {
    const bed = await inState('refreshing.gate.closed', APP)
    expectTypeOf(bed).toEqualTypeOf<TestBed<Credentials, Claims, User>>()
    expect(bed.auth.session).toMatchObject(ADA)
    await bed.close()
  })

  it('a signIn function of the app is used instead of the credentials option', async () => {
    const bed = await createTestBed<Credentials>({
      auth: { signIn: ({ email }) => ({ access_token: 'own', subject: email }) },
    })
    await bed.auth.signIn({ email: 'own', pin: '' })
    expect(bed.auth.session?.subject).toBe('own')
    await bed.close()
  })

  it('credentials without a name are refused with the option to set', async () => {
    const bed = await createTestBed<Credentials>()
    await expect(bed.auth.signIn({ email: 'ada', pin: 'correct' })).rejects.toThrow(
      'createTestBed: the credentials have no username or no password. Set the option credentials, which reads those of your app.',
    )
    await bed.close()
  })

  it('the API of a bed answers with the routes of the test', async () => {
    const bed = await createTestBed({
      start: 'stored',
      server: { routes: { '/api/items': { handler: () => Response.json(['Tea']) } } },
    })
    const token = await bed.auth.getAccessToken()
    const answer = await bed.server.fetch('/api/items', { headers: { authorization: `Bearer ${token}` } })
    expect(await answer.json()).toEqual(['Tea'])
    await bed.close()
  })
})
