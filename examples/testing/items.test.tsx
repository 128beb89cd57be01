// items.test.tsx: the page, rendered on a bed
// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { createAuthFetch } from 'authchart/fetch'
import { createTestBed, type ModelSettings } from 'authchart/testing'
import { afterEach, expect, test } from 'vitest'
import { AuthProvider, Items } from './items.tsx'

afterEach(cleanup)

async function renderItems(settings: ModelSettings = {}) {
  const bed = await createTestBed({
    ...settings,
    credentials: ({ email, pin }: { readonly email: string; readonly pin: string }) => ({
      username: email,
      password: pin,
    }),
    claims: (subject) => ({ roles: subject === 'ada' ? ['editor'] : [] }),
    server: { routes: { '/api/items': { handler: () => Response.json(['Tea', 'Milk']) } } },
  })
  const api = createAuthFetch(bed.auth, { fetch: bed.server.fetch, origins: [bed.origin] })
  const load = async () => (await api(`${bed.origin}/api/items`)).json()
  render(
    <AuthProvider auth={bed.auth}>
      <Items load={load} />
    </AuthProvider>,
  )
  return bed
}

test('a user signs in, sees the list, and is asked again when the session has ended', async () => {
  const bed = await renderItems()
  fireEvent.change(screen.getByLabelText('Email'), { target: { value: 'ada' } })
  fireEvent.change(screen.getByLabelText('PIN'), { target: { value: 'correct' } })
  fireEvent.click(screen.getByText('Sign in'))
  fireEvent.click(await screen.findByText('Load'))
  expect(await screen.findByText('Tea, Milk')).toBeTruthy()
  expect(screen.getByText('You may edit this list.')).toBeTruthy()

  bed.server.expireAccessTokens() // the next request is answered 401, and refreshes
  bed.server.killRefreshTokens() // which is refused
  fireEvent.click(screen.getByText('Load'))
  expect(await screen.findByText('Your session has ended.')).toBeTruthy()
  await bed.close()
})

test('other users may not edit', async () => {
  const bed = await renderItems()
  bed.signIn('grace')
  await screen.findByText('Load')
  expect(screen.queryByText('You may edit this list.')).toBeNull()
  await bed.close()
})

test('the session ends while the user is away', async () => {
  const bed = await renderItems({ start: 'stored', limits: { idle: 15 * 60_000 } })
  await screen.findByText('Load')
  await act(() => bed.pass(15 * 60_000))
  expect(screen.getByText('Your session has ended.')).toBeTruthy()
  await bed.close()
})
