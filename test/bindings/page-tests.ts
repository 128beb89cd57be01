/** Tests and helpers that the page tests of the bindings share. */
import { expect, it } from 'vitest'

/** Removes the comments that frameworks insert into server-rendered pages. */
export const withoutComments = (html: string) => html.replaceAll(/<!--.*?-->/g, '')

/**
 * Renders four pages of two users concurrently. They wait for each other in the middle, and continue in reverse order.
 *
 * @param render renders the page of one user, which has to wait until `wait` resolves
 */
export function renderConcurrently<Page extends object>(
  render: (subject: string, wait: Promise<void>) => Promise<Page>,
) {
  const ends: (() => void)[] = []
  const pages = ['ada', 'grace', 'ada', 'grace'].map(async (subject) => {
    const wait = new Promise<void>((resolve) => ends.push(resolve))
    return { subject, ...(await render(subject, wait)) }
  })
  for (const end of ends.reverse()) end()
  return Promise.all(pages)
}

/**
 * Declares the tests of the views that a page shows during the life of a session.
 *
 * @param showViews runs the scenario in the page, and returns every text and phase
 */
export function testViews(showViews: (keepExpired: boolean) => Promise<readonly string[]>): void {
  it('shows one view at a time, which does not change during a refresh or a sign-in', async () => {
    expect(await showViews(false)).toEqual([
      '- restoring',
      '- out',
      ...['nobody', '- out', 'signing in', '- out'],
      ...['in ada', 'signed in', 'in ada', 'refreshing', 'in ada', 'signing in again', 'in ada'],
      ...['- out expired', 'expired', '- out expired', 'signing in after it expired', '- out expired'],
      ...['in ada', 'back', 'in ada', '- out', 'left', '- out'],
    ])
  })

  it('still shows the page of an expired session with keepExpired', async () => {
    const seen = await showViews(true)
    expect(seen.slice(seen.indexOf('signing in again') + 1)).toEqual([
      'in ada',
      ...['in ada expired', 'expired', 'in ada expired', 'signing in after it expired', 'in ada expired'],
      ...['in ada', 'back', 'in ada', '- out', 'left', '- out'],
    ])
  })
}
