import { createDesk } from './desk.ts'
import { create, during, type Part } from './part.ts'
import { createSignInAgain } from './sign-in-again.ts'
import { createSignInForm } from './sign-in-form.ts'

const noEnd = () => {}

function createRestoring(): Part {
  const element = create(
    '<p data-testid="view-restoring" class="restoring" role="status">Looking for your session …</p>',
  )
  return { element, end: noEnd }
}

function createSignInPage(): Part {
  const element = create(`
    <section data-testid="view-signed-out" class="card narrow">
      <h2>Sign in</h2>
      <p class="hint">Any user name, with the password <code>correct</code>.</p>
    </section>
  `)
  const form = createSignInForm()
  element.append(form.element)
  return { element, end: form.end }
}

export function createApp(): Part {
  const element = create(
    '<div><header><h1>authchart <span>in plain TypeScript</span></h1></header><main></main></div>',
  )
  const main = element.querySelector('main') as HTMLElement
  const ends = [
    during(({ view }) => view === 'restoring', main, createRestoring),
    during(({ view }) => view === 'signedOut', main, createSignInPage),
    // With an expired session, the page stays visible under the dialog.
    during(({ view }) => view === 'signedIn' || view === 'expired', main, createDesk),
    during(({ view }) => view === 'expired', main, createSignInAgain),
  ]
  return {
    element,
    end() {
      for (const end of ends) end()
    },
  }
}
